import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QsecError } from '../../errors.ts';
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
