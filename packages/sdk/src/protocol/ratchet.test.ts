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
});
