import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QsecError } from '../../errors.ts';
import { setBit } from '../bits.ts';
import { randomBits } from '../random.ts';
import type { SimulatedChannelOptions, Transmission } from './index.ts';
import { decodeTransmission, drawClasses, encodeTransmission, interceptResend, simulatedChannel, weakCoherent } from './index.ts';

const send = (count: number, options: SimulatedChannelOptions): Transmission => {
  const channel = simulatedChannel(options);
  const pulses = { count, bits: randomBits(count), bases: randomBits(count) };
  return channel.transmit(channel.intensities ? { ...pulses, classes: drawClasses(channel.intensities, count) } : pulses);
};

/** Light that never arrives has no state worth comparing. */
const onlyLight = ({ count, states, detector }: Transmission): unknown => {
  if (!states) return { count, detector };
  const mask = (plane: Uint8Array): number[] => [...plane].map((byte, i) => byte & (states.present?.[i] ?? 255));
  return {
    count,
    detector,
    bits: mask(states.bits),
    bases: mask(states.bases),
    breidbart: states.breidbart && mask(states.breidbart),
    present: states.present && [...states.present],
    multi: states.multi && { positions: [...states.multi.positions], photons: [...states.multi.photons] },
  };
};

const anyChannel: fc.Arbitrary<SimulatedChannelOptions> = fc.record({
  loss: fc.constantFrom(0, 0.1, 0.5, 0.9, 0.99, 1),
  flip: fc.constantFrom(0, 0.02),
  efficiency: fc.constantFrom(1, 0.2),
  darkCount: fc.constantFrom(0, 1e-3),
  source: fc.constantFrom(undefined, weakCoherent()),
  eavesdropper: fc.constantFrom(undefined, interceptResend(0.5, { basis: 'breidbart' }), interceptResend(1)),
}) as fc.Arbitrary<SimulatedChannelOptions>;

