import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QsecError } from '../errors.ts';
import { compareBytes, concat, equalBytes, fromBase64url, Reader, toBase64url, Writer } from './bytes.ts';

describe('base64url', () => {
  it('agrees with Node both ways', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const text = Buffer.from(bytes).toString('base64url');
        expect(toBase64url(bytes)).toBe(text);
        expect([...fromBase64url(text)]).toEqual([...bytes]);
      }),
    );
  });

  it.each(['A', 'AB', '====', 'A+/A', 'AAAAA', '€€'])('refuses %j, which no bytes encode to', (text) => {
    expect(() => fromBase64url(text)).toThrow(QsecError);
  });
});

describe('Writer and Reader', () => {
  it('return each field as it was written', () => {
    fc.assert(
      fc.property(
        fc.nat(255),
        fc.nat(65535),
        fc.nat(2 ** 40),
        fc.uint8Array(),
        fc.string({ unit: 'grapheme' }),
        (a, b, c, d, e) => {
          const reader = new Reader(new Writer().u8(a).u16(b).u48(c).variable(d).text(e).bytes());
          expect([reader.u8(), reader.u16(), reader.u48(), [...reader.variable()], reader.text()]).toEqual([a, b, c, [...d], e]);
          reader.end();
        },
      ),
    );
  });

  it('refuse values out of range, truncated input and trailing bytes', () => {
    expect(() => new Writer().u8(256)).toThrow(QsecError);
    expect(() => new Writer().u16(-1)).toThrow(QsecError);
    expect(() => new Reader(new Uint8Array(3)).u32()).toThrow(QsecError);
    expect(() => new Reader(new Uint8Array([0, 0, 0, 9, 1])).variable()).toThrow(QsecError);
    expect(() => new Reader(new Uint8Array([0, 0, 0, 2, 1, 1])).variable(1)).toThrow(QsecError);
    expect(() => new Reader(new Uint8Array(1)).end()).toThrow(QsecError);
  });
});

describe('byte strings', () => {
  it('compare by content, then by length', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Math.sign(Buffer.compare(a, b)));
        expect(equalBytes(a, b)).toBe(Buffer.compare(a, b) === 0);
        expect([...concat(a, b)]).toEqual([...a, ...b]);
      }),
    );
  });
});
