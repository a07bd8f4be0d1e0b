import { randomInt } from 'node:crypto';
import { expect, it } from 'vitest';
import { unboundedText } from './testing/attacks/builds.ts';
import { Fuzz, fuzzed } from './testing/attacks/fuzz.ts';
import { ChildRelay } from './testing/child-relay.ts';
import { afterThisTest, temporaryFolder } from './testing/relay-fixture.ts';

const INPUTS = 5000;

/** The short version; `npm run soak -- relay` sends a million, and looks at the memory. */
it('a relay that is sent anything at all goes on serving', { timeout: 60_000 }, async () => {
  const relay = await ChildRelay.start(temporaryFolder(), fuzzed);
  afterThisTest(() => relay.stop('SIGKILL'));
  const seed = randomInt(2 ** 31);
  const fuzz = new Fuzz(relay, { seed, words: ['Ana of the lighthouse'] });
  await fuzz.run(INPUTS).catch((cause) => {
    throw new Error(`with seed ${seed}`, { cause });
  });
  expect(fuzz.conversations).toBeGreaterThan(1);
  expect(await relay.stop('SIGTERM')).toBe(0);
});

it('a relay that decodes text packets of any length is ended by one of those inputs', { timeout: 60_000 }, async () => {
  const relay = await ChildRelay.start(temporaryFolder(), fuzzed, unboundedText);
  afterThisTest(() => relay.stop('SIGKILL'));
  const fuzz = new Fuzz(relay, { seed: 1, words: ['Ana of the lighthouse'] });
  await fuzz.run(INPUTS).catch(() => undefined);
  expect(await relay.stop('SIGTERM')).toBe(1);
});
