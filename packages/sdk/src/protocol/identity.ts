import { QsecError } from '../errors.ts';
import { platformCrypto } from '../platform/crypto.ts';
import { type Bytes, concat } from '../wire/index.ts';
import { FINGERPRINT_BYTES } from './invite.ts';
import { hash, purpose } from './key-schedule.ts';

/** Ed25519 (RFC 8032): identities that last as long as a member is in a room, and signing keys of a sender epoch. */

export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** A signing key whose private half leaves the platform's hands nowhere. */
export interface SigningKey {
  readonly publicKey: Bytes;
  /** Signs "qsec2 v1 <about>" | 0 | message. */
  sign(about: string, message: Uint8Array): Promise<Bytes>;
}

/** @throws {QsecError} `UNSUPPORTED` where WebCrypto has no Ed25519 */
export async function generateSigningKey(): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(platformCrypto.prefersExtractable);
  return signingKey(privateKey, publicKey);
}

/**
 * For an identity that is to outlive the page.
 * @param extractable for a storage that keeps bytes only
 * @throws {QsecError} `UNSUPPORTED`
 */
export async function generateKeyPair(extractable: boolean): Promise<{ privateKey: CryptoKey; publicKey: Bytes }> {
  const pair = await generate(extractable);
  return { privateKey: pair.privateKey, publicKey: new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey)) };
}

export function signingKey(privateKey: CryptoKey, publicKey: Bytes): SigningKey {
  const sign = platformCrypto.signer(privateKey);
  return { publicKey, sign: (about, message) => sign(concat(purpose(about), message)) };
}

/** A public key ready to check many signatures. */
export interface VerificationKey {
  verify(about: string, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
}

/** @throws {QsecError} `HANDSHAKE_FAILED` for bytes that are no Ed25519 public key */
export async function importVerificationKey(publicKey: Uint8Array): Promise<VerificationKey> {
  const verify = platformCrypto.verifier(await importPublic(publicKey));
  return { verify: (about, message, signature) => verify(concat(purpose(about), message), signature as Bytes) };
}

/** What an invite pins: the first 16 bytes of a hash of the identity key. */
export const fingerprint = (publicKey: Uint8Array): Bytes => hash(purpose('fingerprint'), publicKey).slice(0, FINGERPRINT_BYTES);

async function generate(extractable: boolean): Promise<CryptoKeyPair> {
  try {
    return (await crypto.subtle.generateKey('Ed25519', extractable, ['sign', 'verify'])) as CryptoKeyPair;
  } catch (cause) {
    throw new QsecError('UNSUPPORTED', 'This browser has no Ed25519 in WebCrypto, or the page is not served over HTTPS.', {
      cause,
    });
  }
}

async function importPublic(publicKey: Uint8Array): Promise<CryptoKey> {
  try {
    return await crypto.subtle.importKey('raw', publicKey as Bytes, 'Ed25519', true, ['verify']);
  } catch (cause) {
    throw new QsecError('HANDSHAKE_FAILED', 'The other side sent bytes that are no Ed25519 public key.', { cause });
  }
}
