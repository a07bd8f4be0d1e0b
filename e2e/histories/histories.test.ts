import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VirtualTime } from '../support/virtual-time.ts';
import type { Lab } from '../threats/support/lab.ts';
import { histories, play } from './support/play.ts';
import { quickLab } from './support/quick-lab.ts';

/**
 * Random histories of a room against the model in `support/model.ts`. One that fails is shrunk; what it prints plays it again:
 * `QSEC2_HISTORY='{"seed":…,"path":"…"}'`.
 */

/** The same ones in each run of the tests; others in each soak run, where there is time to look into what they find. */
const RUNS = process.env.QSEC2_SOAK ? { numRuns: 4_000 } : { numRuns: 200, seed: 1 };
const AGAIN = JSON.parse(process.env.QSEC2_HISTORY ?? '{}');

describe('a room', () => {
  const time = new VirtualTime();
  let honest: Lab;
  beforeAll(async () => {
    honest = await quickLab();
    time.install();
  });
  afterAll(() => time.uninstall());

  it('tells everyone who stays or returns of every text once, in order, and of nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (history) => {
        expect(await play(honest, time, history)).toEqual([]);
      }),
      { ...RUNS, ...AGAIN },
    );
  }, 7_200_000);
});
