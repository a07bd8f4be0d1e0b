import type { Mutant } from '../child-relay.ts';
import type { Fault } from './scenario.ts';

/** What happens to relays, one name each. */
export const faults = {
  killed: async ({ go, restart }) => {
    await go(150 + Math.random() * 150);
    await restart('SIGKILL');
  },
  stopped: async ({ go, restart }) => {
    await go(150 + Math.random() * 150);
    await restart('SIGTERM');
  },
  cut: async ({ go, network }) => {
    await go(150);
    network.cut();
  },
  'black hole': async ({ go, network }) => {
    network.weather = 'black hole';
    await go(300);
    network.weather = 'fair';
    // What fell into it is lost for good, so these connections are of no use any more.
    network.cut();
  },
  slowed: async ({ go, network }) => {
    network.weather = 'slow';
    await go(500);
    network.weather = 'fair';
  },
  sliced: async ({ go, network }) => {
    network.weather = 'sliced';
    await go(300);
    network.weather = 'fair';
  },
  'readers paused': async ({ go, network }) => {
    network.hold(true);
    await go(500);
    network.hold(false);
  },
} satisfies Record<string, Fault>;

/** Relays that break a promise. The checker has to catch each. */
export const mutants: Mutant[] = [
  {
    name: 'commit skipped',
    file: 'store/local/local-store.ts',
    from: 'for (const { room, items, segment } of written) this.#journal.insertSegment(room, segment, items);',
    to: 'void written;',
  },
  {
    name: 'acknowledged early',
    file: 'store/sqlite/sqlite-journal.ts',
    from: 'this.#sql.insertSegment.run(room.id, first, last, time, items);',
    to: 'setTimeout(() => this.#sql.insertSegment.run(room.id, first, last, time, items), 100);',
  },
];
