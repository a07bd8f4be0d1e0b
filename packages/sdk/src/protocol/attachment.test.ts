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

  const blank = new Uint8Array(0);
  const sealed = {
    id: new Uint8Array(16),
    secret: new Uint8Array(32),
    commitment: new Uint8Array(32),
    digest: new Uint8Array(32),
  };
  const plain = { ...sealed, size: 1, name: '', type: '', thumbnail: blank };
  const asFile = { kind: 'file' as const, id: new Uint8Array(16), index: 0, sentAt: 0 };
  type Field = 'name' | 'type' | 'thumbnail' | 'peaks';

  /** A message in which one field is so long. */
  function withField(field: Field, length: number) {
    const value = field === 'name' || field === 'type' ? 'x'.repeat(length) : new Uint8Array(length);
    if (field === 'peaks')
      return { ...asFile, kind: 'voice' as const, attachment: { ...plain, durationMs: 1, peaks: value as typeof blank } };
    return { ...asFile, attachment: { ...plain, [field]: value } };
  }

  it.each<[Field, number]>([
    ['name', 1024],
    ['type', 512],
    ['thumbnail', 65_536],
    ['peaks', 256],
  ])('may have a %s of %i bytes, and no longer one', (field, limit) => {
    const longest = withField(field, limit);
    expect(decodeGroupContent(encodeGroupContent(longest))).toEqual(longest);
    const message = `field of ${limit + 1} bytes exceeds its limit of ${limit}`;
    const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT', message });
    expect(() => decodeGroupContent(encodeGroupContent(withField(field, limit + 1)))).toThrow(refused);
  });
});
