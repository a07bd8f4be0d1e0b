import { createCipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QsecError } from '../errors.ts';
import { Ghash } from './ghash.ts';
import { randomBytes } from './random.ts';
import { type WegmanCarter, wegmanCarter } from './wegman-carter.ts';

const text = (message: string): Uint8Array => new TextEncoder().encode(message);

/** Pad for this many runs under one hash key. */
const padFor = (runs: number): Uint8Array => randomBytes(16 + 32 * runs);

const pair = (pad: Uint8Array): [WegmanCarter, WegmanCarter] => [
  wegmanCarter(pad, { role: 'alice' }),
  wegmanCarter(pad, { role: 'bob' }),
];

const flip = (bytes: Uint8Array, bit: number): Uint8Array =>
  bytes.map((byte, i) => (i === bit >>> 3 ? byte ^ (0x80 >>> (bit & 7)) : byte));

describe('the polynomial hash', () => {
  it("is AES-GCM's, whose tag over associated data is the hash XOR a block", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.uint8Array({ maxLength: 200 }), (key, message) => {
        const block = (input: Uint8Array): Uint8Array =>
          createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(input);
        const counter = Uint8Array.of(...new Uint8Array(12), 0, 0, 0, 1);
        const gcm = createCipheriv('aes-128-gcm', key, new Uint8Array(12)).setAAD(message);
        gcm.final();
        const mask = block(counter);
        const tag = new Ghash(block(new Uint8Array(16))).hash(message).map((byte, i) => byte ^ (mask[i] as number));
        expect([...tag]).toEqual([...gcm.getAuthTag()]);
      }),
    );
  });
});

