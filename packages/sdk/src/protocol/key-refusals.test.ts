import { afterEach, describe, expect, it, vi } from 'vitest';
import { QsecError } from '../errors.ts';
import { platformCrypto } from '../platform/crypto.ts';
import { type Bytes, concat } from '../wire/index.ts';
import { FIRST_NONCE, open, seal } from './aead.ts';
import { generateKeyPair as generateIdentity, generateSigningKey, importVerificationKey } from './identity.ts';
import { PairChannel } from './pair-channel.ts';
import type { PairSecrets } from './pairing.ts';
import { randomBytes } from './random.ts';
import { chainBounds, MAX_FORWARD_JUMP, ReceiveChain, SendChain, SKIPPED_STEPS } from './ratchet.ts';
import { ReceiverKey, SenderKey } from './sender-key.ts';
import { SOURCE_LIMIT_MS, sourceStep } from './source-fault.ts';
import { CIPHERTEXT_BYTES, encapsulate, generateKeyPair, PUBLIC_KEY_BYTES } from './x-wing.ts';

/** Each refusal by its one forged input, by code and message. What a refusal leaves as it was stands in the tests of each part. */

const error = (code: string, message: string) => expect.objectContaining({ code, message });
const failed = (message: string) => error('HANDSHAKE_FAILED', message);
const closed = error('CLOSED', 'These keys were destroyed: nothing can be sealed or opened with them any more.');
const flip = (bytes: Bytes, at: number): Bytes =>
  bytes.map((byte, i) => (i === (at + bytes.length) % bytes.length ? byte ^ 1 : byte));

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe('a sealed box', () => {
  const refused = failed('A box does not open: it was changed, or sealed by someone else.');

  it('does not open with another key, nonce or additional data, changed, or shorter than its tag', async () => {
    const [key, data, text] = [randomBytes(32), randomBytes(8), randomBytes(20)];
    const box = await seal(key, FIRST_NONCE, text, data);
    expect(await open(key, FIRST_NONCE, box, data)).toEqual(text);
    await expect(open(randomBytes(32), FIRST_NONCE, box, data)).rejects.toEqual(refused);
    await expect(open(key, randomBytes(12), box, data)).rejects.toEqual(refused);
    await expect(open(key, FIRST_NONCE, box, flip(data, 0))).rejects.toEqual(refused);
    for (const changed of [flip(box, 0), flip(box, -1), box.subarray(1), box.subarray(0, 15), box.subarray(0, 0)]) {
      await expect(open(key, FIRST_NONCE, changed, data)).rejects.toEqual(refused);
    }
  });
});

describe('a signing key', () => {
  it('says where the platform has none', async () => {
    vi.spyOn(crypto.subtle, 'generateKey').mockRejectedValue(new Error('of the platform'));
    const message = 'This browser has no Ed25519 in WebCrypto, or the page is not served over HTTPS.';
    await expect(generateSigningKey()).rejects.toEqual(error('UNSUPPORTED', message));
    await expect(generateIdentity(false)).rejects.toEqual(error('UNSUPPORTED', message));
  });

  it('can be read out where a storage keeps bytes only, and nowhere else', async () => {
    for (const extractable of [true, false]) {
      const { privateKey, publicKey } = await generateIdentity(extractable);
      expect([privateKey.extractable, publicKey.length]).toEqual([extractable, 32]);
    }
  });

  it('signs for one purpose', async () => {
    const key = await generateSigningKey();
    const message = randomBytes(20);
    const signature = await key.sign('handshake a', message);
    expect(signature).toHaveLength(64);
    const { verify } = await importVerificationKey(key.publicKey);
    expect(await verify('handshake a', message, signature)).toBe(true);
    expect(await verify('handshake b', message, signature)).toBe(false);
    expect(await verify('handshake a', flip(message, 0), signature)).toBe(false);
    expect(await verify('handshake a', message, flip(signature, 0))).toBe(false);
  });

  it.each([0, 31, 33])('of %i bytes is refused', async (length) => {
    const refused = failed('The other side sent bytes that are no Ed25519 public key.');
    await expect(importVerificationKey(new Uint8Array(length))).rejects.toEqual(refused);
  });
});

