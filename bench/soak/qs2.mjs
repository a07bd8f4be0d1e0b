import { ROOT, runTool } from '../../scripts/run.mjs';

/**
 * The threat tests with their long settings: 100 000 inputs to every decoder, every bit of every kind of frame, thousands of schedules
 * of a hostile relay; and thousands of random histories of a room against a model of it. The same files run short in `npm test`.
 */
export async function run() {
  const { code } = await runTool('vitest', ['run', '--root', 'e2e', '--testTimeout', '3600000', 'threats', 'histories'], {
    cwd: ROOT,
    env: { QSEC2_SOAK: '1' },
  });
  if (code !== 0) throw new Error('the soak run of QS2 failed; what went wrong stands above');
}
