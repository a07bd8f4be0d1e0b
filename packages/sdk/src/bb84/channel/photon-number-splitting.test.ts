import { describe, expect, it } from 'vitest';
import { pack } from '../bits.ts';
import { photonNumberSplitting } from './photon-number-splitting.ts';
import { Xoshiro128 } from './physics-random.ts';
import { countOnes } from './plane.ts';
import type { Line, PulsesInFlight } from './types.ts';

const COUNT = 12;

const flying = (light: Partial<PulsesInFlight> = {}): PulsesInFlight => ({
  count: COUNT,
  bits: pack([1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1, 1]),
  bases: pack([0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 0, 1]),
  breidbart: undefined,
  present: undefined,
  multi: undefined,
  ...light,
});

const several = () => ({ positions: Uint32Array.of(1, 4, 9), photons: Uint8Array.of(2, 3, 5) });
const present = pack([0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1]);
const all = pack(new Array(COUNT).fill(1));

const line = (transmittance: number, efficiency = 1): Line => ({ transmittance, detector: { efficiency, darkCount: 0.25 } });

function split(pulses: PulsesInFlight, fibre: Line, seed = 1): PulsesInFlight & { rest: Line } {
  const rest = photonNumberSplitting().attack(pulses, fibre, new Xoshiro128(seed));
  return { ...pulses, rest };
}

describe('photon-number splitting', () => {
  it('puts a lossless fibre in the place of any other, before the same detectors', () => {
    expect(split(flying(), line(0.3, 0.5)).rest).toEqual({ transmittance: 1, detector: { efficiency: 0.5, darkCount: 0.25 } });
  });

  it('touches no bit and no basis', () => {
    const { bits, bases, breidbart } = split(flying({ present, multi: several() }), line(0.5));
    expect({ bits, bases, breidbart }).toEqual({ bits: flying().bits, bases: flying().bases, breidbart: undefined });
  });

  it('keeps a photon of every pulse of several, and lets all pass, where the fibre loses nothing', () => {
    for (const [light, expected] of [
      [{}, all],
      [{ present }, present],
    ] as const) {
      const sent = split(flying({ ...light, multi: several() }), line(1));
      expect(sent.present).toEqual(expected);
      // The pulse of two has one photon left, which is no pulse of several.
      expect(sent.multi).toEqual({ positions: Uint32Array.of(4, 9), photons: Uint8Array.of(2, 4) });
    }
  });

  it('lets pulses of one photon be where the fibre loses nothing', () => {
    expect(split(flying(), line(1)).present).toBeUndefined();
    expect(split(flying({ present }), line(1)).present).toEqual(present);
  });

  it('keeps its photons where Bob sees nothing anyway', () => {
    const sent = split(flying({ multi: several() }), line(0.5, 0));
    expect(sent.multi).toEqual({ positions: Uint32Array.of(4, 9), photons: Uint8Array.of(2, 4) });
  });

  it('can do with pulses of several photons alone', () => {
    const multi = { positions: Uint32Array.of(2, 7), photons: Uint8Array.of(2, 2) };
    const light = pack([0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
    const sent = split(flying({ present: light, multi }), line(1));
    expect(sent.present).toEqual(light);
    expect(sent.multi).toBeUndefined();
  });

  it('leaves no pulse of several where each held two', () => {
    const pairs = { positions: Uint32Array.of(0, 11), photons: Uint8Array.of(2, 2) };
    expect(split(flying({ multi: pairs }), line(1)).multi).toBeUndefined();
  });

  it('stops everything where nothing would have arrived', () => {
    for (const light of [{}, { multi: several() }, { present, multi: several() }]) {
      const sent = split(flying(light), line(0));
      expect(countOnes(sent.present as Uint8Array)).toBe(0);
      expect(sent.multi).toBeUndefined();
    }
  });

  it('stops single photons and lets all others through where those just make up for the loss', () => {
    // Nine single photons and three pulses of 2, 3 and 5 at η: 9η + 3 − (1 − η)² − (1 − η)³ − (1 − η)⁵ = 3 detections.
    let [low, high] = [0, 1];
    for (let i = 0; i < 60; i++) {
      const eta = (low + high) / 2;
      const wanted = 9 * eta + 3 - (1 - eta) ** 2 - (1 - eta) ** 3 - (1 - eta) ** 5;
      if (wanted < 3) low = eta;
      else high = eta;
    }
    for (let seed = 0; seed < 20; seed++) {
      const sent = split(flying({ multi: several() }), line(low), seed);
      expect(sent.present).toEqual(pack([0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0]));
    }
  });

  it.each([
    ['less light than her pulses of several would make', 0.001],
    ['a little less', 0.25],
    ['a little more', 0.3],
    ['much more', 0.6],
  ])('leaves the expected number of detections as it was where Bob sees %s', (_, eta) => {
    // Every fourth pulse holds three photons; the detectors see a photon in two.
    const count = 1 << 16;
    const efficiency = 0.5;
    const positions = Uint32Array.from({ length: count / 4 }, (_, j) => 4 * j);
    const pulses = {
      ...flying({ multi: { positions, photons: new Uint8Array(positions.length).fill(3) } }),
      count,
      bits: new Uint8Array(count / 8),
      bases: new Uint8Array(count / 8),
    };
    const sent = split(pulses, line(eta, efficiency), 3);
    const pairs = sent.multi?.positions.length ?? 0;
    const singles = countOnes(sent.present as Uint8Array) - pairs;
    const after = singles * efficiency + pairs * (1 - (1 - efficiency) ** 2);
    const before = count * (0.75 * eta * efficiency + 0.25 * (1 - (1 - eta * efficiency) ** 3));
    expect(Math.abs(after - before)).toBeLessThan(5 * Math.sqrt(before));
    // Single photons are stopped before any pulse of several is.
    if (eta < 0.27) expect(singles).toBe(0);
    else expect(pairs).toBe(positions.length);
  });
});
