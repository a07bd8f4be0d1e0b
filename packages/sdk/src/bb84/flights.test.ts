import { describe, expect, it } from 'vitest';
import { pack } from './bits.ts';
import {
  decodeAnswer,
  decodeDetections,
  decodeDisclosure,
  decodeHello,
  decodeReply,
  encodeAnswer,
  encodeDetections,
  encodeDisclosure,
  encodeHello,
  encodeReply,
  type Hello,
  isRunFailure,
  type KeyMaterial,
  type RunFailure,
} from './flights.ts';

const REFUSED = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
const ones = (count: number): Uint8Array => pack(new Array(count).fill(1));

const hello: Hello = {
  pulses: 12,
  method: 'ldpc',
  bound: 'tight',
  keyBits: 256,
  epsilon: { secrecy: 1e-9, correctness: 1e-15 },
  zProbability: 0.5,
  provenance: 'simulated',
  description: 'simulated: single photons',
  intensities: [
    { mean: 0.5, probability: 0.75 },
    { mean: 0.1, probability: 0.25 },
  ],
  transmission: {
    count: 12,
    states: { bits: pack([1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1, 1]), bases: pack([0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 0, 1]) },
    detector: { efficiency: 1, darkCount: 0 },
  },
};

/** The same message with other bytes at one place. */
const changed = (message: Uint8Array, at: number, ...others: number[]): Uint8Array => {
  const copy = message.slice();
  copy.set(others, at);
  return copy;
};

describe('a hello', () => {
  const message = encodeHello(hello);
  // flight 1 | format 1 | pulses 4 | length 1, method 4 | bound 1 | provenance 1 | key bits 4 | three numbers of 8 | length 1, text
  const [PULSES, BOUND, PROVENANCE, KEY_BITS, SECRECY, TEXT] = [2, 11, 12, 13, 17, 41];
  const intensities = TEXT + 1 + hello.description.length;

  it('says again what was said', () => {
    expect(decodeHello(message, 12)).toStrictEqual(hello);
    const other: Hello = { ...hello, bound: 'serfling', provenance: 'hardware', keyBits: 0, intensities: [] };
    expect(decodeHello(encodeHello(other), 100)).toStrictEqual(other);
  });

  it.each<[string, Uint8Array, number?]>([
    ['another flight', changed(message, 0, 2)],
    [
      'no pulses',
      encodeHello({
        ...hello,
        pulses: 0,
        transmission: { ...hello.transmission, count: 0, states: { bits: new Uint8Array(0), bases: new Uint8Array(0) } },
      }),
    ],
    ['more pulses than are accepted', message, 11],
    ['other pulses than were sent', changed(message, PULSES, 0, 0, 0, 11)],
    ['an unknown bound', changed(message, BOUND, 2)],
    ['an unknown provenance', changed(message, PROVENANCE, 2)],
    ['more key bits than any run has', changed(message, KEY_BITS, 4, 0, 0, 1)],
    ['an ε of 0', changed(message, SECRECY, 0, 0, 0, 0, 0, 0, 0, 0)],
    ['an ε above 1', changed(message, SECRECY, 0x40)],
    ['an ε of correctness that no tag fits', changed(message, SECRECY + 8, 0x30, 0)],
    ['a basis that is never chosen', encodeHello({ ...hello, zProbability: 0.999 })],
    ['a basis that is always chosen', encodeHello({ ...hello, zProbability: 0.001 })],
    ['more than sixteen intensities', changed(message, intensities, 17)],
    ['an intensity without a number', changed(message, intensities + 1, 0x7f, 0xf8)],
    ['a probability above 1', changed(message, intensities + 9, 0x40)],
    ['less than it says', message.subarray(0, -1)],
    ['more than it says', Uint8Array.of(...message, 0)],
  ])('is refused with %s', (_, given, most = 12) => {
    expect(() => decodeHello(given, most)).toThrow(REFUSED);
  });

  it('takes as many key bits as a run has pulses at most, and sixteen intensities', () => {
    expect(decodeHello(changed(message, KEY_BITS, 4, 0, 0, 0), 12).keyBits).toBe(2 ** 26);
    const many = { ...hello, intensities: Array.from({ length: 16 }, (_, k) => ({ mean: k, probability: 1 / 16 })) };
    expect(decodeHello(encodeHello(many), 12).intensities).toEqual(many.intensities);
  });

  it('names both versions when it is of another one', () => {
    expect(() => decodeHello(changed(message, 1, 1), 12)).toThrow(
      expect.objectContaining({ details: { version: { what: 'BB84 messages', theirs: 1, ours: 2 } } }),
    );
  });

  it('cuts a description that is too long between characters', () => {
    const told = (description: string): string => decodeHello(encodeHello({ ...hello, description }), 12).description;
    expect(told('x'.repeat(255))).toBe('x'.repeat(255));
    expect(told('x'.repeat(256))).toBe('x'.repeat(252));
    expect(told(`${'x'.repeat(251)}€uro and more`)).toBe('x'.repeat(251));
    expect(told(`${'x'.repeat(249)}€uro and more`)).toBe(`${'x'.repeat(249)}€`);
  });
});

