import { expect, it } from 'vitest';
import { busy, Cycles } from './testing/attacks/cycles.ts';
import { ChildRelay } from './testing/child-relay.ts';
import { afterThisTest, temporaryFolder } from './testing/relay-fixture.ts';

const CYCLES = 2000;

/** The short version; `npm run soak -- relay` counts to a hundred thousand, and looks at the memory. */
it('whoever connects and leaves, in whatever way, leaves no connection, seat or room behind', { timeout: 60_000 }, async () => {
  const relay = await ChildRelay.start(temporaryFolder(), busy);
  afterThisTest(() => relay.stop('SIGKILL'));
  const visits = new Cycles(relay);
  await visits.open();
  const { sockets } = relay;
  // Returns when nothing is left but the residents, their rooms and their seats.
  await visits.run(CYCLES);
  expect(visits.count).toBeGreaterThanOrEqual(CYCLES);
  await expect.poll(() => relay.sockets).toBeLessThanOrEqual(sockets + 1);
  visits.close();
  expect(await relay.stop('SIGTERM')).toBe(0);
});
