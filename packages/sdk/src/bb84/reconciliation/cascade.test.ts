import fc from 'fast-check';
import { expect, test } from 'vitest';
import { QsecError } from '../../errors.ts';
import { flipBit, fromWords, getBit, hammingDistance, toWords } from '../bits.ts';
import { physicsRandom } from '../channel/physics-random.ts';
import { binaryEntropy } from '../finite-key.ts';
import { randomBits } from '../random.ts';
import { cascade } from './cascade.ts';
import { frameFor } from './cascade-frame.ts';
import { applyShuffle, bitAt, placeOf, shuffle } from './shuffle.ts';
import type { Reconciler } from './types.ts';

const random = physicsRandom(11);

function noisyPair(bits: number, qber: number): { alice: Uint8Array; bob: Uint8Array; errors: number } {
  const alice = randomBits(bits);
  const bob = alice.slice();
  for (let i = 0; i < bits; i++) if (random.next() < qber * 2 ** 32) flipBit(bob, i);
  return { alice, bob, errors: hammingDistance(alice, bob) };
}

/** Runs both sides over encoded messages. */
function overMessages(reconciler: Reconciler, alice: Uint8Array, bob: Uint8Array, bits: number, qber: number) {
  const sender = reconciler.sender(alice, bits, qber);
  const receiver = reconciler.receiver(bob, bits, qber);
  let request = receiver.receive(sender.first());
  while (request) request = receiver.receive(sender.answer(request));
  return { sender, receiver };
}

test('keys of any size and noise are made equal', () => {
  for (const schedule of ['efficient', 'balanced'] as const) {
    for (const bits of [1, 40, 1000, 1024, 4096, 11_301, 20_000]) {
      for (const qber of [0, 0.001, 0.02, 0.05, 0.11]) {
        const { alice, bob, errors } = noisyPair(bits, qber);
        const { corrected, ok } = cascade({ schedule }).local(alice, bob, qber, bits);
        expect(ok).toBe(true);
        if (bits >= 1000 || errors === 0) expect(corrected).toEqual(alice);
      }
    }
  }
});

test('messages give the same result and the same counts as a local run', () => {
  for (const schedule of ['efficient', 'balanced'] as const) {
    const { alice, bob, errors } = noisyPair(9000, 0.03);
    const reconciler = cascade({ schedule });
    const { sender, receiver } = overMessages(reconciler, alice, bob, 9000, 0.03);
    const local = reconciler.local(alice, bob, 0.03, 9000);
    expect(receiver.key).toEqual(alice);
    expect(receiver.corrected).toBe(errors);
    expect(sender.disclosed).toBe(receiver.disclosed);
    expect(local).toMatchObject({ disclosed: receiver.disclosed, rounds: receiver.rounds });
  }
});

test('two-way accounting counts both sides’ parities', () => {
  const { alice, bob } = noisyPair(5000, 0.02);
  const one = cascade().local(alice, bob, 0.02, 5000);
  const two = cascade({ leak: 'two-way' }).local(alice, bob, 0.02, 5000);
  expect(two.disclosed).toBe(2 * one.disclosed);
});

test('it gives away within a few per cent of what Shannon asks for', () => {
  for (const [schedule, limit, most] of [
    ['efficient', 1.1, 160],
    ['balanced', 1.16, 80],
  ] as const) {
    let disclosed = 0;
    let rounds = 0;
    for (let run = 0; run < 8; run++) {
      const { alice, bob } = noisyPair(32_768, 0.02);
      const result = cascade({ schedule }).local(alice, bob, 0.02);
      expect(result.corrected).toEqual(alice);
      disclosed += result.disclosed;
      rounds += result.rounds;
    }
    expect(disclosed / (8 * 32_768 * binaryEntropy(0.02))).toBeLessThan(limit);
    expect(rounds / 8).toBeLessThan(most);
  }
});

test('a wrong estimate costs bits, not correctness', () => {
  const { alice, bob } = noisyPair(8192, 0.06);
  for (const qber of [0.001, 0.02, 0.25]) expect(cascade().local(alice, bob, qber).corrected).toEqual(alice);
});

test('no frame in two thousand keeps an error', () => {
  let wrong = 0;
  for (let run = 0; run < 2000; run++) {
    const { alice, bob } = noisyPair(4096, 0.03);
    wrong += hammingDistance(cascade().local(alice, bob, 0.03).corrected, alice);
  }
  expect(wrong).toBe(0);
});

test('a shuffle is a bijection and its two directions are inverse', () => {
  for (const size of [1024, 4096, 65_536]) {
    for (const index of [0, 1, 2] as const) {
      const order = shuffle(size, index);
      const positions = Uint32Array.from({ length: size }, (_, bit) => bit);
      const places = positions.map((bit) => placeOf(bit, order));
      expect(new Set(places).size).toBe(size);
      expect(
        hammingDistance(new Uint8Array(places.map((place) => bitAt(place, order)).buffer), new Uint8Array(positions.buffer)),
      ).toBe(0);
      const key = randomBits(size);
      const shuffled = fromWords(applyShuffle(toWords(key), order), size);
      expect(places.every((place, bit) => getBit(shuffled, place) === getBit(key, bit))).toBe(true);
    }
  }
});

test('neighbours are scattered: few pairs of a first block meet again in a second', () => {
  const { size, blocks, orders } = frameFor(65_536, 0.02, 'efficient');
  let meetings = 0;
  let pairs = 0;
  for (let start = 0; start < size; start += blocks[0] as number) {
    const places = Array.from({ length: blocks[0] as number }, (_, i) => {
      const place = placeOf(start + i, orders[1] as NonNullable<(typeof orders)[1]>);
      return Math.floor(place / (blocks[1] as number));
    });
    pairs += (places.length * (places.length - 1)) / 2;
    meetings += places.length - new Set(places).size;
  }
  // A random permutation would let a fraction of blocks[1] / size of the pairs meet.
  expect(meetings / pairs).toBeLessThan((2 * (blocks[1] as number)) / size);
});

test('malformed messages are refused with a typed error', () => {
  const { alice, bob } = noisyPair(2000, 0.05);
  const sender = cascade().sender(alice, 2000, 0.05);
  const receiver = cascade().receiver(bob, 2000, 0.05);
  const first = sender.first();
  expect(() => receiver.receive(first.subarray(1))).toThrow(QsecError);
  const request = receiver.receive(first) as Uint8Array;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        sender.answer(bytes);
      } catch (error) {
        expect(QsecError.is(error, 'INVALID_ARGUMENT')).toBe(true);
      }
    }),
  );
  const answer = sender.answer(request);
  expect(() => receiver.receive(new Uint8Array([...answer, 0]))).toThrow(QsecError);
  let next = receiver.receive(answer);
  while (next) next = receiver.receive(sender.answer(next));
  expect(receiver.key).toEqual(alice);
});

test('lying answers end the run instead of going on for ever', () => {
  const { alice, bob } = noisyPair(2000, 0.05);
  const sender = cascade().sender(alice, 2000, 0.05);
  const receiver = cascade().receiver(bob, 2000, 0.05);
  let request = receiver.receive(sender.first());
  let rounds = 0;
  while (request) {
    request = receiver.receive(sender.answer(request).map((byte) => byte ^ (rounds & 1 ? 0x80 : 0)));
    rounds++;
    expect(rounds).toBeLessThan(6000);
  }
});
