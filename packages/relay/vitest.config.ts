import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { alias: { '@qsec2/sdk/wire': fileURLToPath(new URL('../sdk/src/wire/index.ts', import.meta.url)) } },
  test: {
    name: 'relay',
    include: ['src/**/*.test.ts'],
    // Far above what anything takes: machines are shared.
    expect: { poll: { timeout: 15_000 } },
    testTimeout: 20_000,
  },
});
