import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { platformCrypto } from '../platform/crypto.ts';
import type { Bytes } from '../wire/index.ts';
import { randomBytes } from './random.ts';
import { MAX_CHECKS_AT_ONCE, ReceiverKey, SenderKey } from './sender-key.ts';

const [roomId, identity, roster] = [randomBytes(16), randomBytes(32), randomBytes(32)];
const refused = expect.objectContaining({ code: 'HANDSHAKE_FAILED' });

async function both(): Promise<{ sender: SenderKey; receiver: ReceiverKey }> {
  const sender = await SenderKey.create(roomId, identity, roster, undefined);
  return { sender, receiver: await ReceiverKey.create(roomId, identity, sender.announcement) };
}

const seal = (sender: SenderKey, texts: number[]): Promise<Bytes[]> =>
  Promise.all(texts.map((text) => sender.seal(Uint8Array.of(text))));

const flip = (frame: Bytes, at: number): Bytes => frame.map((byte, i) => (i === at % frame.length ? byte ^ 1 : byte));

/** Checks signatures as `around` says. */
function observe(around: (check: () => Promise<boolean>) => Promise<boolean>): void {
  const original = platformCrypto.verifier;
  vi.spyOn(platformCrypto, 'verifier').mockImplementation((key) => {
    const check = original(key);
    return (message, signature) => around(() => check(message, signature));
  });
}
afterEach(() => void vi.restoreAllMocks());

describe('frames that are sealed together', () => {
  it('have a counter each, in the order they were asked for', async () => {
    const { sender, receiver } = await both();
    const texts = Array.from({ length: 40 }, (_, i) => i);
    for (const [i, frame] of (await seal(sender, texts)).entries()) expect(await receiver.open(frame)).toEqual(Uint8Array.of(i));
  });
});

describe('frames that are expected', () => {
  it('open in their turn; a forged one between two good ones is refused and changes nothing', async () => {
    const { sender, receiver } = await both();
    const [first, second] = (await seal(sender, [1, 2])) as [Bytes, Bytes];
    const [one, forged, two] = [first, flip(second, 40), second].map((frame) => receiver.expect(frame));
    expect(await one?.()).toEqual(Uint8Array.of(1));
    await expect(forged?.()).rejects.toEqual(refused);
    expect(await two?.()).toEqual(Uint8Array.of(2));
  });

  it('move nothing before they are opened', async () => {
    const { sender, receiver } = await both();
    const frames = await seal(sender, [0, 1, 2]);
    const turns = frames.map((frame) => receiver.expect(frame));
    expect(await receiver.open(frames[0] as Bytes)).toEqual(Uint8Array.of(0));
    await expect(turns[0]?.()).rejects.toEqual(refused);
    expect(await turns[1]?.()).toEqual(Uint8Array.of(1));
  });

  it('fail without a word when nobody opens them', async () => {
    observe(() => Promise.reject(new Error('of the platform')));
    const { sender, receiver } = await both();
    const [frame] = (await seal(sender, [1])) as [Bytes];
    receiver.expect(frame);
    await expect(receiver.open(frame)).rejects.toThrow('of the platform');
  });

  it('give what opening one after the other gives, whichever are lost, repeated, forged or moved', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ frame: fc.nat(7), flipped: fc.option(fc.nat(500), { freq: 3 }) }), { maxLength: 24 }),
        async (arrivals) => {
          const { sender, receiver } = await both();
          const other = await ReceiverKey.create(roomId, identity, {
            ...receiver.announcement,
            seed: sender.announcement.seed.slice(),
          });
          const sealed = await seal(sender, [0, 1, 2, 3, 4, 5, 6, 7]);
          const frames = arrivals.map(({ frame, flipped }) => {
            const whole = sealed[frame] as Bytes;
            return flipped === null ? whole : flip(whole, flipped);
          });
          const outcome = (opening: Promise<Bytes>) => opening.then(([text]) => text).catch(({ code }) => code);
          const turns = frames.map((frame) => receiver.expect(frame));
          for (const [i, frame] of frames.entries()) {
            expect(await outcome((turns[i] as () => Promise<Bytes>)())).toBe(await outcome(other.open(frame)));
          }
        },
      ),
      { numRuns: 30 },
    ));

  it('have so many signatures checked at a time and no more, each with a copy of its frame', async () => {
    let checking = 0;
    let most = 0;
    observe(async (check) => {
      most = Math.max(most, ++checking);
      return check().finally(() => checking--);
    });
    const { sender, receiver } = await both();
    const frames = await seal(
      sender,
      Array.from({ length: 3 * MAX_CHECKS_AT_ONCE }, (_, i) => i),
    );
    const turns = frames.map((frame) => receiver.expect(frame));
    for (const [i, open] of turns.entries()) expect(await open()).toEqual(Uint8Array.of(i));
    expect(most).toBe(MAX_CHECKS_AT_ONCE);
  });
});