describe('detections', () => {
  const detected = pack([1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1, 1]);
  const flight = {
    detected,
    clicks: 7,
    bases: pack([0, 1, 1, 0, 1, 0, 1]),
    sampleSeed: new Uint8Array(32),
    fraction: 0,
    sampleBits: new Uint8Array(0),
  };
  const message = encodeDetections(flight, 12);
  const FIRST_DIGITS = 5;

  it('tell again which pulses were detected, in which bases', () => {
    expect(decodeDetections(message, 12, false)).toStrictEqual({
      detected,
      clicks: 7,
      bases: flight.bases,
      sample: new Uint8Array(1),
      sampleBits: new Uint8Array(0),
    });
    const all = { ...flight, detected: ones(12), clicks: 12, bases: pack([0, 1, 1, 0, 1, 0, 1, 1, 1, 0, 0, 1]) };
    expect(decodeDetections(encodeDetections(all, 12), 12, false)).toMatchObject({ detected: all.detected, bases: all.bases });
  });

  it('tell all of X where only Z carries key', () => {
    const zOnly = encodeDetections({ ...flight, sampleBits: pack([1, 0, 1, 1]) }, 12);
    expect(decodeDetections(zOnly, 12, true)).toMatchObject({ sample: flight.bases, sampleBits: pack([1, 0, 1, 1]) });
  });

  it.each<[string, Uint8Array]>([
    ['more of them than pulses', changed(message, 1, 0, 0, 0, 13)],
    ['more of them than announced', changed(message, 1, 0, 0, 0, 6)],
    ['fewer of them than announced', changed(message, 1, 0, 0, 0, 8)],
    ['a group of digits that is no number', changed(message, FIRST_DIGITS, 243)],
    ['bits of pulses that are not compared', Uint8Array.of(...message, 0)],
    ['no seed', message.subarray(0, -2)],
    ['another flight', changed(message, 0, 1)],
  ])('are refused with %s', (_, given) => {
    expect(() => decodeDetections(given, 12, false)).toThrow(REFUSED);
  });
});