describe('the encoding of a transmission', () => {
  it('gives back the light that was sent', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), anyChannel, (count, options) => {
        const sent = send(count, options);
        expect(onlyLight(decodeTransmission(encodeTransmission(sent), count))).toEqual(onlyLight(sent));
      }),
    );
  });

  it('takes 2 bits a pulse and 6 bytes for lossless single photons', () => {
    expect(encodeTransmission(send(32768, { flip: 0.015, eavesdropper: interceptResend(0.1) })).length).toBe(32768 / 4 + 6);
  });

  it('takes a few bytes for each photon when few arrive', () => {
    const sent = send(100_000, { loss: 0.999, seed: 1 });
    expect(encodeTransmission(sent).length).toBeLessThan(10 + 100 * 3);
  });

  it('says that a real fibre carried the light', () => {
    const sent = { count: 9, detector: { efficiency: 1, darkCount: 0 } };
    expect(decodeTransmission(encodeTransmission(sent), 9)).toEqual(sent);
  });

  it('refuses every truncation and every extension', () => {
    const bytes = encodeTransmission(
      send(100, { loss: 0.9, source: weakCoherent(), efficiency: 0.5, eavesdropper: interceptResend(1, { basis: 'breidbart' }) }),
    );
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeTransmission(bytes.subarray(0, length), 100)).toThrow(QsecError);
    }
    expect(() => decodeTransmission(Uint8Array.of(...bytes, 0), 100)).toThrow(QsecError);
  });

  // Twelve pulses, of which 1, 4 and 11 hold light, the last of them several photons.
  const bits = Uint8Array.of(0b01001000, 0b00010000);
  const bases = Uint8Array.of(0b01000000, 0b00010000);
  const breidbart = Uint8Array.of(0b00001000, 0);
  const present = Uint8Array.of(0b01001000, 0b00010000);
  const multi = { positions: Uint32Array.of(1, 11), photons: Uint8Array.of(2, 200) };
  const ideal = { efficiency: 1, darkCount: 0 };
  const head = (parts: number, count = 12): number[] => [1, parts, 0, 0, 0, count];

  it.each<[string, Transmission, number[]]>([
    ['a real fibre', { count: 12, detector: ideal }, head(0)],
    [
      'detectors with faults on a real fibre',
      { count: 12, detector: { efficiency: 0.5, darkCount: 0.25 } },
      [...head(1), 0x3f, 0xe0, 0, 0, 0, 0, 0, 0, 0x3f, 0xd0, 0, 0, 0, 0, 0, 0],
    ],
    ['every pulse', { count: 12, states: { bits, bases }, detector: ideal }, [...head(8), ...bits, ...bases]],
    [
      'pulses with light, their bits and bases alone',
      { count: 12, states: { bits, bases, present }, detector: ideal },
      [...head(10), ...present, 0b11100000, 0b10100000],
    ],
    [
      'states between the bases',
      { count: 12, states: { bits, bases, breidbart, present }, detector: ideal },
      [...head(26), ...present, 0b11100000, 0b10100000, 0b01000000],
    ],
    [
      'pulses of several photons by their gaps',
      { count: 12, states: { bits, bases, present, multi }, detector: ideal },
      [...head(42), ...present, 0b11100000, 0b10100000, 0, 0, 0, 2, 1, 2, 9, 200],
    ],
  ])('has known bytes: %s', (_, sent, bytes) => {
    expect([...encodeTransmission(sent)]).toEqual(bytes);
    expect(decodeTransmission(Uint8Array.from(bytes), 12)).toStrictEqual(sent);
  });

  it('tells few pulses by the gaps before them, where that takes fewer bytes than a bit a pulse', () => {
    const few = (count: number, ...positions: number[]): Transmission => {
      const plane = new Uint8Array(Math.ceil(count / 8));
      for (const position of positions) setBit(plane, position);
      return { count, states: { bits: plane, bases: new Uint8Array(plane.length), present: plane }, detector: ideal };
    };
    // Three bytes of gaps and four of their number, where the plane takes eight.
    const sparse = few(64, 2, 3, 63);
    expect([...encodeTransmission(sparse)]).toEqual([...head(12, 64), 0, 0, 0, 3, 2, 0, 59, 0b11100000, 0]);
    expect(decodeTransmission(encodeTransmission(sparse), 64)).toStrictEqual(sparse);
    // Where both take as much, the plane is sent.
    const [bound, { present: plane }] = [few(56, 2, 3, 55), few(56, 2, 3, 55).states as { present: Uint8Array }];
    expect([...encodeTransmission(bound)]).toEqual([...head(10, 56), ...plane, 0b11100000, 0]);
    // A gap of 128 and more takes two bytes.
    const far = few(240, 200);
    expect([...encodeTransmission(far)]).toEqual([...head(12, 240), 0, 0, 0, 1, 200, 1, 0b10000000, 0]);
    expect(decodeTransmission(encodeTransmission(far), 240)).toStrictEqual(far);
  });

  it.each<[string, number[]]>([
    ['parts that do not exist', head(64)],
    ['two ways to tell which pulses hold light', [...head(14), ...present, 0, 0, 0, 0, 0, 0]],
    ['which pulses hold light, and no light', [...head(2), ...present]],
    ['states between the bases, and no light', [...head(16), 0, 0]],
    ['pulses of several photons, and no light', [...head(32), 0, 0, 0, 0]],
    ['an efficiency above 1', [...head(1), 0x3f, 0xf0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['more entries than pulses', [...head(12), 0, 0, 0, 13, ...new Array(13).fill(0), 0, 0, 0, 0]],
    ['a position past the last pulse', [...head(12), 0, 0, 0, 1, 12, 0, 0]],
    ['several photons in an empty pulse', [...head(42), ...present, 0, 0, 0, 0, 0, 1, 0, 2]],
    ['one photon where several are', [...head(40), 0, 0, 0, 0, 0, 0, 0, 1, 0, 1]],
    ['a bit after the last pulse', [...head(8), 0, 1, 0, 0]],
  ])('refuses %s', (_, bytes) => {
    expect(() => decodeTransmission(Uint8Array.from(bytes), 12)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it('names both versions when it is of another one', () => {
    expect(() => decodeTransmission(Uint8Array.of(2, 0, 0, 0, 0, 12), 12)).toThrow(
      expect.objectContaining({ details: { version: { what: 'BB84 transmission', theirs: 2, ours: 1 } } }),
    );
  });

  it('refuses another number of pulses than was agreed on', () => {
    expect(() => decodeTransmission(encodeTransmission(send(100, {})), 101)).toThrow(QsecError);
  });

  it('refuses noise with a typed error, or reads it within bounds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.integer({ min: 0, max: 255 }), fc.boolean(), (noise, parts, plausible) => {
        const bytes = plausible ? Uint8Array.of(1, parts & 63, 0, 0, 0, 40, ...noise) : noise;
        try {
          const { count, states } = decodeTransmission(bytes, 40);
          expect(count).toBe(40);
          for (const plane of [states?.bits, states?.bases, states?.breidbart, states?.present])
            expect(plane?.length ?? 5).toBe(5);
          for (const position of states?.multi?.positions ?? []) expect(position).toBeLessThan(40);
        } catch (error) {
          expect(QsecError.is(error, 'INVALID_ARGUMENT')).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('allocates nothing for numbers that the message does not pay for', () => {
    // SPARSE and LIGHT, and 40 entries announced in a message that ends there.
    expect(() => decodeTransmission(Uint8Array.of(1, 12, 0, 0, 0, 40, 0xff, 0xff, 0xff, 0xff), 40)).toThrow('entries');
  });
});
