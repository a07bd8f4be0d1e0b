import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkedLimits } from './checked-limits.ts';

const SENSIBLE = { frameBytes: 65_536, inFlightFrames: 64, inFlightBytes: 1_048_576, retentionMs: 3_600_000 };
const MINUTES = 60_000;

describe('the limits a relay announces', () => {
  it('hold where they are sensible', () => {
    const blobs = { roomBytes: 2 ** 28, retentionMs: 86_400_000, inFlight: 8 };
    expect(checkedLimits(SENSIBLE)).toEqual(SENSIBLE);
    expect(checkedLimits({ ...SENSIBLE, blobs })).toEqual({ ...SENSIBLE, blobs });
  });

  it.each([1, 0, -1, Number.NaN, Number.NEGATIVE_INFINITY, '600000', '1', null, undefined, {}, [], 5 * MINUTES])(
    'never shorten how long a client repeats what is not confirmed (%j)',
    (retentionMs) => {
      expect(checkedLimits({ ...SENSIBLE, retentionMs }).retentionMs).toBe(10 * MINUTES);
    },
  );

  it.each([1e300, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER])('never make a client wait for ever (%j)', (retentionMs) => {
    expect(checkedLimits({ ...SENSIBLE, retentionMs }).retentionMs).toBe(24 * 24 * 60 * MINUTES);
  });

  it('of nonsense are what is usual', () => {
    const usual = { frameBytes: 262_144, inFlightFrames: 64, inFlightBytes: 1_048_576, retentionMs: 600_000 };
    for (const nothing of [undefined, null, 7, 'limits', {}, []]) expect(checkedLimits(nothing)).toEqual(usual);
    expect(checkedLimits({ blobs: 'all' })).toEqual({
      ...usual,
      blobs: { roomBytes: 2 ** 30, retentionMs: 86_400_000, inFlight: 16 },
    });
  });

  it('let frames through, whatever they are', () => {
    fc.assert(
      fc.property(
        fc.anything(),
        fc.anything(),
        fc.anything(),
        fc.anything(),
        (frameBytes, inFlightFrames, inFlightBytes, blobs) => {
          const limits = checkedLimits({ frameBytes, inFlightFrames, inFlightBytes, blobs });
          for (const limit of [limits.frameBytes, limits.inFlightFrames, limits.inFlightBytes, limits.retentionMs]) {
            expect(Number.isSafeInteger(limit) && limit > 0).toBe(true);
          }
          expect(limits.inFlightBytes).toBeGreaterThanOrEqual(limits.frameBytes);
          if (limits.blobs) expect(limits.blobs.inFlight).toBeGreaterThan(0);
        },
      ),
    );
  });
});
