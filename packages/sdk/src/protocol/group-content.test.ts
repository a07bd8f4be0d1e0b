import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QsecError } from '../errors.ts';
import { decodeGroupContent, encodeGroupContent, type GroupContent, MAX_LIFETIME_MS } from './group-content.ts';
import { randomBytes } from './random.ts';

const head = { id: randomBytes(16), index: 7, sentAt: 1_700_000_000_000 };
const target = randomBytes(16);

const CONTENTS: Exclude<GroupContent, { kind: 'unknown' }>[] = [
  { kind: 'text', ...head, text: 'hello' },
  { kind: 'text', ...head, text: 'hello', replyTo: target, expiresInMs: 60_000 },
  { kind: 'edit', ...head, target, text: 'hallo' },
  { kind: 'remove', ...head, target },
  { kind: 'reaction', ...head, target, emoji: '👍' },
  { kind: 'reaction', ...head, target, emoji: '' },
  { kind: 'typing' },
  { kind: 'profile', name: 'Ana' },
];

describe('content for everyone', () => {
  it.each(CONTENTS)('of kind $kind comes back as it was', (content) => {
    expect(decodeGroupContent(encodeGroupContent(content))).toEqual(content);
  });

  it.each(CONTENTS)('of kind $kind is refused when it is cut short or continued', (content) => {
    const encoded = encodeGroupContent(content);
    for (const broken of [encoded.subarray(0, -1), new Uint8Array([...encoded, 0])]) {
      if (broken.length > 0) expect(() => decodeGroupContent(broken)).toThrow(QsecError);
    }
  });

  it('of a kind to come is known by its head if it is a message, and by nothing if it is a signal', () => {
    const encoded = encodeGroupContent({ kind: 'remove', ...head, target });
    for (const code of [5, 15, 18, 127]) {
      encoded[0] = code;
      expect(decodeGroupContent(encoded)).toEqual({ kind: 'unknown', code, head });
    }
    for (const code of [0xc0, 255]) {
      encoded[0] = code;
      expect(decodeGroupContent(encoded)).toEqual({ kind: 'unknown', code, head: undefined });
    }
  });

  it('lives no longer than is allowed', () => {
    const content = { kind: 'text' as const, ...head, text: 'hi', expiresInMs: MAX_LIFETIME_MS + 1 };
    expect(() => decodeGroupContent(encodeGroupContent(content))).toThrow(QsecError);
  });

  it('whatever it is, decodes or is refused with a typed error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        try {
          decodeGroupContent(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(QsecError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
