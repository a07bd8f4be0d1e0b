import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { clearTail, flipBit, getBit, toWords } from '../bits.ts';
import { Xoshiro128 } from '../channel/physics-random.ts';
import { cascade } from './cascade.ts';
import { blockParities, frameFor, maskedParity, maskWords, nodeParity } from './cascade-frame.ts';
import { ldpc } from './ldpc.ts';
import { buildCode } from './ldpc-code.ts';
import { placeOf, shuffle } from './shuffle.ts';
import type { Reconciler } from './types.ts';

/*
 * What both sides derive alike and never send: orders, masks and codes. Two versions of this engine that derive them differently
 * cannot agree on a key, so a change here needs another name of the method.
 */

const key = (bits: number, random: Xoshiro128): Uint8Array =>
  clearTail(
    Uint8Array.from({ length: Math.ceil(bits / 8) }, () => random.next() >>> 24),
    bits,
  );

/** Two keys that are always the same and differ in each bit with probability `qber`. */
function noisyPair(bits: number, qber: number): { alice: Uint8Array; bob: Uint8Array; errors: number } {
  const random = new Xoshiro128(5);
  const alice = key(bits, random);
  const bob = alice.slice();
  let errors = 0;
  for (let i = 0; i < bits; i++) {
    if (random.next() >= qber * 2 ** 32) continue;
    flipBit(bob, i);
    errors++;
  }
  return { alice, bob, errors };
}

describe('what both sides of Cascade derive', () => {
  it.each<[number, 0 | 1 | 2, number[]]>([
    [1024, 0, [420, 831, 787, 426, 464, 676]],
    [1024, 1, [121, 670, 997, 119, 460, 303]],
    [1024, 2, [702, 922, 462, 557, 680, 516]],
    [65_536, 0, [54_492, 53_596, 27_058, 13_848, 15_259, 1557]],
    [65_536, 1, [25_542, 19_333, 42_878, 46_859, 50_658, 11_420]],
    [65_536, 2, [45_302, 6376, 29_922, 1964, 52_034, 49_426]],
  ])('has known orders: %d bits, order %d', (size, index, places) => {
    const order = shuffle(size, index);
    expect([0, 1, 31, 32, 777, size - 1].map((bit) => placeOf(bit, order))).toEqual(places);
  });

  it.each([
    ['a single bit', 1, 0, 'efficient', { size: 1024, blocks: [1024, 1024, 1024], tops: [1, 1, 1], opening: 19 }],
    ['a whole frame', 1024, 0.02, 'efficient', { size: 1024, blocks: [32, 128, 1024], tops: [32, 8, 1], opening: 57 }],
    ['no errors', 3000, 0, 'balanced', { size: 4096, blocks: [4096, 4096, 4096, 4096], tops: [1, 1, 1, 1], opening: 20 }],
    [
      'a padded frame',
      11_301,
      0.03,
      'balanced',
      { size: 16_384, blocks: [32, 64, 256, 2048], tops: [354, 256, 64, 8], opening: 698 },
    ],
    ['many errors', 20_000, 0.25, 'efficient', { size: 32_768, blocks: [4, 16, 128], tops: [5000, 2048, 256], opening: 7320 }],
    ['no sense', 20_000, 0.5, 'efficient', { size: 32_768, blocks: [4, 16, 128], tops: [5000, 2048, 256], opening: 7320 }],
  ] as const)('has known frames: %s', (_, bits, qber, schedule, expected) => {
    const { orders, ...frame } = frameFor(bits, qber, schedule);
    expect(frame).toEqual({ bits, ...expected });
    expect(orders).toEqual(expected.blocks.map((_, pass) => (pass === 0 ? undefined : shuffle(expected.size, (pass - 1) as 0))));
  });

  it('has known masks, of which a longer one begins with the shorter', () => {
    expect([...maskWords(0, 2)].slice(0, 2)).toEqual([0x73a424bc, 0xe8c3b396]);
    expect([...maskWords(1, 2)].slice(0, 2)).toEqual([0x6c243731, 0x199d6a8f]);
    expect([...maskWords(15, 2)].slice(0, 2)).toEqual([0x85fae06e, 0x3329f989]);
    const short = [...maskWords(0, 7)].slice(0, 7);
    expect([...maskWords(0, 70)].slice(0, 7)).toEqual(short);
    expect(maskWords(0, 70).length).toBeGreaterThanOrEqual(70);
    expect(maskWords(0, 7)).toBe(maskWords(0, 70));
  });
});

