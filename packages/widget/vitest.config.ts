import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'widget',
    include: ['test/**/*.test.ts'],
    // Far above what anything takes: machines are shared.
    expect: { poll: { timeout: 15_000 } },
    testTimeout: 20_000,
  },
});
