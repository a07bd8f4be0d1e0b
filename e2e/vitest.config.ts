import { defineConfig } from 'vitest/config';

/** Tests over several packages that need no browser; those that do are `*.spec.ts` and run by Playwright. */
export default defineConfig({
  test: { name: 'e2e', include: ['**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
});