describe('X-Wing', () => {
  it.each([0, 100, PUBLIC_KEY_BYTES - 1, PUBLIC_KEY_BYTES + 1])('refuses a public key of %i bytes', async (length) => {
    const { publicKey } = await generateKeyPair();
    const other = concat(publicKey, new Uint8Array(1)).subarray(0, length);
    const message = `The other side sent a public key of ${length} bytes; X-Wing's has ${PUBLIC_KEY_BYTES}.`;
    await expect(encapsulate(other)).rejects.toEqual(failed(message));
  });

  it.each([0, 100, CIPHERTEXT_BYTES - 1, CIPHERTEXT_BYTES + 1])('refuses a ciphertext of %i bytes', async (length) => {
    const { publicKey, decapsulate } = await generateKeyPair();
    const { ciphertext } = await encapsulate(publicKey);
    const other = concat(ciphertext, new Uint8Array(1)).subarray(0, length);
    const message = `The other side sent a ciphertext of ${length} bytes; X-Wing's has ${CIPHERTEXT_BYTES}.`;
    await expect(decapsulate(other)).rejects.toEqual(failed(message));
  });

  it('refuses a public key that is not reduced, and points of low order in a key and in a ciphertext', async () => {
    const { publicKey, decapsulate } = await generateKeyPair();
    const unreduced = publicKey.slice().fill(0xff, 0, 3);
    await expect(encapsulate(unreduced)).rejects.toEqual(
      failed('The other side sent a key that is not an ML-KEM-768 public key.'),
    );
    const low = failed('The other side sent an X25519 key of low order.');
    await expect(encapsulate(publicKey.slice().fill(0, -32))).rejects.toEqual(low);
    const { ciphertext } = await encapsulate(publicKey);
    await expect(decapsulate(ciphertext.fill(0, -32))).rejects.toEqual(low);
  });
});

describe('a chain', () => {
  it('refuses a counter used before, one too far ahead, and ones that leave out too many', () => {
    const bounds = chainBounds();
    const chain = new ReceiveChain(randomBytes(32), 0, bounds);
    chain.take(0);
    expect(() => chain.take(0)).toThrow(failed('Message 0 was opened before: a replay.'));
    const far = 1 + MAX_FORWARD_JUMP + 1;
    expect(() => chain.take(far)).toThrow(failed(`Message ${far} is 2001 ahead; at most 2000 are followed.`));
    // Time stands still, so that none of it is given back.
    vi.useFakeTimers();
    expect(bounds.steps.spend(SKIPPED_STEPS)).toBe(true);
    const message = 'Message 2 is 1 ahead, and its sender left out many others a moment ago.';
    expect(() => chain.take(2)).toThrow(error('RATE_LIMITED', message));
    expect(chain.take(1).counter).toBe(1);
  });

  it('does nothing once it was erased', () => {
    const [send, receive] = [new SendChain(randomBytes(32)), new ReceiveChain(randomBytes(32))];
    send.erase();
    receive.erase();
    expect(() => send.next()).toThrow(closed);
    expect(() => send.chainKey).toThrow(closed);
    expect(() => receive.take(0)).toThrow(closed);
  });
});

describe('a pair frame', () => {
  const roomId = randomBytes(16);
  function pairOfChannels() {
    const common = {
      sid: randomBytes(16),
      transcript: randomBytes(32),
      peer: { identity: randomBytes(32), policy: randomBytes(1) },
      sas: randomBytes(6),
      shown: new Uint8Array(0),
      report: undefined,
    };
    const root = randomBytes(32);
    const side = (role: 'a' | 'b'): PairSecrets => ({ ...common, role, root: root.slice() });
    return { a: new PairChannel(roomId, side('a')), b: new PairChannel(roomId, side('b')) };
  }

  it('is refused of another session or epoch, with a wrong MAC, repeated, and cut short', async () => {
    const { a, b } = pairOfChannels();
    const sealed = await a.seal(Uint8Array.of(1));
    const elsewhere = failed('A frame of another session or epoch of this pair.');
    // sid 16 | pair epoch u32 | …
    await expect(b.open(flip(sealed, 0))).rejects.toEqual(elsewhere);
    await expect(b.open(flip(sealed, 19))).rejects.toEqual(elsewhere);
    const wrong = failed("A frame carries a MAC that is not its sender's.");
    for (const at of [23, 24, 30, -1]) await expect(b.open(flip(sealed, at))).rejects.toEqual(wrong);
    const short = error('INVALID_ARGUMENT', 'truncated: expected 4 more bytes, got 3');
    await expect(b.open(sealed.subarray(0, 27))).rejects.toEqual(short);
    expect(await b.open(sealed)).toEqual(Uint8Array.of(1));
    await expect(b.open(sealed)).rejects.toEqual(failed('Message 0 was opened before: a replay.'));
  });

  it('is neither sealed nor opened once its keys were destroyed, before or meanwhile', async () => {
    const { a, b } = pairOfChannels();
    const [first, second] = [await a.seal(Uint8Array.of(1)), await a.seal(Uint8Array.of(2))];
    const opening = b.open(first);
    b.destroy();
    await expect(opening).rejects.toEqual(closed);
    await expect(b.open(second)).rejects.toEqual(closed);
    await expect(b.seal(Uint8Array.of(3))).rejects.toEqual(closed);
  });
});

