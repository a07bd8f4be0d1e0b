import { describe, expect, it, vi } from 'vitest';
import { QsecError, type QsecErrorCode } from '../errors.ts';
import { AGREED_KEY_BYTES, type KeyParameters, type KeyParty, type KeySource } from '../key-source/types.ts';
import { type Bytes, concat, Writer } from '../wire/index.ts';
import { counterNonce, open } from './aead.ts';
import { Agreement, type AgreementOptions, type AgreementStage, type AgreementStep } from './agreement.ts';
import { expandLabel, hash } from './key-schedule.ts';
import { oneFlightSource } from './one-flight-source.fixture.ts';
import { unpad } from './padding.ts';
import type { AgreementPolicy } from './policy.ts';
import { randomBytes } from './random.ts';

/** What both sides of a key agreement do when nobody does anything wrong: docs/protocol.md, § 4.2. */

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

/** Carries every flight to its side until nobody says anything more. */
async function run(atAlice: AgreementOptions, atBob: AgreementOptions) {
  const [alice, bob] = [await Agreement.start(atAlice), await Agreement.start(atBob)];
  const flights: Bytes[] = [];
  const last: { alice: AgreementStep; bob: AgreementStep } = { alice: alice.step, bob: bob.step };
  for (let side: 'alice' | 'bob' = 'bob', waiting = alice.step.flights; waiting.length > 0; ) {
    flights.push(...waiting);
    const answers: Bytes[] = [];
    for (const flight of waiting) {
      last[side] = await (side === 'bob' ? bob : alice).agreement.receive(flight);
      answers.push(...last[side].flights);
    }
    [side, waiting] = [side === 'bob' ? 'alice' : 'bob', answers];
  }
  return { flights, atAlice: last.alice, atBob: last.bob };
}

/** A source of one flight each way, whose attempts end as they are told to: with a failure of this code, or with a key. */
function endingWith(...codes: (QsecErrorCode | undefined)[]) {
  const asked: KeyParameters[] = [];
  const side = (speaksFirst: boolean) => (parameters: KeyParameters) => {
    const code = codes[asked.length];
    asked.push(parameters);
    return {
      result: undefined as KeyParty['result'],
      failure: undefined as KeyParty['failure'],
      sampled: 9,
      errors: 4,
      keyId: 'key-1',
      on: () => () => undefined,
      next(flight?: Uint8Array) {
        if (flight && code) this.failure = new QsecError(code, 'dropped');
        else if (flight) this.result = { key: new Uint8Array(AGREED_KEY_BYTES).fill(1), report: {} as never };
        return flight && speaksFirst ? undefined : Uint8Array.of(asked.length);
      },
    };
  };
  const keySource: KeySource = {
    kind: 'bb84',
    provenance: 'hardware',
    alice: side(true),
    bob: side(false),
    flightBound: () => 16,
  };
  return { keySource, asked };
}

