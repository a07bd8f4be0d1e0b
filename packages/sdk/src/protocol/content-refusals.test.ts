import { describe, expect, it } from 'vitest';
import { type Bytes, concat, MAX_CAPACITY, Writer } from '../wire/index.ts';
import type { Attachment } from './attachment.ts';
import { decodePairContent, encodePairContent, type PairContent } from './content.ts';
import { decodeFrame, encodeFrame, FRAME_TYPE, FRAME_VERSION } from './frame.ts';
import { decodeGroupContent, encodeGroupContent, type GroupContent, MAX_LIFETIME_MS, NAME_LIMIT_BYTES } from './group-content.ts';
import { pad, unpad } from './padding.ts';
import { randomBytes } from './random.ts';

/** Genuine members write none of this: each refusal by its one forged input, and beside it what comes nearest and is taken. */

const error = (code: string, message: string) => expect.objectContaining({ code, message });
const invalid = (message: string) => error('INVALID_ARGUMENT', message);

const head = { id: randomBytes(16), index: 7, sentAt: 1_700_000_000_000 };
const target = randomBytes(16);
const attachment: Attachment = {
  id: randomBytes(16),
  secret: randomBytes(32),
  commitment: randomBytes(32),
  digest: randomBytes(32),
  size: 10,
  name: 'a.ogg',
  type: 'audio/ogg',
  thumbnail: new Uint8Array(0),
};
const picture = { ...attachment, thumbnail: randomBytes(1) };
const spoken = { durationMs: 1000, peaks: randomBytes(4) };

describe('content for everyone', () => {
  type Known = Exclude<GroupContent, { kind: 'unknown' }>;
  const heads = (count: number) => Array.from({ length: count }, () => ({ member: randomBytes(16), next: 1, epoch: 1 }));

  it.each<[what: string, content: Known]>([
    ['a voice message without a picture', { kind: 'voice', ...head, attachment: { ...attachment, ...spoken } }],
    ['a file with a picture', { kind: 'file', ...head, attachment: picture }],
    ['the longest life', { kind: 'text', ...head, text: 'hi', expiresInMs: MAX_LIFETIME_MS }],
    ['an answer', { kind: 'text', ...head, text: 'hi', replyTo: target }],
    ['a heartbeat about nobody', { kind: 'heartbeat', heads: [], roster: randomBytes(32) }],
    ['a heartbeat about the largest room', { kind: 'heartbeat', heads: heads(MAX_CAPACITY), roster: randomBytes(32) }],
    ['the longest name', { kind: 'profile', name: 'x'.repeat(NAME_LIMIT_BYTES) }],
    ['the longest reaction', { kind: 'reaction', ...head, target, emoji: 'x'.repeat(64) }],
  ])('is taken with %s', (_, content) => {
    expect(decodeGroupContent(encodeGroupContent(content))).toEqual(content);
  });

  it.each<[what: string, content: Known, message: string]>([
    [
      'a picture of a voice message',
      { kind: 'voice', ...head, attachment: { ...picture, ...spoken } },
      'a voice message has no picture',
    ],
    [
      'a life that is too long',
      { kind: 'text', ...head, text: 'hi', expiresInMs: MAX_LIFETIME_MS + 1 },
      'a message with a broken head',
    ],
    [
      'half the name of a message it answers',
      { kind: 'file', ...head, attachment, replyTo: target.slice(8) },
      'a message with a broken head',
    ],
    [
      'more than the name of a message it answers',
      { kind: 'text', ...head, text: 'hi', replyTo: randomBytes(17) },
      'field of 17 bytes exceeds its limit of 16',
    ],
    [
      'a heartbeat about more members than the largest room has',
      { kind: 'heartbeat', heads: heads(MAX_CAPACITY + 1), roster: randomBytes(32) },
      'a heartbeat of a broken length',
    ],
    [
      'a heartbeat that says too little about who is here',
      { kind: 'heartbeat', heads: [], roster: randomBytes(31) },
      'a heartbeat of a broken length',
    ],
    [
      'a heartbeat that lacks as much as one member takes',
      { kind: 'heartbeat', heads: [], roster: randomBytes(8) },
      'a heartbeat of a broken length',
    ],
    [
      'a heartbeat with half a member',
      { kind: 'heartbeat', heads: heads(1), roster: randomBytes(44) },
      'a heartbeat of a broken length',
    ],
    ['a name that is too long', { kind: 'profile', name: 'x'.repeat(257) }, 'field of 257 bytes exceeds its limit of 256'],
    [
      'a reaction that is too long',
      { kind: 'reaction', ...head, target, emoji: 'x'.repeat(65) },
      'field of 65 bytes exceeds its limit of 64',
    ],
  ])('is refused with %s', (_, content, message) => {
    expect(() => decodeGroupContent(encodeGroupContent(content))).toThrow(invalid(message));
  });

  it('is refused with text that is no text', () => {
    const encoded = encodeGroupContent({ kind: 'profile', name: 'x' });
    encoded.set([0xff], encoded.length - 1);
    expect(() => decodeGroupContent(encoded)).toThrow(invalid('not well-formed UTF-8'));
  });
});

