import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fail, say } from './console.mjs';
import { ROOT } from './run.mjs';
import { setUp } from './setup.mjs';

/** Installs and builds what is missing, then runs the relay with the demo page. */

await setUp();
const port = process.env.PORT ?? '5000';
say(`Starting the relay and the demo page on http://localhost:${port} (Ctrl+C stops it) …`);

const relay = spawn(process.execPath, [join(ROOT, 'packages/relay/dist/cli.js'), 'serve'], {
  cwd: ROOT,
  stdio: 'inherit',
  env: { ...process.env, PORT: port, RELAY_DEMO_DIR: process.env.RELAY_DEMO_DIR ?? join(ROOT, 'packages/widget/dist/demo') },
});
relay.on('error', (error) => fail(`The relay could not be started: ${error.message}`));
// The relay drains on SIGTERM and SIGINT; this process lives exactly as long as it does.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => relay.kill(signal));
relay.on('exit', (code) => process.exit(code ?? 0));