describe('a group frame', () => {
  const [roomId, identity, roster] = [randomBytes(16), randomBytes(32), randomBytes(32)];

  it('is refused with a wrong signature, in another room, of another member, repeated, and cut short', async () => {
    const sender = await SenderKey.create(roomId, identity, roster, undefined);
    const { announcement } = sender;
    const receiver = (room = roomId, author = identity) =>
      ReceiverKey.create(room, author, { ...announcement, seed: announcement.seed.slice() });
    const sealed = await sender.seal(Uint8Array.of(1));
    const wrong = failed("A frame carries a signature that is not its sender's.");
    const own = await receiver();
    // epoch id 8 | sender tag 4 | counter u32 | guard 4 | ciphertext + tag | signature 64
    for (const at of [0, 8, 15, 16, 20, -65, -64, -1]) await expect(own.open(flip(sealed, at))).rejects.toEqual(wrong);
    await expect((await receiver(randomBytes(16))).open(sealed)).rejects.toEqual(wrong);
    await expect((await receiver(roomId, randomBytes(32))).open(sealed)).rejects.toEqual(wrong);
    const short = error('INVALID_ARGUMENT', 'truncated: expected 20 more bytes, got 19');
    expect(() => own.expect(sealed.subarray(0, 19))).toThrow(short);
    expect(await own.open(sealed)).toEqual(Uint8Array.of(1));
    await expect(own.open(sealed)).rejects.toEqual(failed('Message 0 was opened before: a replay.'));
  });
});

describe('a step of a key source', () => {
  const late = error('KEY_SOURCE_FAILED', 'The key source of this side did not answer within 12 s.');
  const ours = error('KEY_SOURCE_FAILED', 'The key source of this side failed: no light');
  const verdict = new QsecError('QBER_EXCEEDED', 'no light');

  it.each<[what: string, thrown: unknown, ofPeer: boolean, told: unknown]>([
    ['an error of its own', new Error('no light'), false, ours],
    ['an error of its own over a flight of the peer', new Error('no light'), true, ours],
    ['no error at all', 'no light', false, ours],
    ['a verdict about nobody’s flight', verdict, false, ours],
    ['a verdict about a flight of the peer', verdict, true, verdict],
    [
      'what already says that it is this side',
      new QsecError('KEY_SOURCE_FAILED', 'empty'),
      false,
      error('KEY_SOURCE_FAILED', 'empty'),
    ],
    ['what already says that it is the peer', new QsecError('HANDSHAKE_FAILED', 'forged'), false, failed('forged')],
  ])('that throws %s is told as what it is', async (_, thrown, ofPeer, told) => {
    const step = () => {
      throw thrown;
    };
    await expect(sourceStep(step, ofPeer)).rejects.toEqual(told);
  });

  it('that does not answer ends', async () => {
    vi.useFakeTimers();
    const told = vi.fn();
    const ended = sourceStep(() => new Promise<never>(() => undefined), true).catch(told);
    await vi.advanceTimersByTimeAsync(SOURCE_LIMIT_MS - 1);
    expect(told).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await ended;
    expect(told).toHaveBeenCalledExactlyOnceWith(late);
    expect(await sourceStep(() => 7, false)).toBe(7);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a refusal of what the platform refused', () => {
  const platform = new Error('of the platform');
  const because = (code: string) => expect.objectContaining({ code, cause: platform });

  it('keeps why: of a box, of a signing key, and of keys of the other side', async () => {
    vi.spyOn(crypto.subtle, 'generateKey').mockRejectedValue(platform);
    await expect(generateSigningKey()).rejects.toEqual(because('UNSUPPORTED'));
    const { publicKey } = await generateKeyPair();
    vi.spyOn(platformCrypto, 'cipher').mockResolvedValue({ seal: vi.fn(), open: () => Promise.reject(platform) });
    await expect(open(randomBytes(32), FIRST_NONCE, randomBytes(20), randomBytes(1))).rejects.toEqual(
      because('HANDSHAKE_FAILED'),
    );
    vi.spyOn(crypto.subtle, 'deriveBits').mockRejectedValue(platform);
    await expect(encapsulate(publicKey)).rejects.toEqual(because('HANDSHAKE_FAILED'));
    vi.spyOn(crypto.subtle, 'importKey').mockRejectedValue(platform);
    await expect(importVerificationKey(randomBytes(32))).rejects.toEqual(because('HANDSHAKE_FAILED'));
  });

  it('keeps why: of ML-KEM, and of a key source', async () => {
    const { publicKey } = await generateKeyPair();
    const caused = expect.objectContaining({ code: 'HANDSHAKE_FAILED', cause: expect.any(Error) });
    await expect(encapsulate(publicKey.slice().fill(0xff, 0, 3))).rejects.toEqual(caused);
    await expect(sourceStep(() => Promise.reject(platform), false)).rejects.toEqual(because('KEY_SOURCE_FAILED'));
  });
});
