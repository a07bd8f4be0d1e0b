import { describe, expect, it, vi } from 'vitest';
import { PairChannel } from './pair-channel.ts';
import type { PairSecrets } from './pairing.ts';
import { randomBytes } from './random.ts';
import { ReceiveChain, SendChain } from './ratchet.ts';
import { ReceiverKey, SenderKey } from './sender-key.ts';

const closed = expect.objectContaining({ code: 'CLOSED' });
const roomId = randomBytes(16);
const identity = randomBytes(32);
const roster = randomBytes(32);

function pairOfChannels() {
  const common = {
    sid: randomBytes(16),
    transcript: randomBytes(32),
    peer: { identity, policy: randomBytes(1) },
    sas: randomBytes(6),
    shown: new Uint8Array(0),
    report: undefined,
  };
  const root = randomBytes(32);
  const side = (role: 'a' | 'b'): PairSecrets => ({ ...common, role, root: root.slice() });
  return { a: new PairChannel(roomId, side('a')), b: new PairChannel(roomId, side('b')) };
}

describe('keys that were destroyed', () => {
  it('seal and open nothing more: a chain of zeros would be anybody’s', async () => {
    const send = new SendChain(randomBytes(32));
    const receive = new ReceiveChain(randomBytes(32));
    send.erase();
    receive.erase();
    expect(() => send.next()).toThrow(closed);
    expect(() => receive.take(0)).toThrow(closed);

    const { a, b } = pairOfChannels();
    const sealed = await a.seal(new Uint8Array(3));
    a.destroy();
    b.destroy();
    await expect(a.seal(new Uint8Array(3))).rejects.toEqual(closed);
    await expect(b.open(sealed)).rejects.toEqual(closed);

    const sender = await SenderKey.create(roomId, identity, roster, undefined);
    sender.destroy();
    await expect(sender.seal(new Uint8Array(3))).rejects.toEqual(closed);
    expect(() => sender.announcement).toThrow(closed);
  });

  it('while a frame is being opened open nothing more', async () => {
    const { a, b } = pairOfChannels();
    const opening = b.open(await a.seal(new Uint8Array(3)));
    b.destroy();
    await expect(opening).rejects.toEqual(closed);
  });
});

describe('the key of a message', () => {
  it.each([
    ['a group', async () => SenderKey.create(roomId, identity, roster, undefined)],
    ['a pair', async () => pairOfChannels().a],
  ])('in %s is overwritten once the message is sealed', async (_, make) => {
    const sealer = await make();
    const next = vi.spyOn(SendChain.prototype, 'next');
    try {
      await sealer.seal(new Uint8Array(3));
      expect(next).toHaveBeenCalledOnce();
      expect(next.mock.results[0]?.value.key).toEqual(new Uint8Array(32));
    } finally {
      next.mockRestore();
    }
  });
});

describe('the key that opens a message', () => {
  it.each([
    [
      'a group',
      async () => {
        const sender = await SenderKey.create(roomId, identity, roster, undefined);
        return [sender, await ReceiverKey.create(roomId, identity, sender.announcement)] as const;
      },
    ],
    [
      'a pair',
      async () => {
        const { a, b } = pairOfChannels();
        return [a, b] as const;
      },
    ],
  ])('of %s is overwritten afterwards, whether it fits or not', async (_, make) => {
    const [sealer, opener] = await make();
    const frames = [await sealer.seal(new Uint8Array(3)), await sealer.seal(new Uint8Array(3))];
    const take = vi.spyOn(ReceiveChain.prototype, 'take');
    try {
      await opener.open(frames[0] as Uint8Array);
      const wrong = { counter: 1, key: randomBytes(32), nonce: randomBytes(12) };
      take.mockReturnValueOnce(wrong);
      await expect(opener.open(frames[1] as Uint8Array)).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
      expect(take.mock.results.map(({ value }) => value.key)).toEqual([new Uint8Array(32), new Uint8Array(32)]);
    } finally {
      take.mockRestore();
    }
  });
});

describe('two frames with one counter', () => {
  it('opened at the same time count once', async () => {
    const { a, b } = pairOfChannels();
    const sealed = await a.seal(new Uint8Array([7]));
    const outcomes = await Promise.allSettled([b.open(sealed), b.open(sealed)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const overtaken = await a.seal(new Uint8Array([8]));
    expect([...(await b.open(await a.seal(new Uint8Array([9]))))]).toEqual([9]);
    const late = await Promise.allSettled([b.open(overtaken), b.open(overtaken)]);
    expect(late.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('an announcement made in the middle of an epoch', () => {
  it('opens what is sealed from then on and nothing earlier', async () => {
    const sender = await SenderKey.create(roomId, identity, roster, undefined);
    const earlier = await sender.seal(new Uint8Array([1]));
    const receiver = await ReceiverKey.create(roomId, identity, sender.announcement);
    expect([...(await receiver.open(await sender.seal(new Uint8Array([2]))))]).toEqual([2]);
    await expect(receiver.open(earlier)).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
  });
});

describe('a pair frame', () => {
  it('is refused under another session id or pair epoch', async () => {
    const { a, b } = pairOfChannels();
    const sealed = await a.seal(new Uint8Array([1]));
    for (const at of [0, 15, 16, 19]) {
      const changed = sealed.slice();
      changed[at] = (changed[at] as number) ^ 1;
      await expect(b.open(changed)).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
    }
    expect([...(await b.open(sealed))]).toEqual([1]);
  });
});
