import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Bytes } from '../wire/index.ts';
import { type MlKem, mlKem } from './ml-kem.ts';
import { library } from './ml-kem-library.ts';
import { randomBytes } from './random.ts';
import { CIPHERTEXT_BYTES, encapsulate, generateKeyPair, PUBLIC_KEY_BYTES } from './x-wing.ts';

vi.mock('./ml-kem.ts', async (original) => {
  const actual = await original<typeof import('./ml-kem.ts')>();
  return { ...actual, mlKem: vi.fn(actual.libraryMlKem) };
});
afterEach(() => {
  vi.mocked(mlKem).mockReset();
  vi.mocked(mlKem).mockImplementation(async () => library);
  vi.restoreAllMocks();
});

const bytes = (text = ''): Bytes => new Uint8Array(Buffer.from(text, 'hex'));
const isErased = (secret: Uint8Array): boolean => secret.every((byte) => byte === 0);

/** Seeds, scalars and shared secrets of ML-KEM, as the library is given them and gives them. */
function observed() {
  const secrets: Uint8Array[] = [];
  const see = (secret: Uint8Array) => {
    if (secret.length > 0) secrets.push(secret);
    return secret;
  };
  const destroyed = vi.fn();
  const watching: MlKem = {
    async keyPair(seed) {
      const pair = await library.keyPair(see(seed));
      const decapsulate = async (ciphertext: Uint8Array) => see(await pair.decapsulate(ciphertext));
      return { publicKey: pair.publicKey, decapsulate, destroy: destroyed };
    },
    async encapsulate(publicKey, randomness) {
      const sealed = await library.encapsulate(publicKey, see(randomness));
      see(sealed.sharedSecret);
      return sealed;
    },
  };
  vi.mocked(mlKem).mockImplementation(async () => watching);
  const importKey = crypto.subtle.importKey.bind(crypto.subtle) as (...values: unknown[]) => Promise<CryptoKey>;
  vi.spyOn(crypto.subtle, 'importKey').mockImplementation((async (...values: unknown[]) => {
    const key = await importKey(...values);
    if (values[0] === 'pkcs8') see(values[1] as Bytes);
    return key;
  }) as never);
  return { secrets, destroyed };
}

describe('X-Wing', () => {
  it('gives the answers of OpenSSL’s ML-KEM and X25519', async () => {
    const file = new URL('../../vectors/x-wing-openssl.json', import.meta.url);
    const { answers } = JSON.parse(readFileSync(file, 'utf8')) as { answers: Record<string, string>[] };
    expect(answers.length).toBeGreaterThan(0);
    for (const { seed, publicKey, ciphertext, sharedSecret } of answers) {
      const pair = await generateKeyPair(bytes(seed));
      expect(pair.publicKey).toEqual(bytes(publicKey));
      expect(await pair.decapsulate(bytes(ciphertext))).toEqual(bytes(sharedSecret));
    }
  });

  it('keeps the scalars of X25519 where no script can read them', async () => {
    const importKey = vi.spyOn(crypto.subtle, 'importKey');
    const { publicKey } = await generateKeyPair();
    await encapsulate(publicKey);
    const scalars = importKey.mock.calls.filter(([format]) => format === 'pkcs8');
    expect(scalars.map(([, , algorithm, extractable, usages]) => [algorithm, extractable, usages])).toEqual([
      ['X25519', false, ['deriveBits']],
      ['X25519', false, ['deriveBits']],
    ]);
  });

  it('has keys and ciphertexts of the sizes of its draft', async () => {
    const { publicKey } = await generateKeyPair();
    const { ciphertext, sharedSecret } = await encapsulate(publicKey);
    expect([publicKey.length, ciphertext.length, sharedSecret.length]).toEqual([1216, 1120, 32]);
    expect([PUBLIC_KEY_BYTES, CIPHERTEXT_BYTES]).toEqual([1216, 1120]);
  });

  it('overwrites what a key pair was made from', async () => {
    const { secrets } = observed();
    const seed = randomBytes(32);
    await generateKeyPair(seed);
    expect(isErased(seed)).toBe(true);
    // The seed of ML-KEM, and the scalar of X25519 in PKCS #8.
    expect(secrets.map(({ length }) => length).sort()).toEqual([48, 64]);
    expect(secrets.every(isErased)).toBe(true);
  });

  it('overwrites what a secret was made from, on both sides', async () => {
    const pair = await generateKeyPair();
    const { secrets } = observed();
    const { ciphertext, sharedSecret } = await encapsulate(pair.publicKey);
    // ML-KEM's randomness, its shared secret, and the scalar of X25519 in PKCS #8.
    expect(secrets.map(({ length }) => length).sort()).toEqual([32, 32, 48]);
    expect(secrets.every(isErased)).toBe(true);
    expect(isErased(sharedSecret)).toBe(false);

    const own = await generateKeyPair();
    secrets.length = 0;
    const theirs = await encapsulate(own.publicKey);
    expect(await own.decapsulate(theirs.ciphertext)).toEqual(theirs.sharedSecret);
    expect(secrets.every(isErased)).toBe(true);
    expect(await pair.decapsulate(ciphertext)).toEqual(sharedSecret);
  });

  it('overwrites the randomness that it was given, and uses nothing else', async () => {
    const { publicKey, decapsulate } = await generateKeyPair();
    vi.mocked(mlKem).mockRejectedValue(new Error('the platform draws its own'));
    const given = randomBytes(64);
    const [one, two] = [await encapsulate(publicKey, given.slice()), await encapsulate(publicKey, given)];
    expect(one).toEqual(two);
    expect(isErased(given)).toBe(true);
    expect(await decapsulate(one.ciphertext)).toEqual(one.sharedSecret);
  });

  it('gives the private key up when it is told to', async () => {
    const { destroyed } = observed();
    const pair = await generateKeyPair();
    expect(destroyed).not.toHaveBeenCalled();
    pair.destroy();
    expect(destroyed).toHaveBeenCalledOnce();
  });

  it('depends on both of its halves', async () => {
    const pair = await generateKeyPair();
    const { ciphertext, sharedSecret } = await encapsulate(pair.publicKey);
    // The last byte of X25519's share has a bit that RFC 7748 §5 masks.
    for (const at of [0, 1087, 1088, 1118]) {
      const changed = ciphertext.map((byte, i) => (i === at ? byte ^ 1 : byte));
      expect(await pair.decapsulate(changed)).not.toEqual(sharedSecret);
    }
    expect(await pair.decapsulate(ciphertext)).toEqual(sharedSecret);
  });
});
