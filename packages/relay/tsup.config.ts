import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/index.ts', 'src/cli.ts'],
  format: 'esm',
  target: 'node20',
  platform: 'node',
  // The wire contract is compiled in, so that an installed relay brings none of the SDK's other code with it.
  noExternal: ['@qsec2/sdk'],
  sourcemap: true,
  clean: true,
  dts: { entry: 'src/index.ts', resolve: ['@qsec2/sdk'] },
});
