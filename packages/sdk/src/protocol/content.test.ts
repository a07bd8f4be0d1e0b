import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePairContent, encodePairContent, orderName } from './content.ts';
import { NAME_LIMIT_BYTES } from './group-content.ts';
import { messageId } from './message-id.ts';
import { randomBytes } from './random.ts';

const announcement = {
  epoch: 1,
  epochId: randomBytes(8),
  counter: 0,
  seed: randomBytes(32),
  signingKey: randomBytes(32),
  rosterHash: randomBytes(32),
  previousCount: 0,
};

describe('an announced name', () => {
  it('arrives as it was, and its length does not show', () => {
    const sizes = new Set<number>();
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: NAME_LIMIT_BYTES }), (name) => {
        const encoded = encodePairContent({ kind: 'sender-key', announcement, name, first: 3 });
        sizes.add(encoded.length);
        expect(decodePairContent(encoded)).toMatchObject({ kind: 'sender-key', name });
      }),
      { numRuns: 40 },
    );
    const marked = encodePairContent({ kind: 'sender-key', announcement, name: '\ufeffAna 🦊', first: 3 });
    expect(decodePairContent(marked)).toMatchObject({ name: '\ufeffAna 🦊' });
    expect(sizes.size).toBe(1);
  });
});

describe('the id of a message', () => {
  it('belongs to its author', () => {
    const [ana, eve, id] = [randomBytes(32), randomBytes(32), randomBytes(16)];
    expect(messageId(ana, id)).toEqual(messageId(ana, id));
    expect(messageId(eve, id)).not.toEqual(messageId(ana, id));
    expect(messageId(ana, id)).toHaveLength(16);
  });
});

describe('the name of an order', () => {
  it('is its receiver’s to say: the first bytes of a hash of what was sent, for this purpose alone', () => {
    const sent = encodePairContent({ kind: 'lock', order: randomBytes(101) });
    const hashed = createHash('sha256').update('qsec2 v1 order\0').update(sent).digest();
    expect(orderName(sent)).toEqual(new Uint8Array(hashed.subarray(0, 16)));
  });
});
