import { describe, expect, it } from 'vitest';
import { QsecError, type QsecErrorCode } from '../errors.ts';
import { AGREED_KEY_BYTES, type KeyParty } from '../key-source/types.ts';
import type { Bytes } from '../wire/index.ts';
import { Agreement, type AgreementOptions } from './agreement.ts';
import { oneFlightSource } from './one-flight-source.fixture.ts';
import type { AgreementPolicy } from './policy.ts';
import { randomBytes } from './random.ts';

/** Every refusal of a key agreement, of what the peer sends and of what the key source of this side does. */

const policy: AgreementPolicy = { required: true, source: 'bb84', pulses: 64, threshold: 0.11 };
const [secret, transcript] = [randomBytes(32), randomBytes(32)];

const options = (role: 'alice' | 'bob', more: Partial<AgreementOptions> = {}): AgreementOptions => ({
  secret,
  transcript,
  role,
  own: policy,
  theirs: policy,
  keySource: oneFlightSource(),
  onStage: () => undefined,
  ...more,
});

const result = (key: Uint8Array): KeyParty['result'] => ({ key, report: {} as never });
const flightOf = (step: { flights: Bytes[] }): Bytes => step.flights[0] as Bytes;

/** Both sides, and Alice's first flight. */
async function begun(alice: Partial<AgreementOptions> = {}, bob: Partial<AgreementOptions> = {}) {
  const a = await Agreement.start(options('alice', alice));
  const b = await Agreement.start(options('bob', bob));
  return { alice: a.agreement, bob: b.agreement, pulses: flightOf(a.step) };
}

const refusal = (code: QsecErrorCode, message: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });

describe('a key agreement', () => {
  it('ends with the same outcome on both sides when nobody does anything wrong', async () => {
    const { alice, bob, pulses } = await begun();
    const atBob = await bob.receive(pulses);
    const atAlice = await alice.receive(flightOf(atBob));
    expect(atBob.outcome?.key).toEqual(new Uint8Array(AGREED_KEY_BYTES).fill(1));
    expect(atAlice.outcome).toEqual(atBob.outcome);
  });

  it('is refused with a peer that takes its keys from elsewhere', async () => {
    const theirs: AgreementPolicy = { ...policy, source: 'etsi014' };
    const message = 'This side takes its keys from bb84, the other from etsi014';
    await expect(Agreement.start(options('bob', { theirs }))).rejects.toEqual(refusal('KEY_SOURCE_FAILED', message));
  });

  it('is refused with a peer that wants to send too many pulses, before the key source makes room for them', async () => {
    const keySource = oneFlightSource();
    const theirs = { ...policy, pulses: 262_145 };
    const starting = Agreement.start(options('bob', { theirs, keySource }));
    await expect(starting).rejects.toEqual(refusal('HANDSHAKE_FAILED', '262145 pulses; at most 262144'));
    expect(keySource.bob).not.toHaveBeenCalled();

    await Agreement.start(options('bob', { theirs: { ...policy, pulses: 262_144 }, keySource }));
    expect(keySource.bob).toHaveBeenCalledWith({ pulses: 262_144, threshold: 0.11 });
  });
});