describe('Wegman–Carter authentication', () => {
  it('has known tags', () => {
    // Pad 00 01 … 2f, which lasts for one run; computed apart from this code.
    const [alice, bob] = pair(Uint8Array.from({ length: 48 }, (_, i) => i));
    const message = text('a transcript of two flights');
    expect(Buffer.from(alice.tag(message)).toString('hex')).toBe('00000000b2ec7b7fa88279335db62c85df3c3c73');
    expect(Buffer.from(bob.tag(message)).toString('hex')).toBe('0000000182dc4b4f98b249036d861cb5ef0c0c43');
  });

  it('hides every hash under the block of the pad that its tag names, to the last one', () => {
    const message = text('m');
    for (const runs of [1, 2, 5]) {
      const pad = padFor(runs);
      const hash = new Ghash(pad.subarray(0, 16)).hash(message);
      const sides = pair(pad);
      for (let index = 0; index < 2 * runs; index++) {
        const tag = (sides[index % 2] as WegmanCarter).tag(message);
        expect(new DataView(tag.buffer).getUint32(0)).toBe(index);
        const mask = tag.subarray(4).map((byte, i) => byte ^ (hash[i] as number));
        expect([...mask]).toEqual([...pad.subarray(16 * (1 + index), 16 * (2 + index))]);
      }
    }
  });

  it('takes mask and hash key from different blocks where the hash key is renewed', () => {
    const pad = randomBytes(16 * 2049 + 16 * 3);
    const message = text('m');
    const [alice, bob] = [
      wegmanCarter(pad, { role: 'alice', position: { tagged: 1023, verified: 0 } }),
      wegmanCarter(pad, { role: 'bob', position: { tagged: 1023, verified: 0 } }),
    ];
    const expected = (key: number, mask: number): number[] => {
      const hash = new Ghash(pad.subarray(16 * key, 16 * key + 16)).hash(message);
      return [...hash.map((byte, i) => byte ^ (pad[16 * mask + i] as number))];
    };
    expect([alice, bob].map((side) => [...side.tag(message).subarray(4)])).toEqual([expected(0, 2047), expected(0, 2048)]);
    expect([alice, bob].map((side) => [...side.tag(message).subarray(4)])).toEqual([expected(2049, 2050), expected(2049, 2051)]);
  });

  it('verifies what the other side tagged, in both directions, for as many runs as the pad lasts', () => {
    const [alice, bob] = pair(padFor(5));
    for (let run = 0; run < 5; run++) {
      expect(alice.remaining).toBe((5 - run) * 256);
      expect(bob.verify(text(`flights ${run}`), alice.tag(text(`flights ${run}`)))).toBe(true);
      expect(alice.verify(text(`answer ${run}`), bob.tag(text(`answer ${run}`)))).toBe(true);
      expect(alice.consumed).toBe((run + 1) * 256);
      expect(bob.consumed).toBe((run + 1) * 256);
    }
    for (const side of [alice, bob]) {
      expect(side.remaining).toBe(0);
      expect(() => side.tag(text('one more'))).toThrow(expect.objectContaining({ code: 'PAD_EXHAUSTED' }));
      expect(() => side.verify(text('one more'), new Uint8Array(20))).toThrow(expect.objectContaining({ code: 'PAD_EXHAUSTED' }));
    }
  });

  it('refuses a message or tag with any one bit changed', () => {
    const message = text('a transcript of two blocks, and a bit');
    for (let bit = 0; bit < message.length * 8; bit++) {
      const [alice, bob] = pair(padFor(2));
      expect(bob.verify(flip(message, bit), alice.tag(message))).toBe(false);
    }
    for (let bit = 0; bit < 160; bit++) {
      const [alice, bob] = pair(padFor(2));
      expect(bob.verify(message, flip(alice.tag(message), bit))).toBe(false);
    }
  });

  it('refuses truncated and extended messages, also by zero bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat({ max: 80 }), (message, length) => {
        const [alice, bob] = pair(padFor(1));
        const tag = alice.tag(message);
        if (length < message.length) expect(bob.verify(message.subarray(0, length), tag)).toBe(false);
        expect(bob.verify(Uint8Array.of(...message, ...new Uint8Array(length + 1)), tag)).toBe(false);
        expect(bob.verify(message, tag.subarray(0, 19))).toBe(false);
        expect(bob.verify(message, new Uint8Array(0))).toBe(false);
        expect(bob.verify(message, tag)).toBe(true);
      }),
    );
  });

  it('refuses tags swapped between messages, and reflected to their sender', () => {
    const [alice, bob] = pair(padFor(4));
    const first = alice.tag(text('first'));
    const second = alice.tag(text('second'));
    expect(bob.verify(text('first'), second)).toBe(false);
    expect(bob.verify(text('second'), first)).toBe(false);
    expect(alice.verify(text('first'), first)).toBe(false);
    expect(bob.verify(text('first'), first)).toBe(true);
    expect(bob.verify(text('second'), second)).toBe(true);
  });

  it('refuses a replay, at once and later', () => {
    const [alice, bob] = pair(padFor(4));
    const tag = alice.tag(text('once'));
    expect(bob.verify(text('once'), tag)).toBe(true);
    expect(bob.verify(text('once'), tag)).toBe(false);
    expect(bob.verify(text('later'), alice.tag(text('later')))).toBe(true);
    expect(bob.verify(text('once'), tag)).toBe(false);
    expect(bob.verify(text('later'), flip(tag, 31))).toBe(false);
  });

  it('takes nothing from the pad for a forgery, and goes on after lost messages', () => {
    const [alice, bob] = pair(padFor(6));
    for (let attempt = 0; attempt < 100; attempt++) expect(bob.verify(text('forged'), randomBytes(20))).toBe(false);
    expect(bob.consumed).toBe(0);
    alice.tag(text('lost'));
    bob.tag(text('crossed and lost'));
    expect(bob.verify(text('arrives'), alice.tag(text('arrives')))).toBe(true);
    expect(bob.position).toEqual({ tagged: 1, verified: 2 });
  });

  it('refuses tags under another pad', () => {
    expect(
      wegmanCarter(padFor(1), { role: 'bob' }).verify(text('m'), wegmanCarter(padFor(1), { role: 'alice' }).tag(text('m'))),
    ).toBe(false);
  });

  it('never hides two tags under one mask', () => {
    const pad = padFor(50);
    const [alice, bob] = pair(pad);
    const zero = new Uint8Array(0);
    // The hash of the empty message is 0, so its tags are the masks themselves.
    const masks = Array.from({ length: 50 }, () => [alice.tag(zero), bob.tag(zero)])
      .flat()
      .map((tag) => Buffer.from(tag.subarray(4)).toString('hex'));
    expect(new Set(masks).size).toBe(100);
  });

  it('refreshes the hash key from the pad after 1024 runs', () => {
    const message = text('the same message');
    const pad = new Uint8Array(16 * (2 * 2049));
    pad.set(randomBytes(16), 0);
    pad.set(randomBytes(16), 16 * 2049);
    const [alice, bob] = pair(pad);
    // All masks are 0 here, so tags show the bare hash.
    const hashes = new Set<string>();
    for (let run = 0; run < 2048; run++) {
      const tag = alice.tag(message);
      expect(bob.verify(message, tag)).toBe(true);
      hashes.add(`${run < 1024} ${Buffer.from(tag.subarray(4)).toString('hex')}`);
    }
    expect(hashes.size).toBe(2);
    expect(alice.remaining).toBe(2048 * 128);
  });

  it('goes on from a stored position', () => {
    const pad = padFor(3);
    const [alice, bob] = pair(pad);
    bob.verify(text('a'), alice.tag(text('a')));
    const later = wegmanCarter(pad, { role: 'alice', position: alice.position });
    expect(later.remaining).toBe(5 * 128);
    expect(bob.verify(text('b'), later.tag(text('b')))).toBe(true);
    expect(() => wegmanCarter(pad, { role: 'alice', position: { tagged: 4, verified: 0 } })).toThrow(QsecError);
  });

  it('takes fresh pad when it runs out', () => {
    const [alice, bob] = pair(padFor(1));
    expect(bob.verify(text('a'), alice.tag(text('a')))).toBe(true);
    expect(() => alice.tag(text('b'))).toThrow(QsecError);
    const fresh = randomBytes(64);
    for (const side of [alice, bob]) side.load(fresh);
    expect(bob.verify(text('b'), alice.tag(text('b')))).toBe(true);
    expect(alice.remaining).toBe(4 * 128);
    expect(bob.remaining).toBe(4 * 128);
  });

  it('lets two sides that take turns do without roles', () => {
    const pad = padFor(2);
    const [a, b] = [wegmanCarter(pad), wegmanCarter(pad)];
    expect(b.verify(text('ping'), a.tag(text('ping')))).toBe(true);
    expect(a.verify(text('pong'), b.tag(text('pong')))).toBe(true);
    expect([a.remaining, b.remaining]).toEqual([256, 256]);
    expect(wegmanCarter(pad, { position: a.position }).remaining).toBe(256);
  });

  it('keeps the pad it was given as it is', () => {
    const pad = padFor(2);
    const before = pad.slice();
    wegmanCarter(pad).tag(text('m'));
    expect(pad).toEqual(before);
  });

  it('refuses a pad that does not last for a run', () => {
    for (const bytes of [0, 16, 47])
      expect(() => wegmanCarter(randomBytes(bytes))).toThrow(expect.objectContaining({ code: 'PAD_EXHAUSTED' }));
  });
});
