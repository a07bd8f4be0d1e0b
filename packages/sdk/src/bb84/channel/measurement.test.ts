import { describe, expect, it } from 'vitest';
import { getBit, pack, unpack } from '../bits.ts';
import { measure } from './measurement.ts';
import { physicsRandom } from './physics-random.ts';
import { bernoulliPlane, newPlane } from './plane.ts';
import type { PhotonStates, Transmission } from './types.ts';

/* What the detectors must show whatever their luck. What they show by chance is in physics.test.ts. */

const COUNT = 13;
const bits = pack([0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 1]);
const bases = pack([0, 0, 1, 1, 0, 1, 0, 1, 0, 1, 1, 0, 0]);
const all = pack(new Array(COUNT).fill(1));
const none = new Uint8Array(2);
const present = pack([1, 0, 1, 1, 0, 0, 1, 1, 1, 0, 0, 1, 1]);

const landed = (states: Partial<PhotonStates>, efficiency = 1, darkCount = 0): Transmission => ({
  count: COUNT,
  states: { bits, bases, ...states },
  detector: { efficiency, darkCount },
});

const both = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((byte, i) => byte & (b[i] as number));

describe('ideal detectors', () => {
  it('read every photon that arrived in its own basis', () => {
    expect(measure(landed({}), bases)).toEqual({ count: COUNT, detected: all, bits, clicks: COUNT, doubleClicks: 0 });
    expect(measure(landed({ present }), bases)).toEqual({
      count: COUNT,
      detected: present,
      bits: both(bits, present),
      clicks: 8,
      doubleClicks: 0,
    });
  });

  it('read all photons of a pulse alike in its own basis', () => {
    const multi = { positions: Uint32Array.of(0, 1, 12), photons: Uint8Array.of(2, 255, 3) };
    expect(measure(landed({ multi }), bases)).toMatchObject({ detected: all, bits, clicks: COUNT, doubleClicks: 0 });
  });

  it('both click for many photons of the other basis, or of a state between the two', () => {
    const multi = { positions: Uint32Array.of(3, 12), photons: Uint8Array.of(255, 255) };
    const other = bases.map((byte) => byte ^ 0xff);
    for (const [states, chosen] of [
      [{ multi }, other],
      [{ multi, breidbart: all }, bases],
    ] as const) {
      for (let seed = 0; seed < 8; seed++) {
        const seen = measure(landed(states), chosen, { seed });
        expect(seen).toMatchObject({ detected: all, clicks: COUNT, doubleClicks: 2 });
      }
    }
  });

  it('give a coin when both click', () => {
    const multi = { positions: Uint32Array.of(3), photons: Uint8Array.of(255) };
    const read = (seed: number): number | undefined =>
      unpack(measure(landed({ multi, breidbart: all }), bases, { seed }).bits, COUNT)[3];
    expect(new Set(Array.from({ length: 32 }, (_, seed) => read(seed)))).toEqual(new Set([0, 1]));
  });
});

describe('detectors that see no light', () => {
  const multi = { positions: Uint32Array.of(0, 4), photons: Uint8Array.of(2, 9) };

  it.each<[string, Partial<PhotonStates>, number]>([
    ['because none arrived', { present: none }, 1],
    ['because they are blind', {}, 0],
    ['because they are blind to several photons too', { multi }, 0],
  ])('%s read 0 everywhere and click nowhere', (_, states, efficiency) => {
    expect(measure(landed(states, efficiency), bases)).toEqual({
      count: COUNT,
      detected: none,
      bits: none,
      clicks: 0,
      doubleClicks: 0,
    });
  });

  it.each([1, 0.5])('click for no pulse that did not arrive, at an efficiency of %d', (efficiency) => {
    for (let seed = 0; seed < 16; seed++) {
      const { detected } = measure(landed({ present }, efficiency), bases, { seed });
      expect(both(detected, present)).toEqual(detected);
    }
  });
});

describe('dark counts', () => {
  it('in both detectors at every pulse make both click, up to the last pulse', () => {
    for (const states of [{}, { present: none }, { present }]) {
      expect(measure(landed(states, 1, 1), bases)).toMatchObject({ detected: all, clicks: COUNT, doubleClicks: COUNT });
    }
  });

  it.each([0.01, 0.3])('with probability %d join the light in each detector by itself', (darkCount) => {
    const count = 4001;
    const light = bernoulliPlane(count, 0.5, physicsRandom(1));
    const sent = bernoulliPlane(count, 0.5, physicsRandom(2));
    const states = { bits: sent, bases: newPlane(count), present: light };
    const seen = measure({ count, states, detector: { efficiency: 1, darkCount } }, newPlane(count), { seed: 3 });

    // The same luck again: a word of coins for each 32 pulses, then the dark counts of the detector of 0, then of that of 1.
    const luck = physicsRandom(3);
    for (let i = 0; i < Math.ceil(count / 32); i++) luck.next();
    const dark = [bernoulliPlane(count, darkCount, luck), bernoulliPlane(count, darkCount, luck)] as const;
    let [clicks, doubleClicks] = [0, 0];
    for (let i = 0; i < count; i++) {
      const zero = (getBit(light, i) & (1 - getBit(sent, i))) | getBit(dark[0], i);
      const one = (getBit(light, i) & getBit(sent, i)) | getBit(dark[1], i);
      clicks += zero | one;
      doubleClicks += zero & one;
      expect(getBit(seen.detected, i)).toBe(zero | one);
      if ((zero & one) === 0) expect(getBit(seen.bits, i)).toBe(one);
    }
    expect(seen).toMatchObject({ count, clicks, doubleClicks });
    expect(doubleClicks).toBeGreaterThan(0);
  });
});
