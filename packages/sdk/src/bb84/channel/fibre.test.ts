import { describe, expect, it } from 'vitest';
import { pack } from '../bits.ts';
import { attenuate, fibreTransmittance, launch, misalign } from './fibre.ts';
import { fullPlane } from './plane.ts';
import type { PhysicsRandom, PulsesInFlight } from './types.ts';

const COUNT = 12;
const bits = pack([1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1, 1]);
const bases = pack([0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 0, 1]);
const present = pack([0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1]);

const [PASSES, STOPS] = [0, 0xffffffff];

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

const flying = (light: Partial<PulsesInFlight> = {}): PulsesInFlight => ({ ...launch(COUNT, bits, bases), ...light });
/** Planes of ones and of zeros, as one uniform word for the probability one half makes them. */
const [ALL, NONE] = [0xffffffff, 0];

describe('light in a fibre', () => {
  it('begins as what Alice prepared, in memory of its own', () => {
    const pulses = launch(COUNT, bits, bases);
    expect(pulses).toEqual({ count: COUNT, bits, bases, breidbart: undefined, present: undefined, multi: undefined });
    expect([pulses.bits.buffer, pulses.bases.buffer]).not.toContain(bits.buffer);
    pulses.bits[0] = 0;
    expect(bits[0]).toBe(0b10110010);
  });

  it('is what it was where nothing is lost', () => {
    const multi = { positions: Uint32Array.of(1), photons: Uint8Array.of(2) };
    for (const light of [{}, { present, multi }]) {
      const pulses = flying(light);
      attenuate(pulses, 1, saying());
      expect(pulses).toEqual(flying(light));
    }
  });

  it('is gone where everything is lost', () => {
    const pulses = flying({ present, multi: { positions: Uint32Array.of(1, 4), photons: Uint8Array.of(2, 9) } });
    attenuate(pulses, 0, saying(...new Array(11).fill(PASSES)));
    expect(pulses.present).toEqual(new Uint8Array(2));
    expect(pulses.multi).toBeUndefined();
  });

  it('arrives where there was some and it was not lost', () => {
    const all = flying();
    attenuate(all, 0.5, saying(ALL));
    expect(all.present).toEqual(fullPlane(COUNT));
    const some = flying({ present });
    attenuate(some, 0.5, saying(ALL));
    expect(some.present).toEqual(present);
    const lost = flying({ present });
    attenuate(lost, 0.5, saying(NONE));
    expect(lost.present).toEqual(new Uint8Array(2));
  });

  it('loses the photons of a pulse one by one', () => {
    const multi = { positions: Uint32Array.of(1, 4, 9, 11), photons: Uint8Array.of(2, 3, 2, 4) };
    const random = saying(
      NONE,
      ...[PASSES, STOPS],
      ...[PASSES, STOPS, PASSES],
      ...[STOPS, STOPS],
      ...[PASSES, PASSES, PASSES, PASSES],
    );
    const pulses = flying({ present, multi });
    attenuate(pulses, 0.5, random);
    // One photon of the first, two of the second, none of the third, all of the last.
    expect(pulses.present).toEqual(pack([0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]));
    expect(pulses.multi).toEqual({ positions: Uint32Array.of(4, 11), photons: Uint8Array.of(2, 4) });
    expect(random.left()).toBe(0);
  });

  it('holds no pulse of several photons where one at most is left of each', () => {
    const multi = { positions: Uint32Array.of(1, 4), photons: Uint8Array.of(2, 2) };
    const pulses = flying({ multi });
    attenuate(pulses, 0.5, saying(ALL, STOPS, STOPS, STOPS, PASSES));
    expect(pulses.multi).toBeUndefined();
    expect(pulses.present).toEqual(pack([1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]));
  });
});

describe('misalignment', () => {
  it('turns each state into its orthogonal one or not, and no basis', () => {
    const pulses = flying({ present });
    misalign(pulses, 0.5, saying(0x00000fc5));
    // The word as its bytes lie in memory: c5, then 0f, of which four bits are pulses.
    expect([...pulses.bits]).toEqual([0b10110010 ^ 0xc5, 0b10110000 ^ 0x00]);
    expect([pulses.bases, pulses.present]).toEqual([bases, present]);
    const all = flying();
    misalign(all, 0.5, saying(ALL));
    expect([...all.bits]).toEqual([0b01001101, 0b01000000]);
  });

  it('needs no luck where there is none', () => {
    const pulses = flying();
    misalign(pulses, 0, saying());
    expect(pulses.bits).toEqual(bits);
  });
});

describe('the transmittance of a fibre', () => {
  it.each([
    [0, 0.2, 1],
    [50, 0.2, 0.1],
    [100, 0.2, 0.01],
    [10, 0, 1],
    [10, 0.3, 0.5011872336],
  ])('of %d km at %d dB/km is %d', (km, dBPerKm, transmittance) => {
    expect(fibreTransmittance(km, dBPerKm)).toBeCloseTo(transmittance, 10);
  });
});
