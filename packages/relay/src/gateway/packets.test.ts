import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundedParser } from './packets.ts';

/** What becomes of packets that come one after the other. */
function decoded(...packets: (string | Buffer)[]) {
  let refused = 0;
  const decoder = new (boundedParser(() => refused++).Decoder)();
  const data: unknown[] = [];
  decoder.on('decoded', (packet) => data.push(packet.data));
  try {
    for (const packet of packets) decoder.add(packet);
    return { data, refused };
  } catch (error) {
    return { data, refused, error: (error as Error).message };
  }
}

const NONE = { data: [], refused: 1, error: 'the packet is none of the contract' };
const event = (length: number) => `2["${'x'.repeat(length - 5)}"]`;

describe('a text packet', () => {
  it('is decoded up to 8192 characters, and not a character beyond', () => {
    expect(decoded(event(8192)).data).toEqual([['x'.repeat(8187)]]);
    expect(decoded(event(8193))).toEqual(NONE);
  });

  it('that is too long is refused whatever it is, without being read', () => {
    const start = fc.constantFrom('0{', '1', '2["x"', '3["x"', '4', '51-["x"', '59999-', '61-["x"', '9', '[', '"', '\u0000');
    fc.assert(
      fc.property(
        start,
        fc.constantFrom('0,', '[', '9', '{"a":', 'x'),
        fc.integer({ min: 8193, max: 50_000 }),
        (head, more, many) => {
          expect(decoded(head + more.repeat(many))).toEqual(NONE);
        },
      ),
    );
  });

  it.each(['0/x,', '0/', '2/x,["x"]', '51-/x,["x"]', '5-/x', '1/'])('for a namespace is refused; there is one: %s', (packet) => {
    expect(decoded(packet)).toEqual(NONE);
  });

  it.each(['0', '0{"token":"/"}', '2["/"]', '21["/x"]', '1'])('for the one namespace is decoded: %s', (packet) => {
    expect(decoded(packet)).toMatchObject({ refused: 0, data: { length: 1 } });
  });
});

describe('a binary packet', () => {
  it('of any length is taken where one is due', () => {
    const body = Buffer.alloc(100_000);
    expect(decoded('51-["push",{"_placeholder":true,"num":0}]', body).data).toEqual([['push', body]]);
  });

  it('has one binary part: none waits for others', () => {
    expect(decoded('52-["push",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', Buffer.alloc(1))).toEqual({
      data: [],
      refused: 0,
      error: 'too many attachments',
    });
  });
});
