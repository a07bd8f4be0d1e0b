import fc from 'fast-check';
import { expect, test } from 'vitest';
import { QsecError } from '../errors.ts';
import { expandSeed } from './chacha.ts';
import { Reader, Writer } from './codec.ts';
import { packDigits, packedLength, unpackDigits } from './radix.ts';

test('what is written is read back', () => {
  fc.assert(
    fc.property(
      fc.nat(255),
      fc.nat(65535),
      fc.nat(0xffffffff),
      fc.nat(2 ** 30),
      fc.double({ min: -1e9, max: 1e9, noNaN: true }),
      fc.uint8Array({ maxLength: 1000 }),
      (a, b, c, d, e, f) => {
        const reader = new Reader(new Writer().u8(a).u16(b).u32(c).varint(d).f64(e).block(f).bytes(f).finish());
        expect([reader.u8(), reader.u16(), reader.u32(), reader.varint(), reader.f64(-1e9, 1e9)]).toEqual([a, b, c, d, e]);
        expect(reader.block()).toEqual(f);
        expect(reader.rest()).toEqual(f);
        reader.end();
      },
    ),
  );
});

test('reading past the end, over-long numbers, set padding and left-over bytes are typed errors', () => {
  const refused = (read: () => unknown): void => {
    try {
      read();
    } catch (error) {
      expect(QsecError.is(error, 'INVALID_ARGUMENT')).toBe(true);
      return;
    }
    throw new Error('it was accepted');
  };
  const reader = (...bytes: number[]) => new Reader(Uint8Array.from(bytes));
  refused(() => reader().u8());
  refused(() => reader(1, 2, 3).u32());
  refused(() => reader(0, 0, 0, 5, 1).block());
  refused(() => reader(255, 255, 255, 255, 255, 1).varint());
  refused(() => reader(0x7f, 0xf8, 0, 0, 0, 0, 0, 0).f64(0, 1));
  refused(() => reader(0b10100001).bits(7));
  refused(() => reader(1).end());
});

test('digits of every radix survive packing, at the promised size', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 7 }), fc.array(fc.nat(6), { maxLength: 200 }), (radix, list) => {
      const digits = Uint8Array.from(list, (digit) => digit % radix);
      const packed = packDigits(digits, radix);
      expect(packed).toHaveLength(packedLength(digits.length, radix));
      expect(unpackDigits(packed, digits.length, radix)).toEqual(digits);
    }),
  );
  expect(packedLength(32768, 3)).toBe(6554);
});

test('a group of bits that is no number of digits is refused', () => {
  expect(() => unpackDigits(Uint8Array.of(243), 5, 3)).toThrow(QsecError);
  expect(unpackDigits(Uint8Array.of(242), 5, 3)).toEqual(Uint8Array.of(2, 2, 2, 2, 2));
});

test('seeds expand to the ChaCha20 key stream', () => {
  // RFC 8439, appendix A.1, test vectors 1 and 2: key and nonce zero, blocks 0 and 1.
  const hex = Array.from(expandSeed(new Uint8Array(32), 128), (byte) => byte.toString(16).padStart(2, '0')).join('');
  expect(hex).toBe(
    '76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586' +
      '9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f',
  );
});
