import { expect, test } from 'vitest';
import { QsecError } from '../../errors.ts';
import { flipBit, hammingDistance, unpack } from '../bits.ts';
import { physicsRandom } from '../channel/physics-random.ts';
import { binaryEntropy } from '../finite-key.ts';
import { randomBits } from '../random.ts';
import { ldpc } from './ldpc.ts';
import { buildCode, LIFT, splitRows, syndromeOf } from './ldpc-code.ts';

const random = physicsRandom(7);

/** Two keys that differ in each bit with probability `qber`. */
function noisyPair(bits: number, qber: number): { alice: Uint8Array; bob: Uint8Array; errors: number } {
  const alice = randomBits(bits);
  const bob = alice.slice();
  for (let i = 0; i < bits; i++) if (random.next() < qber * 2 ** 32) flipBit(bob, i);
  return { alice, bob, errors: hammingDistance(alice, bob) };
}

test('keys of any size and noise are made equal, or the failure is known', () => {
  const summary = { runs: 0, failed: 0 };
  for (const bits of [300, 1000, 5000, 11_301]) {
    for (const qber of [0, 0.003, 0.01, 0.03, 0.06, 0.11]) {
      for (let run = 0; run < 2; run++) {
        const { alice, bob } = noisyPair(bits, qber);
        const { corrected, ok, disclosed } = ldpc().local(alice, bob, qber, bits);
        summary.runs++;
        if (ok && bits >= 5000) expect(hammingDistance(corrected, alice)).toBe(0);
        if (!ok) summary.failed++;
        expect(disclosed % LIFT).toBe(0);
      }
    }
  }
  expect(summary.failed).toBeLessThanOrEqual(3);
});

test('it gives away little more than Shannon asks for', () => {
  for (const [qber, limit] of [
    [0.02, 1.4],
    [0.05, 1.27],
  ] as const) {
    let disclosed = 0;
    for (let run = 0; run < 8; run++) {
      const { alice, bob } = noisyPair(11_000, qber);
      const result = ldpc().local(alice, bob, qber, 11_000);
      expect(result.corrected).toEqual(alice);
      disclosed += result.disclosed;
    }
    expect(disclosed / (8 * 11_000 * binaryEntropy(qber))).toBeLessThan(limit);
  }
});

test('when the noise was underestimated, requests make up for it, and both sides count the same', () => {
  let extra = 0;
  for (let run = 0; run < 5; run++) {
    const { alice, bob, errors } = noisyPair(11_000, 0.03);
    const sender = ldpc().sender(alice, 11_000, 0.022);
    const receiver = ldpc().receiver(bob, 11_000, 0.022);
    let request = receiver.receive(sender.first());
    while (request) request = receiver.receive(sender.answer(request));
    expect(receiver.failed).toBe(false);
    expect(receiver.key).toEqual(alice);
    expect(receiver.corrected).toBe(errors);
    expect(receiver.disclosed).toBe(sender.disclosed);
    extra += receiver.rounds - 1;
  }
  expect(extra).toBeGreaterThan(2);
});

test('a budget buys decoding in one round', () => {
  for (let run = 0; run < 20; run++) {
    const { alice, bob } = noisyPair(11_000, 0.02);
    const sender = ldpc().sender(alice, 11_000, 0.019, 6000);
    const receiver = ldpc().receiver(bob, 11_000, 0.019);
    expect(receiver.receive(sender.first())).toBeUndefined();
    expect(receiver.key).toEqual(alice);
  }
});

test('hopeless noise is a failure, not a wrong key', () => {
  const { alice, bob } = noisyPair(5000, 0.3);
  expect(ldpc().local(alice, bob, 0.02, 5000).ok).toBe(false);
});

test('the code is the same every time, keeps its column weights when rows are split, and has no repeated edge', () => {
  const code = buildCode(171, 30);
  expect(buildCode(171, 30)).toEqual(code);
  const split = splitRows(code, 7);
  expect(split.rows).toBe(37);
  expect([...split.edgeBit].sort()).toEqual([...code.edgeBit].sort());
  for (let row = 0; row < code.rows; row++) {
    const edges = code.edgeBit.slice(code.rowStart[row], code.rowStart[row + 1]);
    expect(new Set(edges).size).toBe(edges.length);
  }
  const bits = unpack(randomBits(171 * LIFT), 171 * LIFT);
  const [old, fresh] = [syndromeOf(code, bits), syndromeOf(split, bits)];
  for (let i = 0; i < 7 * LIFT; i++) expect((fresh[i] as number) ^ (fresh[30 * LIFT + i] as number)).toBe(old[i]);
});

test('malformed messages are refused and change nothing', () => {
  const { alice, bob } = noisyPair(2000, 0.02);
  const sender = ldpc().sender(alice, 2000, 0.02);
  const receiver = ldpc().receiver(bob, 2000, 0.02);
  const first = sender.first();
  for (const broken of [new Uint8Array(0), first.subarray(1), new Uint8Array(8 * 99)]) {
    expect(() => receiver.receive(broken)).toThrow(QsecError);
  }
  const { disclosed } = sender;
  for (const broken of [new Uint8Array(0), Uint8Array.of(0), Uint8Array.of(127), Uint8Array.of(1, 1)]) {
    expect(() => sender.answer(broken)).toThrow(QsecError);
  }
  expect(sender.disclosed).toBe(disclosed);
  let request = receiver.receive(first);
  while (request) request = receiver.receive(sender.answer(request));
  expect(receiver.key).toEqual(alice);
});