describe('the flights of a key agreement', () => {
  /** A party that says five flights with the other one. */
  function talkative(): KeySource {
    const side = (speaksFirst: boolean) => (): KeyParty => {
      let heard = 0;
      return {
        result: undefined as KeyParty['result'],
        failure: undefined,
        sampled: 0,
        errors: 0,
        on: () => () => undefined,
        next(this: { result: KeyParty['result'] }, flight?: Uint8Array) {
          if (flight) heard++;
          if (heard === (speaksFirst ? 2 : 3)) this.result = { key: new Uint8Array(32).fill(2), report: {} as never };
          return speaksFirst || heard < 3 ? Uint8Array.of(speaksFirst ? 2 * heard + 1 : 2 * heard) : undefined;
        },
      };
    };
    return { ...oneFlightSource(), alice: side(true), bob: side(false), flightBound: (number, pulses) => 10 * number + pulses };
  }

  it('have the keys and nonces that their numbers say, and sizes that depend on the number and the pulses alone', async () => {
    const { flights, atAlice, atBob } = await run(
      options('alice', { keySource: talkative() }),
      options('bob', { keySource: talkative() }),
    );
    expect(flights.map(([attempt, number]) => [attempt, number])).toEqual([1, 2, 3, 4, 5].map((number) => [1, number]));
    const context = concat(transcript, Uint8Array.of(1));
    const keys: [label: string, nonce: number][] = [
      ['qc', 0],
      ['bb b', 0],
      ['bb a', 0],
      ['bb b', 1],
      ['bb a', 1],
    ];
    for (const [i, flight] of flights.entries()) {
      const [label, nonce] = keys[i] as [string, number];
      const key = expandLabel(secret, label, context);
      const padded = await open(key, counterNonce(nonce), flight.subarray(2), flight.slice(0, 2));
      expect(unpad(padded)).toEqual(Uint8Array.of(i + 1));
      expect(padded).toHaveLength(4 + 10 * (i + 1) + policy.pulses);
    }
    expect(atBob.outcome?.key).toEqual(new Uint8Array(AGREED_KEY_BYTES).fill(2));
    expect(atAlice.outcome).toEqual(atBob.outcome);
  });

  it('that came before give nothing, of this attempt and of one that was dropped', async () => {
    const { keySource } = endingWith('QBER_EXCEEDED');
    const { agreement, step } = await Agreement.start(options('bob', { keySource }));
    expect(step).toEqual({ flights: [] });
    const pulses = (await Agreement.start(options('alice'))).step.flights[0] as Bytes;
    const { flights } = await agreement.receive(pulses);
    expect(flights.map(([attempt, number]) => [attempt, number])).toEqual([[1, 2]]);
    expect(await agreement.receive(pulses)).toEqual({ flights: [] });
    expect(await agreement.receive(Uint8Array.of(1, 9, 0))).toEqual({ flights: [] });
    const early = expect.objectContaining({ code: 'HANDSHAKE_FAILED', message: 'A flight came out of order.' });
    await expect(agreement.receive(Uint8Array.of(2, 2, 0))).rejects.toEqual(early);
    await expect(agreement.receive(Uint8Array.of(3, 1, 0))).rejects.toEqual(early);
    expect(agreement.broken).toBe(false);
  });
});

describe('an attempt that both sides drop', () => {
  it.each<[what: string, pulses: number, codes: QsecErrorCode[], asked: number[]]>([
    ['for too few secret bits is followed by one with twice the pulses, and no other', 64, ['KEY_TOO_SHORT'], [64, 128]],
    ['for too few secret bits still is where twice as many are just allowed', 131_072, ['KEY_TOO_SHORT'], [131_072, 262_144]],
    ['for too few secret bits is the last where twice as many are not allowed', 131_073, ['KEY_TOO_SHORT'], [131_073]],
    ['for too many errors is followed by two more', 64, ['QBER_EXCEEDED'], [64, 64, 64]],
    ['for keys that do not become equal is followed by two more', 64, ['RECONCILIATION_FAILED'], [64, 64, 64]],
    ['for a fault of a key source is the last', 64, ['KEY_SOURCE_FAILED'], [64]],
    ['a second time, now for too few secret bits, is the last', 64, ['VERIFICATION_FAILED', 'KEY_TOO_SHORT'], [64, 64]],
    ['a second time keeps twice the pulses', 64, ['KEY_TOO_SHORT', 'QBER_EXCEEDED'], [64, 128, 128]],
  ])('%s', async (_, pulses, codes, expected) => {
    const all = [0, 1, 2, 3].map((i) => codes[Math.min(i, codes.length - 1)]);
    const [ofAlice, ofBob] = [endingWith(...all), endingWith(...all)];
    const own = { ...policy, pulses };
    const { atAlice, atBob, flights } = await run(
      options('alice', { own, theirs: policy, keySource: ofAlice.keySource }),
      options('bob', { own: policy, theirs: own, keySource: ofBob.keySource }),
    );
    expect(ofAlice.asked.map((each) => each.pulses)).toEqual(expected);
    expect(ofBob.asked).toEqual(ofAlice.asked);
    expect(flights.map(([attempt, number]) => [attempt, number])).toEqual(
      expected.flatMap((__, i) => [
        [i + 1, 1],
        [i + 1, 2],
      ]),
    );
    const code = codes[Math.min(expected.length, codes.length) - 1];
    for (const { failure, outcome } of [atAlice, atBob]) expect([failure?.code, outcome]).toEqual([code, undefined]);
  });

  it('is followed by one whose key counts, and the transcript says which one that was', async () => {
    const [ofAlice, ofBob] = [endingWith('QBER_EXCEEDED', undefined), endingWith('QBER_EXCEEDED', undefined)];
    const { atAlice, atBob } = await run(
      options('alice', { keySource: ofAlice.keySource }),
      options('bob', { keySource: ofBob.keySource }),
    );
    const said = new Writer().variable(Uint8Array.of(2)).variable(Uint8Array.of(2)).u8(2).u32(4).u32(9);
    const expected = hash(said.text('hardware').text('key-1').bytes());
    for (const { outcome } of [atAlice, atBob]) {
      expect(outcome).toEqual({ key: new Uint8Array(32).fill(1), report: {}, transcript: expected });
    }
  });

  it.each([
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ])('for the last time ends for both unless neither demands a key (%s, %s)', async (alice, bob) => {
    const [a, b] = [
      { ...policy, required: alice },
      { ...policy, required: bob },
    ];
    const { atAlice, atBob } = await run(
      options('alice', { own: a, theirs: b, keySource: endingWith('KEY_SOURCE_FAILED').keySource }),
      options('bob', { own: b, theirs: a, keySource: endingWith('KEY_SOURCE_FAILED').keySource }),
    );
    for (const { failure, outcome } of [atAlice, atBob]) {
      expect(failure?.code).toBe(alice || bob ? 'KEY_SOURCE_FAILED' : undefined);
      expect(outcome?.key).toEqual(alice || bob ? undefined : new Uint8Array(AGREED_KEY_BYTES));
      expect(outcome?.report).toBeUndefined();
    }
    expect(atAlice.outcome?.transcript).toEqual(atBob.outcome?.transcript);
  });
});

