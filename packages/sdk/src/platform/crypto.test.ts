import * as own from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bytes } from '../wire/index.ts';
import { nodeCrypto, platformCrypto, webCrypto } from './crypto.ts';

const node = nodeCrypto(own);
const bytes = (least: number, most = least) => fc.uint8Array({ minLength: least, maxLength: most }) as fc.Arbitrary<Bytes>;

describe('sealing, hashing and signing in Node', () => {
  it('gives what WebCrypto gives, byte for byte, and each opens what the other sealed', async () => {
    await fc.assert(
      fc.asyncProperty(bytes(32), bytes(12), bytes(16), bytes(0, 5000), async (key, nonce, aad, content) => {
        const [web, own] = [await webCrypto.cipher(key), await node.cipher(key)];
        const box = await web.seal(nonce, aad, content);
        expect([...(await own.seal(nonce, aad, content))]).toEqual([...box]);
        expect([...(await own.open(nonce, aad, box))]).toEqual([...content]);
        expect([...(await node.sha256(box))]).toEqual([...(await webCrypto.sha256(box))]);
      }),
      { numRuns: 60 },
    );
  });

  it('opens nothing that was changed, cut short or sealed for another place, as WebCrypto does not', async () => {
    const key = new Uint8Array(32).fill(1);
    const [nonce, aad, content] = [new Uint8Array(12), new Uint8Array(16), new Uint8Array(100).fill(7)];
    const box = await (await webCrypto.cipher(key)).seal(nonce, aad, content);
    const changed = Array.from(box, (_, i) => box.map((byte, at) => (at === i ? byte ^ 1 : byte)));
    const cut = [0, 1, 15, 16, 17, box.length - 1].map((length) => box.slice(0, length));
    for (const cipher of [await webCrypto.cipher(key), await node.cipher(key)]) {
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

  it.each([true, false])(
    'signs as WebCrypto does, and each accepts what the other signed: extractable %s',
    async (extractable) => {
      const pair = (await crypto.subtle.generateKey('Ed25519', extractable, ['sign', 'verify'])) as CryptoKeyPair;
      const checks = [webCrypto, node].map(({ verifier }) => verifier(pair.publicKey));
      await fc.assert(
        fc.asyncProperty(bytes(0, 2000), async (message) => {
          const signature = await webCrypto.signer(pair.privateKey)(message);
          expect(await node.signer(pair.privateKey)(message)).toEqual(signature);
          for (const valid of checks) {
            expect(await valid(message, signature)).toBe(true);
            expect(
              await valid(
                message,
                signature.map((byte, i) => (i === message.length % 64 ? byte ^ 1 : byte)),
              ),
            ).toBe(false);
            for (const length of [0, 63]) expect(await valid(message, signature.slice(0, length))).toBe(false);
          }
        }),
        { numRuns: 40 },
      );
    },
  );

  it('gives byte arrays of its own: their parts are copies', async () => {
    const pair = (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair;
    const cipher = await node.cipher(new Uint8Array(32));
    const [nonce, aad] = [new Uint8Array(12), new Uint8Array(0)];
    const box = await cipher.seal(nonce, aad, new Uint8Array(8));
    for (const given of [box, await cipher.open(nonce, aad, box), await node.signer(pair.privateKey)(box)]) {
      expect(given.constructor).toBe(Uint8Array);
    }
  });

  it('is what is used here', async () => {
    expect(platformCrypto).not.toBe(webCrypto);
  });
});