describe('content for one member', () => {
  type Known = Exclude<PairContent, { kind: 'unknown' }>;
  const announcement = {
    epoch: 1,
    epochId: randomBytes(8),
    counter: 0,
    seed: randomBytes(32),
    signingKey: randomBytes(32),
    rosterHash: randomBytes(32),
    previousCount: 0,
  };
  const key: Known = { kind: 'sender-key', announcement, name: 'Ana', first: 3 };
  const [order, secret, admission] = [randomBytes(168), randomBytes(32), randomBytes(100)];

  it.each<Known>([
    key,
    { kind: 'receipt', ids: [] },
    { kind: 'receipt', ids: [target, head.id] },
    { kind: 'read', ids: [target] },
    { kind: 'obeyed', names: [target] },
    { kind: 'rekey-request', full: true },
    { kind: 'rekey-request', full: false },
    { kind: 'removal', order, secret, admission },
    { kind: 'leave' },
  ])('of kind $kind comes back as it was', (content) => {
    expect(decodePairContent(encodePairContent(content))).toEqual(content);
  });

  it.each<[what: string, content: Known]>([
    ['receipt', { kind: 'receipt', ids: [target, randomBytes(15)] }],
    ['word of what was seen', { kind: 'read', ids: [target, randomBytes(15)] }],
    ['word of what is obeyed', { kind: 'obeyed', names: [target, randomBytes(15)] }],
  ])('is refused when a %s names only part of one', (_, content) => {
    const message = 'truncated: expected 16 more bytes, got 15';
    expect(() => decodePairContent(encodePairContent(content))).toThrow(invalid(message));
  });

  it.each<[what: string, content: Known, message: string]>([
    [
      'an order to remove',
      { kind: 'removal', order: randomBytes(169), secret, admission },
      'field of 169 bytes exceeds its limit of 168',
    ],
    [
      'the secret of a link',
      { kind: 'removal', order, secret: randomBytes(33), admission },
      'field of 33 bytes exceeds its limit of 32',
    ],
    [
      'an admission',
      { kind: 'removal', order, secret, admission: randomBytes(101) },
      'field of 101 bytes exceeds its limit of 100',
    ],
  ])('is refused with %s that is too long for one', (_, content, message) => {
    expect(() => decodePairContent(encodePairContent(content))).toThrow(invalid(message));
  });

  it.each<Known>([key, { kind: 'rekey-request', full: true }, { kind: 'removal', order, secret, admission }, { kind: 'leave' }])(
    'of kind $kind is refused with more behind it',
    (content) => {
      const longer = concat(encodePairContent(content), new Uint8Array(1));
      expect(() => decodePairContent(longer)).toThrow(invalid('1 unexpected bytes at the end'));
    },
  );

  it.each([2, 3, 255])('is refused with a request for a rekeying that is neither light nor full, but %i', (full) => {
    expect(() => decodePairContent(Uint8Array.of(9, full))).toThrow(invalid('unknown values in a request for a rekeying'));
    expect(decodePairContent(Uint8Array.of(9, 0))).toEqual({ kind: 'rekey-request', full: false });
    expect(decodePairContent(Uint8Array.of(9, 1))).toEqual({ kind: 'rekey-request', full: true });
  });

  it('of a kind to come is told by its code alone', () => {
    for (const code of [0, 13, 15, 17, 255])
      expect(decodePairContent(Uint8Array.of(code, 1, 2))).toEqual({ kind: 'unknown', code });
  });

  it('is refused with more in an announced key, or behind an announced name', () => {
    // code u8 | length u32, announcement | name 260 | first u32
    const encoded = encodePairContent(key);
    const end = 5 + 116;
    const field = concat(encoded.subarray(5, end), new Uint8Array(1));
    const longer = new Writer().u8(1).variable(field).fixed(encoded.subarray(end)).bytes();
    expect(() => decodePairContent(longer)).toThrow(invalid('1 unexpected bytes at the end'));
    const hidden = encoded.slice();
    hidden.set([1], end + 4 + 'Ana'.length);
    expect(() => decodePairContent(hidden)).toThrow(invalid('padding is not zero'));
  });
});