describe('a key agreement', () => {
  it.each([
    [0.11, 0.05],
    [0.05, 0.11],
  ])('holds to the lower threshold of both, and to the pulses of who sends them (%d, %d)', async (alice, bob) => {
    const [ofAlice, ofBob] = [endingWith(undefined), endingWith(undefined)];
    const [a, b] = [
      { ...policy, threshold: alice, pulses: 100 },
      { ...policy, threshold: bob, pulses: 200 },
    ];
    await run(
      options('alice', { own: a, theirs: b, keySource: ofAlice.keySource }),
      options('bob', { own: b, theirs: a, keySource: ofBob.keySource }),
    );
    expect([...ofAlice.asked, ...ofBob.asked]).toEqual([0, 1].map(() => ({ pulses: 100, threshold: 0.05 })));
  });

  it('tells of each stage with its attempt, its side and the threshold', async () => {
    const heard = new Map<string, (event: never) => void>();
    const on = vi.fn((name: string, listener: (event: never) => void) => {
      heard.set(name, listener);
      return () => undefined;
    });
    const stages: AgreementStage[] = [];
    const keySource = oneFlightSource({ on });
    await Agreement.start(options('alice', { keySource, onStage: (event) => stages.push(event) }));
    expect([...heard.keys()]).toEqual(['stage']);
    heard.get('stage')?.({ stage: 'sifting', bits: 7 } as never);
    expect(stages).toEqual([{ stage: 'sifting', bits: 7, attempt: 1, role: 'alice', threshold: 0.11 }]);
  });

  it('counts what was said, whatever a party does with its own bytes afterwards', async () => {
    const reused = Uint8Array.of(5);
    function next(this: { result: KeyParty['result'] }, flight?: Uint8Array): Uint8Array | undefined {
      if (flight) this.result = { key: new Uint8Array(AGREED_KEY_BYTES).fill(1), report: {} as never };
      return flight ? undefined : reused;
    }
    const alice = await Agreement.start(options('alice', { keySource: oneFlightSource({ next }) }));
    reused.fill(6);
    const bob = await Agreement.start(options('bob'));
    const atBob = await bob.agreement.receive(alice.step.flights[0] as Bytes);
    const { outcome } = await alice.agreement.receive(atBob.flights[0] as Bytes);
    expect(outcome?.transcript).toEqual(atBob.outcome?.transcript);
    alice.agreement.destroy();
    expect(reused).toEqual(Uint8Array.of(6));
  });
});
