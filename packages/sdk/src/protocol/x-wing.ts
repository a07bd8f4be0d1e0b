import { sha3_256, shake256 } from '@noble/hashes/sha3.js';
import { QsecError } from '../errors.ts';
import { type Bytes, concat } from '../wire/index.ts';
import { erase } from './key-schedule.ts';
import { KEM_CIPHERTEXT_BYTES, KEM_PUBLIC_BYTES, KEM_SEED_BYTES, libraryMlKem, type MlKem, mlKem } from './ml-kem.ts';
import { randomBytes } from './random.ts';

/**
 * X-Wing, the hybrid of ML-KEM-768 (FIPS 203) and X25519 (RFC 7748): draft-connolly-cfrg-xwing-kem.
 * Secret as long as either of the two holds.
 */

export const SEED_BYTES = 32;
export const ENCAPSULATION_SEED_BYTES = 64;
const X25519_BYTES = 32;
export const PUBLIC_KEY_BYTES = KEM_PUBLIC_BYTES + X25519_BYTES;
export const CIPHERTEXT_BYTES = KEM_CIPHERTEXT_BYTES + X25519_BYTES;

/** The label of §5.3: an X-wing fighter, `\./` over `/^\`. */
const LABEL = new Uint8Array([0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c]);

/** What precedes the 32 bytes of an X25519 private key in PKCS #8 (RFC 8410 §7). */
const PKCS8_PREFIX = new Uint8Array([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20]);

/** The base point u = 9 (RFC 7748 §4.1): a scalar's public key is its product with this point. */
const BASE_POINT = Uint8Array.from({ length: X25519_BYTES }, (_, i) => (i === 0 ? 9 : 0));

export interface KeyPair {
  publicKey: Bytes;
  /** Computes the shared secret; the private key stays inside, until {@link KeyPair.destroy}. */
  decapsulate(ciphertext: Uint8Array): Promise<Bytes>;
  /** Overwrites the private key. */
  destroy(): void;
}

export interface Encapsulation {
  ciphertext: Bytes;
  sharedSecret: Bytes;
}

/** @param seed 32 bytes, erased; random unless a test vector is wanted */
export async function generateKeyPair(seed: Bytes = randomBytes(SEED_BYTES)): Promise<KeyPair> {
  const expanded = shake256(seed, { dkLen: 96 });
  const [kem, scalar] = await Promise.all([
    mlKem().then((implementation) => implementation.keyPair(expanded.subarray(0, KEM_SEED_BYTES))),
    importScalar(expanded.subarray(KEM_SEED_BYTES)),
  ]);
  const x25519Public = await multiply(scalar, BASE_POINT);
  erase(seed, expanded);
  const publicKey = concat(kem.publicKey, x25519Public);

  return {
    publicKey,
    async decapsulate(ciphertext) {
      if (ciphertext.length !== CIPHERTEXT_BYTES) throw malformed('ciphertext', CIPHERTEXT_BYTES, ciphertext);
      const x25519Ciphertext = ciphertext.subarray(KEM_CIPHERTEXT_BYTES);
      const [kemShared, x25519Shared] = await Promise.all([
        kem.decapsulate(ciphertext.subarray(0, KEM_CIPHERTEXT_BYTES)),
        multiply(scalar, x25519Ciphertext),
      ]);
      return combine(kemShared, x25519Shared, x25519Ciphertext, x25519Public);
    },
    // The X25519 half is a CryptoKey that cannot be exported; it goes with the last reference.
    destroy: () => kem.destroy(),
  };
}

/**
 * @param given 64 bytes, erased, when a test vector is wanted
 * @throws {QsecError} `HANDSHAKE_FAILED` for a public key that is malformed or of low order
 */
export async function encapsulate(publicKey: Uint8Array, given?: Bytes): Promise<Encapsulation> {
  if (publicKey.length !== PUBLIC_KEY_BYTES) throw malformed('public key', PUBLIC_KEY_BYTES, publicKey);
  const x25519Public = publicKey.subarray(KEM_PUBLIC_BYTES);
  const seed = given ?? randomBytes(ENCAPSULATION_SEED_BYTES);
  const [kem, scalar] = await Promise.all([
    encapsulateKem(await (given ? libraryMlKem() : mlKem()), publicKey.subarray(0, KEM_PUBLIC_BYTES), seed.subarray(0, 32)),
    importScalar(seed.subarray(32)),
  ]);
  const [x25519Ciphertext, x25519Shared] = await Promise.all([multiply(scalar, BASE_POINT), multiply(scalar, x25519Public)]);
  erase(seed);
  return {
    ciphertext: concat(kem.ciphertext, x25519Ciphertext),
    sharedSecret: combine(kem.sharedSecret, x25519Shared, x25519Ciphertext, x25519Public),
  };
}

/** §5.3: SHA3-256 over both secrets, the X25519 ciphertext and public key, and the label. */
function combine(kemShared: Uint8Array, x25519Shared: Uint8Array, x25519Ciphertext: Uint8Array, x25519Public: Uint8Array): Bytes {
  const input = concat(kemShared, x25519Shared, x25519Ciphertext, x25519Public, LABEL);
  const sharedSecret = sha3_256(input) as Bytes;
  erase(kemShared, x25519Shared, input);
  return sharedSecret;
}

async function encapsulateKem(kem: MlKem, publicKey: Uint8Array, randomness: Uint8Array) {
  try {
    return await kem.encapsulate(publicKey, randomness);
  } catch (cause) {
    // FIPS 203 §7.2: the encapsulation key check refuses coefficients that are not reduced.
    throw new QsecError('HANDSHAKE_FAILED', 'The other side sent a key that is not an ML-KEM-768 public key.', { cause });
  }
}

async function importScalar(scalar: Uint8Array): Promise<CryptoKey> {
  const pkcs8 = concat(PKCS8_PREFIX, scalar);
  const key = await crypto.subtle.importKey('pkcs8', pkcs8, 'X25519', false, ['deriveBits']);
  erase(pkcs8);
  return key;
}

async function multiply(scalar: CryptoKey, point: Uint8Array): Promise<Bytes> {
  try {
    const publicKey = await crypto.subtle.importKey('raw', point as Bytes, 'X25519', true, []);
    return new Uint8Array(await crypto.subtle.deriveBits({ name: 'X25519', public: publicKey }, scalar, 8 * X25519_BYTES));
  } catch (cause) {
    // RFC 7748 §6.1: an all-zero result means a point of low order.
    throw new QsecError('HANDSHAKE_FAILED', 'The other side sent an X25519 key of low order.', { cause });
  }
}

function malformed(what: string, expected: number, got: Uint8Array): QsecError {
  return new QsecError('HANDSHAKE_FAILED', `The other side sent a ${what} of ${got.length} bytes; X-Wing's has ${expected}.`);
}
