import { defineConfig } from 'vitest/config';

export default defineConfig({
  // More than there are processors on the smallest machine: many tests wait for other processes most of their time.
  test: { maxWorkers: 3, projects: ['packages/*/vitest.config.ts', 'e2e/vitest.config.ts'] },
});
