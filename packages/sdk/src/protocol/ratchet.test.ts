import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_FORWARD_JUMP, MAX_SKIPPED_KEYS, MAX_SKIPPED_KEYS_OF_ALL, ReceiveChain, SendChain, SkippedKeys } from './ratchet.ts';

const seed = () => new Uint8Array(32).fill(9);
const keys = (count: number) => {
  const chain = new SendChain(seed());
  return Array.from({ length: count }, () => chain.next());
};
const copy = async (key: Uint8Array) => key.slice();

describe('ratchet', () => {
  it('gives every message its own key and nonce', () => {
    const made = keys(500).map(({ key, nonce }) => Buffer.concat([key, nonce]).toString('hex'));
    expect(new Set(made).size).toBe(500);
  });

  it('opens each message once in any order', () =>
    fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(Array.from({ length: 40 }, (_, i) => i)), async (order) => {
        const sent = keys(40);
        const chain = new ReceiveChain(seed());
        for (const counter of order) {
          expect(await chain.open(counter, copy)).toEqual(sent[counter]?.key);
          await expect(chain.open(counter, copy)).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
        }
      }),
      { numRuns: 30 },
    ));

  it('stays as it was when opening fails', async () => {
    const [first, second] = keys(2);
    const chain = new ReceiveChain(seed());
    const fail = () => Promise.reject(new Error('does not open'));
    await expect(chain.open(1, fail)).rejects.toThrow('does not open');
    expect(chain.head).toBe(0);
    expect(await chain.open(0, copy)).toEqual(first?.key);
    expect(await chain.open(1, copy)).toEqual(second?.key);
  });

  it('does not follow a jump beyond its limit, and keeps a bounded number of skipped keys', async () => {
    const chain = new ReceiveChain(seed());
    await expect(chain.open(MAX_FORWARD_JUMP + 1, copy)).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
    await chain.open(MAX_FORWARD_JUMP, copy);
    await expect(chain.open(0, copy)).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
    await chain.open(MAX_FORWARD_JUMP - MAX_SKIPPED_KEYS, copy);
  });

  it('keeps a bounded number of skipped keys in all chains of a room, those of who skipped last', async () => {
    const ofAll = new SkippedKeys();
    const chains = Array.from({ length: 5 }, () => new ReceiveChain(seed(), 0, ofAll));
    for (const chain of chains) await chain.open(MAX_SKIPPED_KEYS, copy);
    expect(ofAll.total).toBe(MAX_SKIPPED_KEYS_OF_ALL);
    const [first, ...others] = chains;
    await expect(first?.open(0, copy)).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
    for (const chain of others) await chain.open(0, copy);
    expect(ofAll.total).toBe(MAX_SKIPPED_KEYS_OF_ALL - others.length);
    for (const chain of chains) chain.erase();
    expect(ofAll.total).toBe(0);
  });
});
