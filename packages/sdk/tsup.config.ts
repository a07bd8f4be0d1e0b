import { existsSync } from 'node:fs';
import { defineConfig } from 'tsup';

const entries = [
  'src/index.ts',
  'src/bb84/index.ts',
  'src/wire/index.ts',
  'src/media/voice.ts',
  'src/media/pictures/index.ts',
  'src/testing/index.ts',
  'src/key-source/etsi014/index.ts',
  'src/cli/main.ts',
];

export default defineConfig({
  entry: entries.filter((file) => existsSync(file)),

  format: 'esm',
  target: 'es2022',
  platform: 'neutral',
  // Node's own modules are used by the Node-only entries and never by the browser ones; the linter holds that.
  external: [/^node:/],
  splitting: true,
  sourcemap: true,
  clean: true,
  dts: true,
});
