import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildLab, type Lab } from '../threats/support/lab.ts';
import { happenings, type Plan } from './support/commands.ts';
import { complete, contradictions } from './support/model.ts';
import { VirtualTime } from './support/virtual-time.ts';
import { World } from './support/world.ts';

/**
 * Random histories of a room against the model in `support/model.ts`. One that fails is shrunk; what it prints plays it again:
 * `QSEC2_HISTORY='{"seed":…,"path":"…"}'`.
 */

const RUNS = Number(process.env.QSEC2_RUNS ?? (process.env.QSEC2_SOAK ? 4_000 : 200));

const time = new VirtualTime();
let honest: Lab;
beforeAll(async () => {
  honest = await buildLab();
});

interface History {
  /** Who is there at the beginning besides the creator: whether each keeps the room across reloads. */
  others: boolean[];
  happenings: fc.AsyncCommand<Plan, World>[];
  /** Of everything that is random in it. */
  seed: number;
}

const histories = fc.record<History>({
  others: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
  happenings: happenings(40),
  seed: fc.integer(),
});

/** Plays one history; what contradicts the model at its end. */
async function play(lab: Lab, { others, happenings, seed }: History): Promise<string[]> {
  time.restart(seed);
  if (process.env.QSEC2_STATS) (await import('node:fs')).writeFileSync('/tmp/q6.last', JSON.stringify({ others, seed, h: happenings.map(String) }));
  const world = new World(lab, time);
  try {
    for (const keeps of [true, ...others]) await world.join(keeps);
    await time.pass(5_000);
    const model: Plan = { members: world.people.length, open: world.people.length, passed: 0 };
    await fc.asyncModelRun(() => ({ model, real: world }), happenings);
    await world.calmDown(240_000, () => complete(world));
    if (process.env.QSEC2_STATS) console.log(`=> ${world.people.length} people, ${world.written.length} texts, ${time.passed} ms, ${world.relay.carried.length} frames: ${happenings.join()}`);
    return contradictions(world);
  } finally {
    for (const person of world.present) await person.leave();
    await time.settle();
  }
}

describe('a room', () => {
  beforeAll(() => time.install());
  afterAll(() => time.uninstall());

  it('tells everyone who stays or returns of every text once, in order, and of nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (history) => {
        expect(await play(honest, history)).toEqual([]);
      }),
      { numRuns: RUNS, endOnFailure: process.env.QSEC2_QUICK === "1", ...(process.env.QSEC2_HISTORY && JSON.parse(process.env.QSEC2_HISTORY)) },
    );
  }, 3_600_000);
});