describe('padding', () => {
  it('takes what fits its size, and refuses a byte more', () => {
    expect(unpad(pad(new Uint8Array(9), 13))).toEqual(new Uint8Array(9));
    expect(() => pad(new Uint8Array(10), 13)).toThrow(invalid('10 bytes do not fit a padded size of 13'));
  });

  it('is refused with anything in it, or a content that ends behind it', () => {
    const padded = pad(new Uint8Array(3), 13);
    for (let at = 7; at < 13; at++) {
      const hidden = padded.map((byte, i) => (i === at ? 1 : byte));
      expect(() => unpad(hidden)).toThrow(invalid('padding is not zero'));
    }
    expect(() => unpad(Uint8Array.of(0, 0, 0, 9, 1))).toThrow(invalid('truncated: expected 9 more bytes, got 1'));
  });
});

describe('a frame', () => {
  const frame = (version: number, type: number): Bytes => Uint8Array.of(version, type, 7);

  it.each(Object.entries(FRAME_TYPE))('of type %s is taken', (_, type) => {
    expect(decodeFrame(encodeFrame(type, Uint8Array.of(7)))).toEqual({ type, content: Uint8Array.of(7) });
  });

  it.each([0, 5, 255])('of type %i is refused: nobody knows it', (type) => {
    const refused = error('HANDSHAKE_FAILED', `A frame of unknown type ${type}.`);
    expect(() => decodeFrame(frame(FRAME_VERSION, type))).toThrow(refused);
  });

  it.each([
    [FRAME_VERSION - 1, 'older'],
    [FRAME_VERSION + 1, 'newer'],
  ])('of version %i says so, and still tells what its sender speaks', (version, how) => {
    const message = `The version of the other side is ${how} than this one: frame ${version}, and here ${FRAME_VERSION}.`;
    for (const type of [FRAME_TYPE.handshake, FRAME_TYPE.pair, FRAME_TYPE.group, 9]) {
      expect(() => decodeFrame(frame(version, type))).toThrow(error('VERSION_MISMATCH', message));
    }
    expect(decodeFrame(frame(version, FRAME_TYPE.versions)).type).toBe(FRAME_TYPE.versions);
  });

  it.each([0, 1])('of %i bytes is refused', (length) => {
    expect(() => decodeFrame(new Uint8Array(length).fill(FRAME_VERSION))).toThrow(
      invalid('truncated: expected 1 more bytes, got 0'),
    );
  });
});
