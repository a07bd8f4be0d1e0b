import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  chainBounds,
  MAX_FORWARD_JUMP,
  MAX_SKIPPED_KEYS,
  MAX_SKIPPED_KEYS_OF_ALL,
  ReceiveChain,
  SendChain,
  SKIPPED_STEPS,
  SKIPPED_STEPS_PER_SECOND,
  SkippedKeys,
} from './ratchet.ts';

const seed = () => new Uint8Array(32).fill(9);
const keys = (count: number) => {
  const chain = new SendChain(seed());
  return Array.from({ length: count }, () => chain.next());
};
const refused = expect.objectContaining({ code: 'HANDSHAKE_FAILED' });
const limited = expect.objectContaining({ code: 'RATE_LIMITED' });
afterEach(() => void vi.useRealTimers());

describe('ratchet', () => {
  it('gives every message its own key and nonce', () => {
    const made = keys(500).map(({ key, nonce }) => Buffer.concat([key, nonce]).toString('hex'));
    expect(new Set(made).size).toBe(500);
  });

  it('hands out the key of each message once, in any order', () =>
    fc.assert(
      fc.property(fc.shuffledSubarray(Array.from({ length: 40 }, (_, i) => i)), (order) => {
        const sent = keys(40);
        const chain = new ReceiveChain(seed());
        for (const counter of order) {
          expect(chain.take(counter)).toEqual(sent[counter]);
          expect(() => chain.take(counter)).toThrow(refused);
        }
      }),
      { numRuns: 30 },
    ));

  it('begins at the counter that its first key is for', () => {
    const chain = new ReceiveChain(seed(), 7);
    expect(() => chain.take(6)).toThrow(refused);
    expect(chain.take(7)).toEqual({ ...keys(1)[0], counter: 7 });
    expect(chain.head).toBe(8);
  });

  it('does not follow a jump beyond its limit, and keeps a bounded number of skipped keys', () => {
    const chain = new ReceiveChain(seed());
    expect(() => chain.take(MAX_FORWARD_JUMP + 1)).toThrow(refused);
    expect(chain.head).toBe(0);
    chain.take(MAX_FORWARD_JUMP);
    for (const lost of [0, MAX_FORWARD_JUMP - MAX_SKIPPED_KEYS - 1]) expect(() => chain.take(lost)).toThrow(refused);
    chain.take(MAX_FORWARD_JUMP - MAX_SKIPPED_KEYS);
  });

  it('keeps a bounded number of skipped keys in all chains of a room, those of who skipped last', () => {
    const ofAll = new SkippedKeys();
    const chains = Array.from({ length: 5 }, () => new ReceiveChain(seed(), 0, chainBounds(ofAll)));
    for (const chain of chains) chain.take(MAX_SKIPPED_KEYS);
    expect(ofAll.total).toBe(MAX_SKIPPED_KEYS_OF_ALL);
    const [first, ...others] = chains;
    expect(() => first?.take(0)).toThrow(refused);
    for (const chain of others) chain.take(0);
    expect(ofAll.total).toBe(MAX_SKIPPED_KEYS_OF_ALL - others.length);
    for (const chain of chains) chain.erase();
    expect(ofAll.total).toBe(0);
  });

  it('steps past so many missing messages of a member, in all of its chains, and a few more each second', () => {
    vi.useFakeTimers();
    const bounds = chainBounds();
    const [one, two] = [new ReceiveChain(seed(), 0, bounds), new ReceiveChain(seed(), 0, bounds)];
    one.take(MAX_FORWARD_JUMP);
    two.take(SKIPPED_STEPS - MAX_FORWARD_JUMP);
    expect(() => one.take(one.head + 1)).toThrow(limited);
    // What is not ahead of others costs nothing, nor does a message that was refused.
    const { head } = one;
    one.take(head);
    expect(() => two.take(two.head - 1)).toThrow(refused);
    expect(two.take(two.head - 2)).toBeDefined();
    vi.advanceTimersByTime(1000);
    expect(() => one.take(one.head + SKIPPED_STEPS_PER_SECOND + 1)).toThrow(limited);
    one.take(one.head + SKIPPED_STEPS_PER_SECOND);
    vi.advanceTimersByTime(3_600_000);
    one.take(one.head + MAX_FORWARD_JUMP);
    two.take(two.head + MAX_FORWARD_JUMP);
    expect(() => two.take(two.head + 1)).toThrow(limited);
  });

  it('takes the keys away from who skipped longest ago, and nobody comes later by using one', () => {
    const ofAll = new SkippedKeys();
    const make = () => new ReceiveChain(seed(), 0, chainBounds(ofAll));
    const [first, second, third, fourth, fifth] = [make(), make(), make(), make(), make()];
    for (const chain of [first, second, third, fourth]) chain.take(500);
    // One more of the first: it is the last one now. The second uses one, and opens one in its turn, which moves it nowhere.
    first.take(502);
    second.take(0);
    second.take(second.head);
    expect(ofAll.total).toBe(2000);
    fifth.take(60);
    expect(ofAll.total).toBe(MAX_SKIPPED_KEYS_OF_ALL);
    for (const lost of [1, 12]) expect(() => second.take(lost)).toThrow(refused);
    second.take(13);
    for (const chain of [first, third, fourth, fifth]) chain.take(0);
    expect(ofAll.total).toBe(MAX_SKIPPED_KEYS_OF_ALL - 5);
  });

  it('forgets a chain that keeps nothing any more, and takes it in again at the end', () => {
    const ofAll = new SkippedKeys();
    const make = () => new ReceiveChain(seed(), 0, chainBounds(ofAll));
    const [first, second, ...others] = [make(), make(), make(), make(), make()];
    first.take(1);
    first.take(0);
    expect(ofAll.total).toBe(0);
    second?.take(500);
    first.take(502);
    for (const chain of others) chain.take(MAX_SKIPPED_KEYS);
    // 500 + 500 + 3 · 512: the second chain is the oldest.
    expect(ofAll.total).toBe(MAX_SKIPPED_KEYS_OF_ALL);
    expect(() => second?.take(487)).toThrow(refused);
    second?.take(488);
    first.take(2);
  });

  it('does without its oldest key when it is told to, and with nothing where it keeps none', () => {
    const ofAll = new SkippedKeys();
    const chain = new ReceiveChain(seed(), 0, chainBounds(ofAll));
    chain.forgetOldest();
    expect(ofAll.total).toBe(0);
    chain.take(2);
    chain.forgetOldest();
    expect(ofAll.total).toBe(1);
    expect(() => chain.take(0)).toThrow(refused);
    chain.take(1);
    expect(ofAll.total).toBe(0);
  });

  it('counts what was sealed and what was opened', () => {
    const [send, receive] = [new SendChain(seed()), new ReceiveChain(seed())];
    expect([send.count, receive.head]).toEqual([0, 0]);
    send.next();
    receive.take(4);
    expect([send.count, receive.head]).toEqual([1, 5]);
    expect(send.chainKey).not.toEqual(seed());
    const copy = send.chainKey;
    copy.fill(0);
    expect(send.chainKey).not.toEqual(copy);
  });
});
