import { describe, expect, it } from 'vitest';
import { pack } from '../bits.ts';
import { BREIDBART_ERROR, type InterceptBasis, interceptResend } from './intercept-resend.ts';
import { Xoshiro128 } from './physics-random.ts';
import { bernoulliPlane } from './plane.ts';
import type { Line, PhysicsRandom, PulsesInFlight } from './types.ts';

/* What is done with given luck. The error rates that come of it are in physics.test.ts. */

const COUNT = 40;
const bits = pack(Array.from({ length: COUNT }, (_, i) => ((i * 7) % 3) & 1));
const bases = pack(Array.from({ length: COUNT }, (_, i) => (i >> 1) & 1));
const ones = pack(new Array(COUNT).fill(1));
const zeros = new Uint8Array(5);
const line: Line = { transmittance: 0.5, detector: { efficiency: 1, darkCount: 0 } };

const flying = (light: Partial<PulsesInFlight> = {}): PulsesInFlight => ({
  count: COUNT,
  bits: bits.slice(),
  bases: bases.slice(),
  breidbart: undefined,
  present: undefined,
  multi: undefined,
  ...light,
});

/** Words for five bytes, and no others. */
function saying(...words: number[]): PhysicsRandom & { left(): number } {
  let at = 0;
  return {
    next() {
      const word = words[at++];
      if (word === undefined) throw new Error('no word is left');
      return word;
    },
    left: () => words.length - at,
  };
}

const each = (...planes: Uint8Array[]) => ({
  with: (f: (...bytes: number[]) => number): Uint8Array => zeros.map((_, i) => f(...planes.map((plane) => plane[i] as number))),
});

/** The bytes of two words as they lie in memory, as far as there are pulses. */
const plane = (first: number, second: number): Uint8Array => new Uint8Array(Uint32Array.of(first, second).buffer).subarray(0, 5);

const [a, b] = [0x9e3779b9, 0x7f4a7c15];
const [c, d] = [0xbf58476d, 0x1ce4e5b9];

describe('measuring everything', () => {
  it('in Z leaves a coin where the state was X, and Z everywhere', () => {
    const pulses = flying();
    const random = saying(a, b);
    interceptResend(1, { basis: 'z' }).attack(pulses, line, random);
    expect(pulses.bits).toEqual(each(bits, bases, plane(a, b)).with((bit, basis, coin) => bit ^ (coin & basis)));
    expect(pulses.bases).toEqual(zeros);
    expect([pulses.breidbart, random.left()]).toEqual([undefined, 0]);
  });

  it('in X leaves a coin where the state was Z, and X everywhere', () => {
    const pulses = flying();
    interceptResend(1, { basis: 'x' }).attack(pulses, line, saying(a, b));
    expect(pulses.bits).toEqual(each(bits, bases, plane(a, b)).with((bit, basis, coin) => bit ^ (coin & ~basis)));
    expect(pulses.bases).toEqual(ones);
  });

  it('in random bases leaves a coin where they are others, and those bases', () => {
    const pulses = flying();
    // For each word of pulses her bases, then the coins.
    interceptResend(1).attack(pulses, line, saying(a, c, b, d));
    const own = plane(a, b);
    expect(pulses.bases).toEqual(own);
    const coins = plane(c, d);
    expect(pulses.bits).toEqual(each(bits, bases, own, coins).with((bit, basis, hers, coin) => bit ^ (coin & (basis ^ hers))));
  });

  it('between the bases errs now and then, and leaves states between them', () => {
    const pulses = flying();
    interceptResend(1, { basis: 'breidbart' }).attack(pulses, line, new Xoshiro128(3));
    const mistakes = bernoulliPlane(COUNT, BREIDBART_ERROR, new Xoshiro128(3));
    expect(pulses.bits).toEqual(each(bits, mistakes).with((bit, mistake) => bit ^ mistake));
    expect([pulses.breidbart, pulses.bases]).toEqual([ones, zeros]);
  });

  it('between the bases reads states between them as they are', () => {
    const pulses = flying({ bases: zeros.slice(), breidbart: ones.slice() });
    interceptResend(1, { basis: 'breidbart' }).attack(pulses, line, new Xoshiro128(3));
    expect(pulses).toEqual(flying({ bases: zeros, breidbart: ones }));
  });

  it.each(['z', 'x'] as const)('in %s errs now and then on states between the bases, and tosses no coin', (basis) => {
    const half = pack(Array.from({ length: COUNT }, (_, i) => Number(i < 20)));
    const pulses = flying({ breidbart: half.slice() });
    interceptResend(1, { basis }).attack(pulses, line, new Xoshiro128(3));
    const luck = new Xoshiro128(3);
    const mistakes = bernoulliPlane(COUNT, BREIDBART_ERROR, luck);
    const coins = plane(luck.next(), luck.next());
    const other = basis === 'z' ? bases : bases.map((byte) => ~byte);
    expect(pulses.bits).toEqual(
      each(bits, half, mistakes, other, coins).with(
        (bit, between, mistake, conjugate, coin) => bit ^ ((mistake & between) | (coin & conjugate & ~between)),
      ),
    );
    expect([pulses.bases, pulses.breidbart]).toEqual([basis === 'z' ? zeros : ones, zeros]);
  });
});

describe('measuring a part', () => {
  it.each<InterceptBasis>(['z', 'x', 'random', 'breidbart'])('leaves the other pulses as they were (%s)', (basis) => {
    const luck = new Xoshiro128(5);
    const chosen = bernoulliPlane(COUNT, 0.5, luck);
    const half = pack(Array.from({ length: COUNT }, (_, i) => i & 1));
    for (const light of [{}, { breidbart: half }]) {
      const pulses = flying(structuredClone(light));
      interceptResend(0.5, { basis }).attack(pulses, line, new Xoshiro128(5));
      const rest = (of: Uint8Array | undefined) => each(of ?? zeros, chosen).with((byte, taken) => byte & ~taken);
      expect([pulses.bits, pulses.bases, pulses.breidbart].map(rest)).toEqual([
        rest(bits),
        rest(bases),
        rest((light as { breidbart?: Uint8Array }).breidbart),
      ]);
      // What she measured is in her basis.
      const taken = (of: Uint8Array | undefined) => each(of ?? zeros, chosen).with((byte, mask) => byte & mask);
      if (basis !== 'random') expect(taken(pulses.bases)).toEqual(basis === 'x' ? chosen : zeros);
      expect(taken(pulses.breidbart)).toEqual(basis === 'breidbart' ? chosen : zeros);
    }
  });

  it('of nothing changes nothing and needs no luck', () => {
    for (const basis of ['z', 'x', 'random'] as const) {
      const pulses = flying();
      expect(interceptResend(0, { basis }).attack(pulses, line, saying())).toBe(line);
      expect(pulses).toEqual(flying());
    }
  });
});

describe('the words for it', () => {
  it.each([
    [0.05, {}, 'intercept-resend on 5 % (random basis)'],
    [1, { basis: 'z' }, 'intercept-resend on 100 % (always Z)'],
    [0.125, { basis: 'x' }, 'intercept-resend on 12.5 % (always X)'],
    [0.4, { basis: 'breidbart' }, 'intercept-resend on 40 % (Breidbart basis)'],
  ] as const)('tell fraction and basis: %d, %j', (fraction, options, description) => {
    expect(interceptResend(fraction, options).description).toBe(description);
  });
});
