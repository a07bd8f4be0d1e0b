import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { expand } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { chromium } from '@playwright/test';
import { beforeAll, describe, expect, it } from 'vitest';
import { nodeOf } from '../../scripts/nodes.mjs';
import { buildLab, type Lab } from '../threats/support/lab.ts';

/** ML-KEM-768 and X-Wing against implementations that share no code with ours, both ways. */

const chromiumAt = process.env.QSEC2_CHROMIUM ?? '/usr/bin/chromium';
/** Its own cryptography has ML-KEM. */
const newer = nodeOf(26);
const random = (length: number): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(length));
const bytes = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, 'hex'));

type NativeAnswer = Record<
  'publicKey' | 'opened' | 'ciphertext' | 'sharedSecret' | 'kemOpened' | 'kemCiphertext' | 'kemSharedSecret',
  Uint8Array<ArrayBuffer>
>;

/** What another Node's WebCrypto computes. Throws when it cannot. */
function askNative(node: string, request: Record<string, Uint8Array>): NativeAnswer {
  const script = fileURLToPath(new URL('native-kem.mjs', import.meta.url));
  const inHex = Object.entries(request).map(([name, value]) => [name, Buffer.from(value).toString('hex')]);
  const input = JSON.stringify(Object.fromEntries(inHex));
  const output = execFileSync(node, [script, 'answer'], { input, encoding: 'utf8', env: {} });
  const answer = Object.entries(JSON.parse(output) as Record<string, string>).map(([name, text]) => [name, bytes(text)]);
  return Object.fromEntries(answer) as NativeAnswer;
}

let lab: Lab;
beforeAll(async () => {
  lab = await buildLab();
});

describe('X-Wing', () => {
  it('gives the answers of OpenSSL’s ML-KEM and X25519', async () => {
    const file = new URL('../../packages/sdk/vectors/x-wing-openssl.json', import.meta.url);
    const { answers } = JSON.parse(await readFile(file, 'utf8')) as { answers: Record<string, string>[] };
    expect(answers.length).toBeGreaterThan(0);
    for (const { seed = '', publicKey = '', ciphertext = '', sharedSecret = '' } of answers) {
      const pair = await lab.protocol.generateKeyPair(bytes(seed));
      expect(Buffer.from(pair.publicKey).toString('hex')).toBe(publicKey);
      expect(Buffer.from(await pair.decapsulate(bytes(ciphertext))).toString('hex')).toBe(sharedSecret);
    }
  });

  it('agrees with another implementation of the whole, both ways', async () => {
    const seed = random(32);
    const theirs = ml_kem768_x25519.keygen(seed);
    const ours = await lab.protocol.generateKeyPair(seed.slice());
    expect(ours.publicKey).toEqual(new Uint8Array(theirs.publicKey));
    const sealed = ml_kem768_x25519.encapsulate(theirs.publicKey);
    expect(await ours.decapsulate(sealed.cipherText)).toEqual(new Uint8Array(sealed.sharedSecret));
    const { ciphertext, sharedSecret } = await lab.protocol.encapsulate(ours.publicKey);
    expect(new Uint8Array(ml_kem768_x25519.decapsulate(ciphertext, theirs.secretKey))).toEqual(sharedSecret);
  });
});

describe.skipIf(!newer)('a newer Node’s own cryptography', () => {
  it('agrees on X-Wing and on ML-KEM-768, both ways', async () => {
    const [seed, kemSeed] = [random(32), random(64)];
    const ours = await lab.protocol.generateKeyPair(seed.slice());
    const sealed = await lab.protocol.encapsulate(ours.publicKey);
    const ourKem = ml_kem768.keygen(kemSeed);
    const kemSealed = ml_kem768.encapsulate(ourKem.publicKey);
    const theirs = askNative(newer as string, {
      seed,
      publicKey: ours.publicKey,
      ciphertext: sealed.ciphertext,
      kemSeed,
      kemPublicKey: ourKem.publicKey,
      kemCiphertext: kemSealed.cipherText,
    });
    expect(theirs.publicKey).toEqual(ours.publicKey);
    expect(theirs.opened).toEqual(sealed.sharedSecret);
    expect(await ours.decapsulate(theirs.ciphertext)).toEqual(theirs.sharedSecret);
    expect(theirs.kemOpened).toEqual(kemSealed.sharedSecret);
    expect(ml_kem768.decapsulate(theirs.kemCiphertext, ourKem.secretKey)).toEqual(theirs.kemSharedSecret);
  });
});