describe('a disclosure', () => {
  const sample = pack([1, 1, 0, 0, 1, 0, 1]);
  const match = pack([1, 0, 1, 1, 1, 0, 0]);
  const testBits = pack([1, 0]);
  const material: KeyMaterial = {
    reconcile: true,
    tagSeed: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    tag: Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1),
    keyBits: 256,
    toeplitzSeed: Uint8Array.of(9, 9, 9),
    opening: Uint8Array.of(5, 5),
  };
  const message = encodeDisclosure({ match, testBits, verdict: material });
  // flight 1 | failure 1 | matches 1 | bits 1 | reconcile 1 | tag length 1 | seed 8 | tag 8 | …
  const [FAILURE, RECONCILE, TAG_LENGTH] = [1, 4, 5];

  it.each([true, false])('says again what Bob needs for the key (to be reconciled: %s)', (reconcile) => {
    const verdict = { ...material, reconcile };
    const sent = { match, testBits, verdict };
    expect(decodeDisclosure(encodeDisclosure(sent), 7, sample, false)).toStrictEqual(sent);
  });

  it.each<RunFailure>(['QBER_EXCEEDED', 'KEY_TOO_SHORT', 'RECONCILIATION_FAILED', 'VERIFICATION_FAILED'])(
    'says again why there is no key, and nothing behind it: %s',
    (failure) => {
      const failed = encodeDisclosure({ match, testBits, verdict: { failure } });
      expect(decodeDisclosure(failed, 7, sample, false)).toStrictEqual({ match, testBits, verdict: { failure } });
      expect(() => decodeDisclosure(Uint8Array.of(...failed, 0), 7, sample, false)).toThrow(REFUSED);
    },
  );

  it.each([8, 16, 64])('takes a tag of %d bytes', (length) => {
    const verdict = { ...material, tag: new Uint8Array(length), tagSeed: new Uint8Array(length) };
    expect(decodeDisclosure(encodeDisclosure({ match, testBits, verdict }), 7, sample, false).verdict).toEqual(verdict);
  });

  it.each([0, 7, 9, 72])('refuses a tag of %d bytes', (length) => {
    const verdict = { ...material, tag: new Uint8Array(length), tagSeed: new Uint8Array(length) };
    expect(() => decodeDisclosure(encodeDisclosure({ match, testBits, verdict }), 7, sample, false)).toThrow(
      /tag of a wrong length/,
    );
  });

  it.each<[string, Uint8Array]>([
    ['an unknown failure', changed(encodeDisclosure({ match, testBits, verdict: { failure: 'KEY_TOO_SHORT' } }), FAILURE, 5)],
    ['an unknown way to equal keys', changed(message, RECONCILE, 2)],
    ['a match behind the last detection', changed(message, 2, 0xff)],
    ['a tag that is longer than the message', changed(message, TAG_LENGTH, 64)],
    ['another flight', changed(message, 0, 2)],
  ])('is refused with %s', (_, given) => {
    expect(() => decodeDisclosure(given, 7, sample, false)).toThrow(REFUSED);
  });
});

describe('a reply', () => {
  it.each([
    [{ kind: 'done', finalBits: 256, corrected: 70_000 }, [4, 0, 0, 0, 1, 0, 0, 1, 0x11, 0x70]],
    [{ kind: 'failure', failure: 'QBER_EXCEEDED' }, [4, 1]],
    [{ kind: 'failure', failure: 'VERIFICATION_FAILED' }, [4, 4]],
    [{ kind: 'request', request: Uint8Array.of(7, 8) }, [4, 255, 7, 8]],
    [{ kind: 'request', request: new Uint8Array(0) }, [4, 255]],
  ] as const)('has known bytes: %j', (reply, bytes) => {
    expect([...encodeReply(reply)]).toEqual(bytes);
    expect(decodeReply(Uint8Array.from(bytes))).toStrictEqual(reply);
  });

  it.each([
    [[]],
    [[4]],
    [[5, 0]],
    [[4, 5]],
    [[4, 254]],
    [[4, 1, 0]],
    [[4, 0, 0, 0, 1, 0, 0, 0, 0]],
    [[4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]],
  ])('is refused when it is none: %j', (bytes) => {
    expect(() => decodeReply(Uint8Array.from(bytes))).toThrow(REFUSED);
  });
});

describe('an answer', () => {
  it('is what it is, behind its number', () => {
    expect([...encodeAnswer(Uint8Array.of(1, 2))]).toEqual([5, 1, 2]);
    expect([...decodeAnswer(Uint8Array.of(5, 1, 2))]).toEqual([1, 2]);
    expect(() => decodeAnswer(Uint8Array.of(4, 1, 2))).toThrow('expected flight 5');
  });
});

describe('the failures of a run', () => {
  it('are those that one side can announce to the other', () => {
    expect(
      ['QBER_EXCEEDED', 'KEY_TOO_SHORT', 'RECONCILIATION_FAILED', 'VERIFICATION_FAILED'].every((code) =>
        isRunFailure(code as never),
      ),
    ).toBe(true);
    expect(isRunFailure('INVALID_ARGUMENT')).toBe(false);
  });
});
