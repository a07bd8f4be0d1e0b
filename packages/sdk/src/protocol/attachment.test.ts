import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QsecError } from '../errors.ts';
import { ATTACHMENT_LIMITS } from './attachment.ts';
import { decodeGroupContent, encodeGroupContent } from './content.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).map((value) => new Uint8Array(value));
const head = {
  id: bytes(16),
  index: fc.nat(2 ** 31),
  sentAt: fc.nat(2 ** 42),
  replyTo: fc.option(bytes(16), { nil: undefined }),
};
const attachment = {
  id: bytes(16),
  secret: bytes(32),
  commitment: bytes(32),
  digest: bytes(32),
  size: fc.nat(2 ** 41),
  name: fc.string({ unit: 'grapheme', maxLength: 40 }),
  type: fc.string({ unit: 'grapheme-ascii', maxLength: 40 }),
};
const picture = fc.uint8Array({ maxLength: 200 }).map((value) => new Uint8Array(value));
const file = fc.record({
  ...head,
  kind: fc.constant('file' as const),
  attachment: fc.record({ ...attachment, thumbnail: picture }),
});
const voice = fc.record({
  ...head,
  kind: fc.constant('voice' as const),
  attachment: fc.record({
    ...attachment,
    thumbnail: fc.constant(new Uint8Array(0)),
    durationMs: fc.nat(2 ** 31),
    peaks: fc.uint8Array({ maxLength: ATTACHMENT_LIMITS.peaks }).map((value) => new Uint8Array(value)),
  }),
});

/** Fields that are undefined are left out on the wire. */
const defined = <T extends object>(value: T) =>
  Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));

describe('the message of a file or a voice message', () => {
  it('returns what was written', () => {
    fc.assert(
      fc.property(fc.oneof(file, voice), (content) => {
        const written = encodeGroupContent(defined(content) as Parameters<typeof encodeGroupContent>[0]);
        expect(decodeGroupContent(written)).toEqual(defined(content));
      }),
    );
  });

  it('is refused when it is cut, continued, or a field is too long', () => {
    fc.assert(
      fc.property(fc.oneof(file, voice), fc.nat(), (content, cut) => {
        const written = encodeGroupContent(defined(content) as Parameters<typeof encodeGroupContent>[0]);
        expect(() => decodeGroupContent(written.subarray(0, 1 + (cut % (written.length - 1))))).toThrow(QsecError);
        expect(() => decodeGroupContent(Uint8Array.of(...written, 0))).toThrow(QsecError);
      }),
      { numRuns: 30 },
    );
    const [example] = fc.sample(file, 1);
    const long = { ...example!.attachment, name: 'x'.repeat(ATTACHMENT_LIMITS.nameBytes + 1) };
    const written = encodeGroupContent(defined({ ...example, attachment: long }) as Parameters<typeof encodeGroupContent>[0]);
    expect(() => decodeGroupContent(written)).toThrow(QsecError);
  });
});
