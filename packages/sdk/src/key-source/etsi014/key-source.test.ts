import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { StageEvent } from '../../bb84/types.ts';
import { type MockKmePair, mockKmePair } from '../../testing/etsi014-mock/index.ts';
import type { KeyParty } from '../types.ts';
import { type Etsi014SourceOptions, etsi014 } from './index.ts';

let kmes: MockKmePair;
beforeAll(async () => {
  kmes = await mockKmePair();
});
afterAll(() => kmes[Symbol.asyncDispose]());
afterEach(() => {
  for (const kme of [kmes.a, kmes.b]) kme.fault = undefined;
});

const PARAMETERS = { pulses: 32768, threshold: 0.11 };

function pair(options: Partial<Etsi014SourceOptions> = {}): [KeyParty, KeyParty] {
  const ca = kmes.authority.cert;
  const a = etsi014({ kme: kmes.a.url, peer: 'SAE_B', ca, ...kmes.saeA, ...options });
  const b = etsi014({ kme: kmes.b.url, peer: 'SAE_A', ca, ...kmes.saeB, ...options });
  return [a.alice(PARAMETERS), b.bob(PARAMETERS)];
}

async function run(alice: KeyParty, bob: KeyParty): Promise<Uint8Array[]> {
  const flights: Uint8Array[] = [];
  for (let flight = await alice.next(); flight; ) {
    flights.push(flight);
    const answer = await bob.next(flight);
    if (answer) flights.push(answer);
    flight = answer && (await alice.next(answer));
  }
  return flights;
}

describe('two members at two key management entities', () => {
  it('agree on a key of 32 bytes and on its name', async () => {
    const [alice, bob] = pair();
    await run(alice, bob);
    expect(alice.result?.key).toHaveLength(32);
    expect(bob.result?.key).toEqual(alice.result?.key);
    expect(alice.keyId).toMatch(/^[0-9a-f-]{36}$/);
    expect(bob.keyId).toBe(alice.keyId);
    expect(alice.failure ?? bob.failure).toBeUndefined();
  });

  it('do not send the key', async () => {
    const [alice, bob] = pair();
    const sent = Buffer.concat(await run(alice, bob));
    const key = Buffer.from(alice.result?.key ?? []);
    expect(sent.includes(key)).toBe(false);
    expect(sent.includes(key.toString('base64'))).toBe(false);
  });

  it('keep to the announced size of each flight', async () => {
    const [alice, bob] = pair();
    const source = etsi014({ kme: kmes.a.url, peer: 'SAE_B', ...kmes.saeA });
    for (const [i, { length }] of (await run(alice, bob)).entries())
      expect(length).toBeLessThanOrEqual(source.flightBound(i + 1, 32768));
  });

  it('call the key simulated unless they were told that hardware makes it', async () => {
    const [alice, bob] = pair();
    await run(alice, bob);
    expect(alice.result?.report.provenance).toBe('simulated');
    const [c, d] = pair({ provenance: 'hardware' });
    await run(c, d);
    expect(d.result?.report).toMatchObject({ provenance: 'hardware', finalBits: 256, verified: true });
  });

  it('get another key each time', async () => {
    const [[a, b], [c, d]] = [pair(), pair()];
    await run(a, b);
    await run(c, d);
    expect(a.result?.key).not.toEqual(c.result?.key);
  });

  it('tell what is going on', async () => {
    const [alice, bob] = pair();
    const stages: StageEvent[] = [];
    bob.on('stage', (event) => stages.push(event));
    await run(alice, bob);
    expect(stages).toEqual([{ stage: 'amplification', counts: expect.objectContaining({ finalBits: 256 }) }]);
  });

  it('both end when the first one gets no key', async () => {
    kmes.a.fault = { status: 503, body: '{"message":"empty"}' };
    const [alice, bob] = pair();
    await run(alice, bob);
    expect(alice.failure).toMatchObject({ code: 'KEY_SOURCE_FAILED', details: { reason: 'unavailable' } });
    expect(bob.failure).toMatchObject({ code: 'KEY_SOURCE_FAILED', details: { reason: 'peer' } });
    expect(alice.result ?? bob.result).toBeUndefined();
  });

  it('both end when the second one gets no key', async () => {
    kmes.b.fault = { status: 401 };
    const [alice, bob] = pair();
    await run(alice, bob);
    expect(alice.failure).toMatchObject({
      code: 'KEY_SOURCE_FAILED',
      // The key that this side had fetched.
      details: { reason: 'peer', usedUp: [expect.any(String)] },
    });
    expect(bob.failure).toMatchObject({ code: 'KEY_SOURCE_FAILED', details: { reason: 'unauthorized' } });
  });

  it('end when a key is not of the size asked for', async () => {
    const [alice, bob] = pair();
    kmes.b.fault = undefined;
    const flight = (await alice.next()) as Uint8Array;
    const id = Buffer.from(flight.subarray(1)).toString();
    kmes.b.fault = { body: JSON.stringify({ keys: [{ key_ID: id, key: 'AAAA' }] }) };
    await alice.next((await bob.next(flight)) as Uint8Array);
    expect(bob.failure).toMatchObject({ details: { reason: 'malformed-response', usedUp: [id] } });
    expect(alice.failure?.details.usedUp).toEqual([id]);
  });

  it('refuse flights that are none, and go on', async () => {
    const [alice, bob] = pair();
    await expect(alice.next(Uint8Array.of(1))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    for (const flight of [undefined, [], [2], [1], [0, 1], [1, 0xff], new Array(300).fill(1)]) {
      await expect(bob.next(flight && Uint8Array.from(flight))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    const flight = await alice.next();
    await expect(alice.next(Uint8Array.of(1, 1))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await alice.next(await bob.next(flight));
    expect(bob.result?.key).toEqual(alice.result?.key);
    await expect(alice.next(Uint8Array.of(1))).rejects.toThrow('the run is over');
  });
});
