import { afterEach, describe, expect, it, vi } from 'vitest';
import { drawClasses, singlePhoton, weakCoherent } from './source.ts';
import type { PhysicsRandom } from './types.ts';

afterEach(() => vi.restoreAllMocks());

const saying = (...words: number[]): PhysicsRandom => {
  const left = [...words];
  return {
    next() {
      const word = left.shift();
      if (word === undefined) throw new Error('no word is left');
      return word;
    },
  };
};

/** The word at which a Poisson pulse of this mean has exactly `photons`: in the middle of their stretch, or at its first number. */
function wordFor(mean: number, photons: number, place: 'middle' | 'first' | 'last'): number {
  let [below, term] = [0, Math.exp(-mean)];
  for (let n = 0; n < photons; n++) {
    below += term;
    term *= mean / (n + 1);
  }
  if (place === 'first') return Math.ceil(below * 2 ** 32);
  return Math.floor((below + (place === 'middle' ? term / 2 : term)) * 2 ** 32);
}

describe('a source of single photons', () => {
  it('gives no pulse without light and none of several photons, and needs no luck', () => {
    expect(singlePhoton().emit(100, undefined as never, saying())).toEqual({});
  });
});

describe('a weak coherent source', () => {
  const intensities = [2, 0.5, 0];
  const source = weakCoherent({ intensities, probabilities: [0.5, 0.25, 0.25] });

  it.each(['first', 'middle', 'last'] as const)('draws the photons of a pulse by Poisson’s law (%s)', (place) => {
    const photons = [0, 1, 2, 3, 4, 5, 6, 7, 8, 3, 0];
    const classes = Uint8Array.from(photons, (_, i) => (i < 9 ? 0 : 1));
    const words = photons.map((n, i) => wordFor(intensities[classes[i] as number] as number, n, place));
    const { present, multi } = source.emit(photons.length, classes, saying(...words));
    expect([...(present as Uint8Array)]).toEqual([0b01111111, 0b11000000]);
    expect(multi).toEqual({
      positions: Uint32Array.of(2, 3, 4, 5, 6, 7, 8, 9),
      photons: Uint8Array.of(2, 3, 4, 5, 6, 7, 8, 3),
    });
  });

  it('sends no light in its vacuum, whatever the luck', () => {
    const { present, multi } = source.emit(2, Uint8Array.of(2, 2), saying(0, 0xffffffff));
    expect([[...(present as Uint8Array)], multi]).toEqual([[0], undefined]);
  });

  it('tells of no pulses of several photons where there are none', () => {
    const lit = source.emit(1, Uint8Array.of(1), saying(wordFor(0.5, 1, 'middle')));
    expect(lit).toEqual({ present: Uint8Array.of(0x80) });
  });

  it('gives a finite number of photons whatever the luck', () => {
    const { multi } = source.emit(1, Uint8Array.of(0), saying(0xffffffff));
    expect(multi?.photons[0]).toBeGreaterThan(12);
    expect(multi?.photons[0]).toBeLessThan(30);
  });

  it('has its intensities with their probabilities, and the setting of the documentation unless told', () => {
    expect(source.intensities).toEqual([
      { mean: 2, probability: 0.5 },
      { mean: 0.5, probability: 0.25 },
      { mean: 0, probability: 0.25 },
    ]);
    expect(weakCoherent().intensities).toEqual([
      { mean: 0.5, probability: 0.6 },
      { mean: 0.1, probability: 0.25 },
      { mean: 0.0002, probability: 0.15 },
    ]);
    expect(source.description).toBe('weak coherent pulses of mean 2 / 0.5 / 0');
  });

  it('takes 1 to 255 intensities', () => {
    const many = (count: number) => ({
      intensities: Array.from({ length: count }, (_, k) => (count - k) / 100),
      probabilities: new Array<number>(count).fill(1 / count),
    });
    expect(weakCoherent(many(1)).intensities).toHaveLength(1);
    expect(weakCoherent(many(255)).intensities).toHaveLength(255);
    for (const count of [0, 256]) expect(() => weakCoherent(many(count))).toThrow('"intensities"');
  });

  it('takes probabilities that miss 1 by no more than rounding does', () => {
    const missing = (by: number) => () => weakCoherent({ intensities: [0.5, 0.1], probabilities: [0.5, 0.5 - by] });
    expect(missing(1e-10)).not.toThrow();
    expect(missing(-1e-10)).not.toThrow();
    expect(missing(1e-8)).toThrow('"probabilities"');
    expect(missing(-1e-8)).toThrow('"probabilities"');
  });
});

describe('the intensity classes of pulses', () => {
  const classesOf = [0.5, 0.25, 0.25].map((probability, k) => ({ mean: 1 - k / 2, probability }));

  it('are drawn from the system’s generator, a word each, by their probabilities', () => {
    const words = [0, 0x7fffffff, 0x80000000, 0xbfffffff, 0xc0000000, 0xffffffff];
    vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
      (array as unknown as Uint32Array).set(words);
      return array;
    });
    expect([...drawClasses(classesOf, words.length)]).toEqual([0, 0, 1, 1, 2, 2]);
  });

  it('are drawn for every pulse of a long run', () => {
    let calls = 0;
    vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
      // Each call gives another class, so that every pulse tells which call it came of.
      (array as unknown as Uint32Array).fill([0, 0x80000000, 0xc0000000][calls++ % 3] as number);
      return array;
    });
    const classes = drawClasses(classesOf, 2 * 16_384 + 5);
    expect([0, 16_383, 16_384, 32_767, 32_768, 32_772].map((pulse) => classes[pulse])).toEqual([0, 0, 1, 1, 2, 2]);
    expect([classes.length, calls]).toEqual([2 * 16_384 + 5, 3]);
  });

  it('are none of no pulses', () => {
    expect(drawClasses(classesOf, 0)).toHaveLength(0);
  });
});
