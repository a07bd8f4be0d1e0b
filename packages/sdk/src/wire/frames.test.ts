import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QsecError } from '../errors.ts';
import { type Batch, decodeBatch, decodePushes, encodeBatch, encodePushes, type Push } from './frames.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const seats = fc.option(fc.array(bytes(16), { minLength: 1, maxLength: 16 }), { nil: undefined });
const body = fc.uint8Array({ maxLength: 200 });

const push = fc
  .record({ cid: bytes(16), to: seats, transient: fc.boolean(), body })
  .map(({ to, ...rest }): Push => ({ ...rest, ...(to && { to }) }));

const plain = (value: unknown) => JSON.parse(JSON.stringify(value, (_, v) => (v instanceof Uint8Array ? [...v] : v)));

describe('push layout', () => {
  it('returns what was written', () => {
    fc.assert(
      fc.property(fc.array(push, { minLength: 1, maxLength: 8 }), (pushes) => {
        expect(plain(decodePushes(encodePushes(pushes)))).toEqual(plain(pushes));
      }),
    );
  });

  it('refuses a body above the limit', () => {
    const encoded = encodePushes([{ cid: new Uint8Array(16), body: new Uint8Array(11) }]);
    expect(() => decodePushes(encoded, 10)).toThrow(QsecError);
  });

  it('answers any bytes with pushes or a typed error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (input) => {
        try {
          expect(decodePushes(input).length).toBeGreaterThan(0);
        } catch (error) {
          expect(QsecError.is(error, 'INVALID_ARGUMENT')).toBe(true);
        }
      }),
    );
  });
});

describe('batch layout', () => {
  const batch = fc
    .tuple(fc.nat(2 ** 40), fc.array(fc.record({ push, from: bytes(16), time: fc.nat(2 ** 45) }), { maxLength: 8 }))
    .map(([start, items]): Batch => {
      let seq = start;
      const deliveries = items.map(({ push: { cid, to, transient, body }, from, time }) => ({
        seq: transient ? 0 : ++seq,
        time,
        from: new Uint8Array(from),
        cid: new Uint8Array(cid),
        ...(to && { to: to.map((seat) => new Uint8Array(seat)) }),
        transient: transient === true,
        body: new Uint8Array(body),
      }));
      return { from: start + 1, to: seq, deliveries };
    });

  it('returns what was written', () => {
    fc.assert(
      fc.property(batch, (value) => {
        expect(plain(decodeBatch(encodeBatch(value)))).toEqual(plain(value));
      }),
    );
  });

  it('refuses a frame outside the range it announces', () => {
    const delivery = {
      seq: 9,
      time: 0,
      from: new Uint8Array(16),
      cid: new Uint8Array(16),
      transient: false,
      body: new Uint8Array(0),
    };
    expect(() => decodeBatch(encodeBatch({ from: 1, to: 8, deliveries: [delivery] }))).toThrow(QsecError);
  });
});
