import fc from 'fast-check';
import type { VirtualTime } from '../../support/virtual-time.ts';
import type { Lab } from '../../threats/support/lab.ts';
import { happenings, type Plan } from './commands.ts';
import { complete, contradictions } from './model.ts';
import { World } from './world.ts';

/** So long after the last thing that happened everything has to have come. */
const CALM_MS = 240_000;
/** Who leaves before everyone followed a removal is waited for at the new place as long as a relay waits for who is away. */
const CALM_AFTER_REMOVAL_MS = 720_000;
const LONGEST = 40;

export interface History {
  /** Who is there at the beginning besides the creator: whether each keeps the room across reloads. */
  others: boolean[];
  happenings: Iterable<fc.AsyncCommand<Plan, World>>;
  /** Of everything that is random in it. */
  seed: number;
}

export const histories = fc.record<History>({
  others: fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
  happenings: happenings(LONGEST),
  seed: fc.integer(),
});

/** Plays one history to its end; what contradicts the model then. */
export async function play(lab: Lab, time: VirtualTime, { others, happenings, seed }: History): Promise<string[]> {
  time.restart(seed);
  const world = new World(lab, time);
  try {
    for (const keeps of [true, ...others]) await world.join(keeps);
    await time.pass(5_000);
    const model: Plan = { members: world.people.length, open: world.people.length, passed: 0 };
    await fc.asyncModelRun(() => ({ model, real: world }), happenings);
    const moved = world.people.some(({ removed }) => removed);
    await world.calmDown(moved ? CALM_AFTER_REMOVAL_MS : CALM_MS, () => complete(world));
    return contradictions(world);
  } finally {
    for (const person of world.present) await person.leave();
    await time.settle();
  }
}
