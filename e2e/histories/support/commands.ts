import fc from 'fast-check';
import type { Person } from './person.ts';
import { SPOILINGS, type Spoiling } from './spoiling.ts';
import type { World } from './world.ts';

/** What may happen in a history. Who it happens to is picked among those it can happen to. */

export interface Plan {
  /** Members of the room, and how many of them have the page open. */
  members: number;
  open: number;
  /** Milliseconds that passed: a relay keeps a seat for ten minutes, and members their messages. */
  passed: number;
}

type Command = fc.AsyncCommand<Plan, World>;

const MOST_MEMBERS = 6;
/** Longer histories would give up what waits for members who are away; that is its own matter. */
const LONGEST_MS = 360_000;

const pick = (people: readonly Person[], which: number): Person | undefined => people[which % Math.max(1, people.length)];

/** One thing that happens: when it can, what it does, and how it is called. */
const command = (
  name: string,
  check: (plan: Readonly<Plan>) => boolean,
  run: (plan: Plan, world: World) => Promise<void>,
): Command => ({
  check,
  run,
  toString: () => name,
});

export const join = (keeps: boolean): Command =>
  command(
    `join(${keeps ? 'keeps' : 'forgets'})`,
    ({ members, open }) => members < MOST_MEMBERS && open > 0,
    async (plan, world) => {
      plan.members++;
      plan.open++;
      await world.join(keeps);
    },
  );

export const leave = (which: number): Command =>
  command(
    `leave(${which})`,
    ({ open }) => open > 1,
    async (plan, world) => {
      const person = pick(world.present, which);
      // Somebody has to stay who knows the room's policy: without it nobody can be let in, and that is as it should be.
      if (!person || !world.present.some((other) => other !== person && other.knowsPolicy) || !world.canSpare(person)) return;
      plan.members--;
      plan.open--;
      // Who leaves without a connection is away to the others, until the relay's patience ends.
      if (!person.online) {
        person.restore();
        await world.time.settle();
      }
      await person.leave();
    },
  );

export const write = (which: number, count: number): Command =>
  command(
    `write(${which}, ${count})`,
    ({ open }) => open > 0,
    async (_, world) => {
      const author = pick(world.present, which);
      for (let i = 0; author && i < count; i++) world.write(author);
    },
  );

export const drop = (which: number): Command =>
  command(
    `drop(${which})`,
    ({ open }) => open > 0,
    async (_, world) => {
      pick(world.present, which)?.drop();
    },
  );

export const restore = (which: number): Command =>
  command(
    `restore(${which})`,
    ({ open }) => open > 0,
    async (_, world) => {
      const offline = world.present.filter(({ online }) => !online);
      pick(offline, which)?.restore();
    },
  );

export const close = (which: number, crash: boolean): Command =>
  command(
    `close(${which}${crash ? ', crash' : ''})`,
    ({ open }) => open > 0,
    async (plan, world) => {
      const keepers = world.present.filter(({ keeps }) => keeps);
      const person = pick(keepers, which);
      if (!person) return;
      plan.open--;
      await world.close(person, crash);
    },
  );

export const reopen = (which: number): Command =>
  command(
    `reopen(${which})`,
    ({ members, open }) => open < members,
    async (plan, world) => {
      const person = pick(world.closed, which);
      if (!person) return;
      plan.open++;
      await world.reopen(person);
    },
  );

/** By who made the room, while it can. */
export const remove = (which: number): Command =>
  command(
    `remove(${which})`,
    ({ members, open }) => members > 2 && open > 0,
    async (plan, world) => {
      const [creator, ...others] = world.people;
      const person = pick(
        others.filter(({ left }) => !left),
        which,
      );
      // Once a history, while everyone is there: each is told then, though the relay may lose it.
      const apart = world.people.some(({ left, open, online, removed }) => removed || (!left && !(open && online)));
      if (!person || !creator?.open || apart) return;
      await world.remove(person);
      if (!person.left) return;
      plan.members--;
      if (person.open) plan.open--;
    },
  );

export const rekey = (which: number): Command =>
  command(
    `rekey(${which})`,
    ({ open }) => open > 0,
    async (_, world) => {
      // It ends in its own time, or with the room.
      pick(world.present, which)
        ?.room.rekey()
        .catch(() => undefined);
    },
  );

export const storm = (schedule: Uint8Array): Command =>
  command(
    `storm([${schedule.join()}])`,
    () => true,
    async (_, world) => world.storm(schedule),
  );

/** What happens is another command; each of its frames comes spoilt, too. */
export const spoil = (what: Command, how: Spoiling, at: number): Command =>
  command(
    `spoil(${what}, '${how}', ${at})`,
    (plan) => what.check(plan) as boolean,
    async (plan, world) => world.spoil(() => what.run(plan, world), how, at),
  );

export const calm: Command = command(
  'calm()',
  () => true,
  async (_, world) => world.relay.calm(),
);

export const wait = (ms: number): Command =>
  command(
    `wait(${ms})`,
    ({ passed }) => passed + ms <= LONGEST_MS,
    async (plan, world) => {
      plan.passed += ms;
      await world.time.pass(ms);
    },
  );

const whom = fc.nat(MOST_MEMBERS - 1);

const weighted = (weight: number, arbitrary: fc.Arbitrary<Command>) => ({ weight, arbitrary });

/** What leads to frames of each type. */
const spoilt = fc.oneof(
  fc.boolean().map(join),
  fc.tuple(whom, fc.constant(1)).map(([which, count]) => write(which, count)),
  whom.map(leave),
  whom.map(reopen),
  whom.map(restore),
  whom.map(rekey),
  whom.map(remove),
);

/** What happens in a room, one thing after the other; shrinks to fewer things. */
export const happenings = (longest: number): fc.Arbitrary<Command[]> =>
  fc.array(
    fc.oneof(
      weighted(2, fc.boolean().map(join)),
      weighted(1, whom.map(leave)),
      weighted(
        6,
        fc.tuple(whom, fc.integer({ min: 1, max: 4 })).map(([which, count]) => write(which, count)),
      ),
      weighted(2, whom.map(drop)),
      weighted(2, whom.map(restore)),
      weighted(
        2,
        fc.tuple(whom, fc.boolean()).map(([which, crash]) => close(which, crash)),
      ),
      weighted(2, whom.map(reopen)),
      weighted(1, whom.map(rekey)),
      weighted(3, whom.map(remove)),
      weighted(2, fc.uint8Array({ minLength: 2, maxLength: 40, size: 'max' }).map(storm)),
      weighted(1, fc.constant(calm)),
      weighted(
        2,
        fc.tuple(spoilt, fc.constantFrom(...SPOILINGS), fc.nat(16_000)).map(([what, how, at]) => spoil(what, how, at)),
      ),
      weighted(5, fc.constantFrom(0, 100, 1_000, 5_000, 20_000, 60_000).map(wait)),
    ),
    { minLength: 4, maxLength: longest, size: 'max' },
  );
