import * as nodeCrypto from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bytes } from '../wire/index.ts';
import { chunkCrypto, nodeChunkCrypto, webChunkCrypto } from './chunk-cipher.ts';

const node = nodeChunkCrypto(nodeCrypto);
const bytes = (least: number, most = least) => fc.uint8Array({ minLength: least, maxLength: most }) as fc.Arbitrary<Bytes>;

describe('sealing and hashing in Node', () => {
  it('gives what WebCrypto gives, byte for byte, and each opens what the other sealed', async () => {
    await fc.assert(
      fc.asyncProperty(bytes(32), bytes(12), bytes(16), bytes(0, 5000), async (key, nonce, aad, content) => {
        const [web, own] = [await webChunkCrypto.cipher(key), await node.cipher(key)];
        const box = await web.seal(nonce, aad, content);
        expect([...(await own.seal(nonce, aad, content))]).toEqual([...box]);
        expect([...(await own.open(nonce, aad, box))]).toEqual([...content]);
        expect([...(await node.sha256(box))]).toEqual([...(await webChunkCrypto.sha256(box))]);
      }),
      { numRuns: 60 },
    );
  });

  it('opens nothing that was changed, cut short or sealed for another place, as WebCrypto does not', async () => {
    const key = new Uint8Array(32).fill(1);
    const [nonce, aad, content] = [new Uint8Array(12), new Uint8Array(16), new Uint8Array(100).fill(7)];
    const box = await (await webChunkCrypto.cipher(key)).seal(nonce, aad, content);
    const changed = Array.from(box, (_, i) => box.map((byte, at) => (at === i ? byte ^ 1 : byte)));
    const cut = [0, 1, 15, 16, 17, box.length - 1].map((length) => box.slice(0, length));
    for (const cipher of [await webChunkCrypto.cipher(key), await node.cipher(key)]) {
      expect([...(await cipher.open(nonce, aad, box))]).toEqual([...content]);
      for (const wrong of [...changed, ...cut]) await expect(cipher.open(nonce, aad, wrong)).rejects.toThrow();
      await expect(
        cipher.open(
          nonce.map(() => 1),
          aad,
          box,
        ),
      ).rejects.toThrow();
      await expect(
        cipher.open(
          nonce,
          aad.map(() => 1),
          box,
        ),
      ).rejects.toThrow();
    }
  });

  it('is what is used here', async () => {
    expect(chunkCrypto).not.toBe(webChunkCrypto);
  });
});
