import { defineConfig } from 'vitest/config';

export default defineConfig({
  // As many as there are processors on the smallest machine: by itself Vitest leaves one of two unused.
  test: { maxWorkers: 2, projects: ['packages/*/vitest.config.ts', 'e2e/vitest.config.ts'] },
});
