import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Bytes, concat } from '../wire/index.ts';
import { PairChannel, sidOfPairFrame } from './pair-channel.ts';
import type { PairSecrets } from './pairing.ts';
import { randomBytes } from './random.ts';
import { ReceiveChain } from './ratchet.ts';

const roomId = randomBytes(16);
const refused = expect.objectContaining({ code: 'HANDSHAKE_FAILED' });

function pairOfChannels(): { a: PairChannel; b: PairChannel } {
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

const text = (value: number) => Uint8Array.of(value);

describe('a pair frame', () => {
  it('that was changed anywhere moves no chain and costs no step', async () => {
    const { a, b } = pairOfChannels();
    const sealed = await a.seal(text(1));
    const take = vi.spyOn(ReceiveChain.prototype, 'take');
    try {
      for (let at = 0; at < sealed.length; at++) {
        const changed = sealed.map((byte, i) => (i === at ? byte ^ 1 : byte)) as Bytes;
        await expect(b.open(changed)).rejects.toEqual(refused);
      }
      expect(take).not.toHaveBeenCalled();
    } finally {
      take.mockRestore();
    }
    expect(await b.open(sealed)).toEqual(text(1));
  });

  it('does not open cut short, lengthened, in the other direction or in another room', async () => {
    const { a, b } = pairOfChannels();
    const sealed = await a.seal(text(1));
    await expect(b.open(sealed.subarray(0, -1))).rejects.toEqual(refused);
    await expect(b.open(concat(sealed, text(0)))).rejects.toEqual(refused);
    await expect(a.open(sealed)).rejects.toEqual(refused);
    await expect(pairOfChannels().b.open(sealed)).rejects.toEqual(refused);
    for (const length of [0, 15, 27, 43]) {
      await expect(b.open(sealed.subarray(0, length))).rejects.toMatchObject({
        code: expect.stringMatching(/HANDSHAKE_FAILED|INVALID_ARGUMENT/),
      });
    }
    expect(await b.open(sealed)).toEqual(text(1));
  });
});

describe('after a rekeying', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Both sides use a new root, and a frame of the old epoch is still on its way. */
  async function rekeyed() {
    const { a, b } = pairOfChannels();
    const old = [await a.seal(text(1)), await a.seal(text(2))] as const;
    const [root, transcript] = [randomBytes(32), randomBytes(32)];
    for (const side of [a, b]) side.prepare(1, root.slice(), transcript);
    a.advance();
    return { a, b, old };
  }

  it('frames of the old epoch open for a minute after the first of the new one, and never again', async () => {
    const { a, b, old } = await rekeyed();
    const erased = vi.spyOn(ReceiveChain.prototype, 'erase');
    expect(await b.open(await a.seal(text(3)))).toEqual(text(3));
    expect(b.epoch).toBe(1);
    vi.advanceTimersByTime(59_999);
    expect(await b.open(old[0])).toEqual(text(1));
    expect(erased).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(erased).toHaveBeenCalledOnce();
    erased.mockRestore();
    await expect(b.open(old[1])).rejects.toEqual(refused);
    expect(await b.open(await a.seal(text(4)))).toEqual(text(4));
  });

  it('the old epoch waits for the first frame of the new one, however long that takes', async () => {
    const { a, b, old } = await rekeyed();
    vi.advanceTimersByTime(3_600_000);
    expect(await b.open(old[0])).toEqual(text(1));
    expect(await b.open(await a.seal(text(3)))).toEqual(text(3));
    vi.advanceTimersByTime(59_999);
    expect(await b.open(old[1])).toEqual(text(2));
  });

  it('the minute counts from the first frame, not from the last', async () => {
    const { a, b, old } = await rekeyed();
    await b.open(await a.seal(text(3)));
    vi.advanceTimersByTime(40_000);
    await b.open(await a.seal(text(4)));
    vi.advanceTimersByTime(20_000);
    await expect(b.open(old[0])).rejects.toEqual(refused);
  });

  it('nothing of an epoch that is neither the present, the next nor the last one opens', async () => {
    const { a, b, old } = await rekeyed();
    b.advance();
    for (const side of [a, b]) side.prepare(2, randomBytes(32), randomBytes(32));
    b.advance();
    await expect(b.open(old[0])).rejects.toEqual(refused);
  });

  it('the minute of one epoch does not shorten that of the next', async () => {
    const { a, b } = await rekeyed();
    expect(await b.open(await a.seal(text(3)))).toEqual(text(3));
    const old = await a.seal(text(4));
    vi.advanceTimersByTime(30_000);
    const [root, transcript] = [randomBytes(32), randomBytes(32)];
    for (const side of [a, b]) side.prepare(2, root.slice(), transcript);
    a.advance();
    b.advance();
    // The minute that began with epoch 1 would be over; the one of epoch 2 has not begun.
    vi.advanceTimersByTime(40_000);
    expect(await b.open(old)).toEqual(text(4));
    expect(await b.open(await a.seal(text(5)))).toEqual(text(5));
    expect([a.epoch, b.epoch]).toEqual([2, 2]);
  });

  it('a frame of the epoch to come is the confirmation that it is used, and one of the present is none', async () => {
    const { a, b } = pairOfChannels();
    const before = await a.seal(text(1));
    const [root, transcript] = [randomBytes(32), randomBytes(32)];
    for (const side of [a, b]) side.prepare(1, root.slice(), transcript);
    expect(await b.open(before)).toEqual(text(1));
    expect([a.epoch, b.epoch]).toEqual([0, 0]);
    expect(vi.getTimerCount()).toBe(0);
    a.advance();
    expect(await b.open(await a.seal(text(2)))).toEqual(text(2));
    expect([a.epoch, b.epoch]).toEqual([1, 1]);
    expect(a.rekeySecret).toEqual(b.rekeySecret);
  });

  it('a frame of the old epoch does not begin its last minute', async () => {
    const { a, b, old } = await rekeyed();
    b.advance();
    expect(await b.open(old[0])).toEqual(text(1));
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(3_600_000);
    expect(await b.open(old[1])).toEqual(text(2));
    expect(await b.open(await a.seal(text(3)))).toEqual(text(3));
    expect(vi.getTimerCount()).toBe(1);
  });

  it('frames open where a timer is a number, as in browsers', async () => {
    const { a, b } = await rekeyed();
    const timers = vi.spyOn(globalThis, 'setTimeout').mockReturnValue(7 as never);
    expect(await b.open(await a.seal(text(3)))).toEqual(text(3));
    expect(timers).toHaveBeenCalledOnce();
    timers.mockRestore();
  });

  it('nothing moves on where nothing was prepared', async () => {
    const { a, b } = pairOfChannels();
    const secret = a.rekeySecret.slice();
    a.advance();
    expect([a.epoch, a.rekeySecret]).toEqual([0, secret]);
    expect(await b.open(await a.seal(text(1)))).toEqual(text(1));
  });

  it('nobody waits for the minute to be over: neither a script that is done nor who destroyed the channel', async () => {
    const { a, b } = await rekeyed();
    const timers = vi.spyOn(globalThis, 'setTimeout');
    await b.open(await a.seal(text(3)));
    expect(timers.mock.results.map(({ value }) => value.hasRef())).toEqual([false]);
    timers.mockRestore();
    expect(vi.getTimerCount()).toBe(1);
    b.destroy();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the channel of a pair', () => {
  it('is named by its session, and so is each of its frames', async () => {
    const { a, b } = pairOfChannels();
    expect(a.sid).toEqual(b.sid);
    expect(sidOfPairFrame(await a.seal(text(1)))).toEqual(a.sid);
    expect([a.role, b.role]).toEqual(['a', 'b']);
    expect([a.epoch, b.epoch]).toEqual([0, 0]);
  });
});