describe('ML-KEM-768', () => {
  it('agrees with Chromium’s, both ways', async ({ skip }) => {
    const server = createServer((_, response) => response.end('<title>kem</title>')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
    const browser = await chromium.launch({ executablePath: chromiumAt, args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${address.port}/`);
      const keys = ml_kem768.keygen(random(64));
      const { cipherText, sharedSecret } = ml_kem768.encapsulate(keys.publicKey);
      const seed = random(64);
      const forChromium = ml_kem768.encapsulate(ml_kem768.keygen(seed).publicKey);
      const answer = await page.evaluate(
        async ({ publicKey, seed, sealed }) => {
          const subtle = crypto.subtle as unknown as Record<string, (...values: unknown[]) => Promise<never>>;
          const from = (list: number[]) => new Uint8Array(list);
          const list = (buffer: ArrayBuffer) => [...new Uint8Array(buffer)];
          try {
            const theirs = await subtle.importKey?.('raw-public', from(publicKey), 'ML-KEM-768', true, ['encapsulateBits']);
            const given = (await subtle.encapsulateBits?.('ML-KEM-768', theirs)) as unknown as {
              sharedKey: ArrayBuffer;
              ciphertext: ArrayBuffer;
            };
            const own = await subtle.importKey?.('raw-seed', from(seed), 'ML-KEM-768', true, ['decapsulateBits']);
            const opened = (await subtle.decapsulateBits?.('ML-KEM-768', own, from(sealed))) as unknown as ArrayBuffer;
            return { ciphertext: list(given.ciphertext), sharedSecret: list(given.sharedKey), opened: list(opened) };
          } catch (error) {
            if (error instanceof DOMException && error.name === 'NotSupportedError') return undefined;
            throw error;
          }
        },
        { publicKey: [...keys.publicKey], seed: [...seed], sealed: [...forChromium.cipherText] },
      );
      if (!answer) return skip('this Chromium has no ML-KEM');
      expect(ml_kem768.decapsulate(new Uint8Array(answer.ciphertext), keys.secretKey)).toEqual(
        new Uint8Array(answer.sharedSecret),
      );
      expect(new Uint8Array(answer.opened)).toEqual(forChromium.sharedSecret);
      expect(ml_kem768.decapsulate(cipherText, keys.secretKey)).toEqual(sharedSecret);
    } finally {
      await browser.close();
      server.close();
    }
  });
});

describe('X25519', () => {
  it('gives the shared secret of RFC 7748 §6.1', async () => {
    const find = 'async function multiply(';
    const exported = [
      { file: 'protocol/x-wing.ts', find, put: `export ${find}` },
      { file: 'protocol/x-wing.ts', find: 'async function importScalar(', put: 'export async function importScalar(' },
    ];
    const { importScalar, multiply } = (await buildLab({ edits: exported })).protocol as unknown as X25519;
    const [alice, bob] = await Promise.all(
      [
        '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a',
        '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb',
      ].map((scalar) => importScalar(bytes(scalar))),
    );
    const base = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 9 : 0));
    const [alices, bobs] = await Promise.all([alice, bob].map((scalar) => multiply(scalar as CryptoKey, base)));
    expect(alices).toEqual(bytes('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a'));
    expect(bobs).toEqual(bytes('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'));
    const shared = bytes('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742');
    expect(await multiply(alice as CryptoKey, bobs as Uint8Array)).toEqual(shared);
    expect(await multiply(bob as CryptoKey, alices as Uint8Array)).toEqual(shared);
  });
});

interface X25519 {
  importScalar(scalar: Uint8Array): Promise<CryptoKey>;
  multiply(scalar: CryptoKey, point: Uint8Array): Promise<Uint8Array>;
}

describe('HKDF-SHA-256', () => {
  const sequence = (from: number, to: number) => Uint8Array.from({ length: to - from + 1 }, (_, i) => from + i);

  // RFC 5869, appendix A.1 to A.3: secret, salt, info, PRK, OKM.
  it.each([
    [
      new Uint8Array(22).fill(0x0b),
      sequence(0x00, 0x0c),
      sequence(0xf0, 0xf9),
      '077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5',
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    ],
    [
      sequence(0x00, 0x4f),
      sequence(0x60, 0xaf),
      sequence(0xb0, 0xff),
      '06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244',
      'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
    ],
    [
      new Uint8Array(22).fill(0x0b),
      new Uint8Array(0),
      new Uint8Array(0),
      '19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04',
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    ],
  ])('gives the answers of RFC 5869 (%#)', (secret, salt, info, prk, okm) => {
    expect(lab.protocol.extract(salt, secret)).toEqual(bytes(prk));
    expect(expand(sha256, bytes(prk), info, okm.length / 2)).toEqual(bytes(okm));
  });
});