describe('an epoch of a sender', () => {
  it('is told by its id and by the tag of its sender', async () => {
    const { sender, receiver } = await both();
    const frame = await sender.seal(Uint8Array.of(1));
    expect(receiver.claims(frame)).toBe(true);
    // epoch id 8 | sender tag 4 | counter u32 | …
    for (let at = 0; at < 12; at++) expect(receiver.claims(flip(frame, at))).toBe(false);
    for (const at of [12, 16, 20, frame.length - 1]) expect(receiver.claims(flip(frame, at))).toBe(true);
    const next = await SenderKey.create(roomId, identity, roster, sender);
    expect(receiver.claims(await next.seal(Uint8Array.of(1)))).toBe(false);
    const ofAnother = await ReceiverKey.create(roomId, randomBytes(32), sender.announcement);
    expect(ofAnother.claims(frame)).toBe(false);
  });

  it('follows the one before, and says how many frames that one had', async () => {
    const { sender } = await both();
    expect([sender.epoch, sender.count]).toEqual([1, 0]);
    expect(sender.announcement).toMatchObject({ epoch: 1, counter: 0, previousCount: 0, rosterHash: roster });
    await seal(sender, [1, 2, 3]);
    expect(sender.announcement).toMatchObject({ counter: 3 });
    const next = await SenderKey.create(roomId, identity, roster, sender);
    expect(next.announcement).toMatchObject({ epoch: 2, counter: 0, previousCount: 3 });
    expect(next.announcement.epochId).not.toEqual(sender.announcement.epochId);
    expect(next.announcement.signingKey).not.toEqual(sender.announcement.signingKey);
  });

  it('gives a copy of its chain: what was announced does not move with what is sealed', async () => {
    const { sender } = await both();
    const { announcement } = sender;
    const before = announcement.seed.slice();
    const frame = await sender.seal(Uint8Array.of(9));
    expect(announcement.seed).toEqual(before);
    const receiver = await ReceiverKey.create(roomId, identity, announcement);
    expect(await receiver.open(frame)).toEqual(Uint8Array.of(9));
  });

  it('opens nothing more once its receiver destroyed it', async () => {
    const { sender, receiver } = await both();
    const [frame] = (await seal(sender, [1])) as [Bytes];
    receiver.destroy();
    await expect(receiver.open(frame)).rejects.toEqual(expect.objectContaining({ code: 'CLOSED' }));
    expect(receiver.announcement.seed).toEqual(new Uint8Array(32));
  });

  it('of a frame too short for a signature is refused as forged', async () => {
    const { sender, receiver } = await both();
    const [frame] = (await seal(sender, [1])) as [Bytes];
    // The header, and less behind it than a signature has.
    await expect(receiver.open(frame.subarray(0, 20))).rejects.toEqual(refused);
    await expect(receiver.open(frame.subarray(0, 83))).rejects.toEqual(refused);
  });
});
