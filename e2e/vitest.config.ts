import { defineConfig } from 'vitest/config';

/** Tests over several packages that need no browser; those that do are `*.spec.ts` and run by Playwright. */
export default defineConfig({
  test: {
    name: 'e2e',
    include: ['**/*.test.ts'],
    // Far above what anything takes: machines are shared.
    expect: { poll: { timeout: 15_000 } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
