import { createHash } from 'node:crypto';
import type { Replacements } from '../support/test-build.ts';
import type { Edit } from '../threats/support/lab.ts';

/**
 * A build whose randomness is a stream that anybody can compute: byte string number n is the first bytes of
 * SHA-256(label | u32 n | u32 0) | SHA-256(label | u32 n | u32 1) | … The draws are numbered by name, so that a vector says which
 * one each secret is. Identities and signing keys are Ed25519 keys whose private seed is drawn from it, too.
 */

export const LABEL = 'qsec2 test vectors';

export function draw(number: number, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let block = 0; blocks.length * 32 < length; block++) {
    const counter = Buffer.alloc(8);
    counter.writeUInt32BE(number, 0);
    counter.writeUInt32BE(block, 4);
    blocks.push(createHash('sha256').update(LABEL).update(counter).digest());
  }
  return Buffer.concat(blocks).subarray(0, length);
}

declare global {
  /** Number of the next draw. */
  var __qsec2Draw: number;
  var __qsec2Draws: ((number: number, length: number) => Uint8Array) | undefined;
}

export const DETERMINISTIC: Replacements = {
  'protocol/random.ts': `
    export const randomBytes = (length) => new Uint8Array(globalThis.__qsec2Draws(globalThis.__qsec2Draw++, length));`,
  // The platform's ML-KEM takes no randomness from outside.
  'protocol/ml-kem-platform.ts': 'export const platformMlKem = async () => undefined;',
};

/** Private keys from the stream: PKCS #8 (RFC 8410 §7) in the place of generated ones. */
export const DRAWN_KEYS: readonly Edit[] = [
  {
    file: 'protocol/identity.ts',
    find: /return \(await crypto\.subtle\.generateKey\('Ed25519',[^;]*;/,
    put: `
      const seed = globalThis.__qsec2Draws(globalThis.__qsec2Draw++, 32);
      const pkcs8 = concat(new Uint8Array([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20]), seed);
      const privateKey = await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', true, ['sign']);
      const { x } = await crypto.subtle.exportKey('jwk', privateKey);
      const publicKey = await crypto.subtle.importKey('jwk', { kty: 'OKP', crv: 'Ed25519', x }, 'Ed25519', true, ['verify']);
      return { privateKey, publicKey } as CryptoKeyPair;`,
  },
];

/** Begins the stream again. */
export function rewind(): void {
  globalThis.__qsec2Draw = 0;
  globalThis.__qsec2Draws = draw;
}