describe('a parity', () => {
  const size = 1024;
  const bits = key(size, new Xoshiro128(9));
  const mask = key(size, new Xoshiro128(10));
  const [words, maskOf] = [toWords(bits), toWords(mask)];
  const sum = (start: number, length: number, of = (bit: number): number => getBit(bits, bit)): number => {
    let odd = 0;
    for (let bit = start; bit < start + length; bit++) odd ^= of(bit);
    return odd;
  };

  it('of every node of a pass is the sum of its bits, under a mask of those that it lets through', () => {
    for (let length = size, node = 1; length >= 1; length /= 2) {
      for (let start = 0; start < size; start += length, node++) {
        expect(nodeParity(words, size, node), `node ${node}`).toBe(sum(start, length));
        const masked = (bit: number): number => getBit(bits, bit) & getBit(mask, bit);
        expect(maskedParity(words, maskOf, size, node), `node ${node}`).toBe(sum(start, length, masked));
      }
    }
  });

  it.each([1, 2, 8, 16, 32, 64, 256, 1024])('of every block of %d bits is the sum of its bits', (length) => {
    const count = size / length;
    const out = new Uint8Array(count + 4).fill(9);
    expect(blockParities(words, length, count, out, 2)).toBe(count + 2);
    const sums = Array.from({ length: count }, (_, block) => sum(block * length, length));
    expect([...out]).toEqual([9, 9, ...sums, 9, 9]);
    const some = new Uint8Array(count);
    expect(blockParities(words, length, count >>> 1, some, 0)).toBe(count >>> 1);
    expect([...some]).toEqual(sums.map((odd, block) => (block < count >>> 1 ? odd : 0)));
  });
});

describe('a single error', () => {
  // 1024 bits at 2 %: blocks of 32, 128 and 1024, and 57 parities in the opening message.
  const alice = key(1024, new Xoshiro128(11));
  const everywhere = Array.from({ length: 1024 }, (_, bit) => bit);

  it('is found by halving its first block, wherever it is: five parities in five rounds', () => {
    for (const bit of everywhere) {
      const bob = alice.slice();
      flipBit(bob, bit);
      const { corrected, ...told } = cascade().local(alice, bob, 0.02);
      expect(corrected).toEqual(alice);
      expect(told).toEqual({ disclosed: 57 + 5, rounds: 6, ok: true });
    }
  });

  it('costs twice as much where its position counts as given away too', () => {
    const bob = alice.slice();
    flipBit(bob, 513);
    expect(cascade({ leak: 'two-way' }).local(alice, bob, 0.02)).toMatchObject({ disclosed: 2 * (57 + 5), rounds: 6 });
  });

  it('costs nothing beyond the opening message where there is none', () => {
    expect(cascade().local(alice, alice.slice(), 0.02)).toEqual({ corrected: alice, disclosed: 57, rounds: 1, ok: true });
  });

  it('is found in every bit of a code too, with the first syndrome', () => {
    for (const bit of [0, 1, 63, 64, 500, 1022, 1023]) {
      const bob = alice.slice();
      flipBit(bob, bit);
      expect(ldpc().local(alice, bob, 0.002)).toMatchObject({ corrected: alice, rounds: 1, ok: true });
    }
  });
});

describe('the codes that both sides build', () => {
  it.each([
    [171, 30, 'aa17fddd2480b1186dda5eae4021fd4f', 948],
    [20, 5, '5be54dbd3e878ccb77637bef1348cbdd', 64],
    [40, 30, '451a378bfbc6a1c0a241d84c01d382ea', 168],
    [5, 4, 'a4278ea3afc5ad3ce64d2e173838f51c', 13],
  ])('are known: %d columns, %d rows', (columns, rows, digest, edges) => {
    const { rowStart, edgeBit, edgeShift } = buildCode(columns, rows);
    expect(edgeBit).toHaveLength(edges);
    const hash = createHash('sha256');
    for (const table of [rowStart, edgeBit, edgeShift]) hash.update(new Uint8Array(table.buffer));
    expect(hash.digest('hex').slice(0, 32)).toBe(digest);
  });
});

describe('known keys', () => {
  it.each<[string, Reconciler, number, number, number, { disclosed: number; rounds: number }]>([
    ['Cascade', cascade(), 9000, 0.03, 0.03, { disclosed: 1945, rounds: 57 }],
    ['Cascade in fewer rounds', cascade({ schedule: 'balanced' }), 9000, 0.03, 0.03, { disclosed: 2059, rounds: 42 }],
    ['a code', ldpc(), 9000, 0.03, 0.03, { disclosed: 2112, rounds: 1 }],
    ['a code that is too short at first', ldpc(), 9000, 0.03, 0.022, { disclosed: 2240, rounds: 3 }],
    ['a short code', ldpc(), 2000, 0.05, 0.05, { disclosed: 768, rounds: 1 }],
  ])('are made equal by %s at a known cost', (_, reconciler, bits, qber, estimate, cost) => {
    const { alice, bob, errors } = noisyPair(bits, qber);
    expect(errors).toBe({ 9000: 261, 2000: 91 }[bits]);
    expect(reconciler.local(alice, bob, estimate, bits)).toEqual({ corrected: alice, ok: true, ...cost });
    // And alike over messages, on both sides.
    const [sender, receiver] = [reconciler.sender(alice, bits, estimate), reconciler.receiver(bob, bits, estimate)];
    let request = receiver.receive(sender.first());
    while (request) request = receiver.receive(sender.answer(request));
    expect(receiver).toMatchObject({ key: alice, failed: false, corrected: errors, ...cost });
    expect(sender.disclosed).toBe(cost.disclosed);
  });
});