describe('a flight of the peer', () => {
  const forged: [string, (flight: Bytes) => Bytes, ReturnType<typeof refusal>][] = [
    ['two ahead', (flight) => at(flight, 1, 3), refusal('HANDSHAKE_FAILED', 'A flight came out of order')],
    ['of the next attempt', (flight) => at(flight, 0, 2), refusal('HANDSHAKE_FAILED', 'A flight came out of order')],
    ['with a changed box', (flight) => at(flight, 5, 0, 1), refusal('HANDSHAKE_FAILED', 'A box does not open')],
    ['of which the end is missing', (flight) => flight.slice(0, -1), refusal('HANDSHAKE_FAILED', 'A box does not open')],
    ['without a number', (flight) => flight.slice(0, 1), refusal('INVALID_ARGUMENT', 'truncated')],
  ];

  it.each(forged)('%s is refused and changes nothing', async (_, forge, expected) => {
    const { alice, bob, pulses } = await begun();
    await expect(bob.receive(forge(pulses))).rejects.toEqual(expected);
    expect(bob.broken).toBe(false);
    const atBob = await bob.receive(pulses);
    expect((await alice.receive(flightOf(atBob))).outcome).toEqual(atBob.outcome);
  });

  it('of the next attempt is refused also where its number was there in this one', async () => {
    const { bob, pulses } = await begun();
    await bob.receive(pulses);
    for (const number of [1, 2, 3])
      await expect(bob.receive(Uint8Array.of(2, number, 0))).rejects.toEqual(
        refusal('HANDSHAKE_FAILED', 'A flight came out of order'),
      );
    expect(bob.broken).toBe(false);
  });

  it.each(['transcript', 'secret'] as const)('under another %s is refused', async (field) => {
    const { bob, pulses } = await begun({ [field]: randomBytes(32) });
    await expect(bob.receive(pulses)).rejects.toEqual(refusal('HANDSHAKE_FAILED', 'A box does not open'));
    expect(bob.broken).toBe(false);
  });

  it('that was there before gives nothing and is not handed to the key source again', async () => {
    const { bob, pulses } = await begun();
    await bob.receive(pulses);
    expect(await bob.receive(pulses)).toEqual({ flights: [] });
  });

  it('that the key source refuses breaks the agreement: a proven peer sent it', async () => {
    const next = () => {
      throw new QsecError('INVALID_ARGUMENT', 'no such basis');
    };
    const { bob, pulses } = await begun({}, { keySource: oneFlightSource({ next }) });
    await expect(bob.receive(pulses)).rejects.toEqual(refusal('INVALID_ARGUMENT', 'no such basis'));
    expect(bob.broken).toBe(true);
  });

  it('of another version is refused as one, also when the key source says so in other words', async () => {
    const version = { what: 'flight', theirs: 2, ours: 1 };
    const next = () => {
      throw new QsecError('INVALID_ARGUMENT', 'an unknown layout', { details: { version } });
    };
    const { bob, pulses } = await begun({}, { keySource: oneFlightSource({ next }) });
    await expect(bob.receive(pulses)).rejects.toEqual(refusal('VERSION_MISMATCH', 'flight 2, and here 1'));
  });
});

describe('a key source', () => {
  it.each<[string, unknown, ReturnType<typeof refusal>]>([
    ['nothing', undefined, refusal('KEY_SOURCE_FAILED', 'it gave no party that plays bob')],
    ['a party that takes no flights', { on: () => undefined }, refusal('KEY_SOURCE_FAILED', 'it gave no party that plays bob')],
    ['a party without events', { next: () => undefined }, refusal('KEY_SOURCE_FAILED', 'it gave no party that plays bob')],
  ])('that gives %s is refused', async (_, party, expected) => {
    const keySource = { ...oneFlightSource(), bob: () => party as KeyParty };
    await expect(Agreement.start(options('bob', { keySource }))).rejects.toEqual(expected);
  });

  it('that throws instead of giving a party is named with what it threw', async () => {
    const bob = () => {
      throw new Error('no line');
    };
    const starting = Agreement.start(options('bob', { keySource: { ...oneFlightSource(), bob } }));
    await expect(starting).rejects.toEqual(refusal('KEY_SOURCE_FAILED', 'The key source of this side failed: no line'));
  });

  it.each([8, 16, 31, 33, 0])('that gives a key of %i bytes is refused', async (length) => {
    const party = { result: result(new Uint8Array(length).fill(1)) };
    const { bob, pulses } = await begun({}, { keySource: oneFlightSource(party) });
    const message = `The key agreement gave ${length} bytes instead of 32`;
    await expect(bob.receive(pulses)).rejects.toEqual(refusal('HANDSHAKE_FAILED', message));
    expect(bob.broken).toBe(true);
  });

  it.each<[string, Partial<KeyParty>, string]>([
    ['a flight that is not bytes', { next: () => 'flight' as never }, 'its flight is not bytes'],
    ['a failure that is none of ours', { failure: new Error('the laser is off') as never }, 'the laser is off'],
    ['a flight longer than it said', { next: () => new Uint8Array(17) }, '17 bytes do not fit'],
    ['a result without a key', { result: { report: {} } as never }, 'undefined'],
    ['a count that is no number', { errors: Number.NaN, result: result(new Uint8Array(32)) }, 'got NaN'],
  ])('that answers with %s is refused', async (_, party, message) => {
    const { bob, pulses } = await begun({}, { keySource: oneFlightSource(party) });
    await expect(bob.receive(pulses)).rejects.toEqual(refusal('KEY_SOURCE_FAILED', message));
  });

  it('that throws in the first step is refused, though no flight of the peer was read', async () => {
    const next = () => {
      throw new QsecError('INVALID_ARGUMENT', 'no pulses');
    };
    const starting = Agreement.start(options('alice', { keySource: oneFlightSource({ next }) }));
    await expect(starting).rejects.toEqual(refusal('KEY_SOURCE_FAILED', 'no pulses'));
  });
});

/** The bytes with one of them set, or some bits of it turned. */
function at(bytes: Bytes, index: number, value: number, turned?: number): Bytes {
  const copy = bytes.slice();
  copy[index] = turned === undefined ? value : (copy[index] as number) ^ turned;
  return copy;
}
