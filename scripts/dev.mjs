import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { say } from './console.mjs';
import { ROOT } from './run.mjs';
import { setUp } from './setup.mjs';

/** `npm run dev`: like `npm start`, and again whenever a source changes. */

const WATCHED = ['packages/sdk/src', 'packages/relay/src', 'packages/widget/src', 'examples/demo'];
/** Editors write in several steps; what comes within this time is one change. */
const SETTLE_MS = 200;

let relay;
let timer;

function restart() {
  relay?.kill('SIGTERM');
  relay = spawn(process.execPath, [join(ROOT, 'scripts/start.mjs')], { cwd: ROOT, stdio: 'inherit' });
}

for (const folder of WATCHED) {
  watch(join(ROOT, folder), { recursive: true }, () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      say('A source changed.');
      restart();
    }, SETTLE_MS);
  });
}
await setUp();
restart();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    relay?.kill(signal);
    process.exit(0);
  });
}
