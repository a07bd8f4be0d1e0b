import { defineConfig } from 'vitest/config';
import relay from '../../packages/relay/vitest.config.ts';
import sdk from '../../packages/sdk/vitest.config.ts';
import widget from '../../packages/widget/vitest.config.ts';

/**
 * The tests of the one package whose code is changed, as far as they run in this process: a fault is switched on here, and another process
 * would not know of it.
 */
const IN_PROCESS = {
  sdk: { ...sdk.test, exclude: ['src/bb84/processes.test.ts', 'src/cli/**'] },
  relay: { ...relay.test, include: ['src/{blobs,frames,gateway,http,hub}/**/*.test.ts', 'src/relay.test.ts'] },
  widget: widget.test,
};

const name = process.env.QSEC2_MUTANTS_OF;
const { resolve } = { sdk, relay, widget }[name];
/** Code with all its faults built in is slower by far, and the machine may be shared: no test may fail for that. */
const PATIENT = { testTimeout: 120_000, hookTimeout: 120_000 };
export default defineConfig({
  test: { projects: [{ resolve, root: `packages/${name}`, test: { ...IN_PROCESS[name], ...PATIENT } }] },
});
