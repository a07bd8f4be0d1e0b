import { part } from '../part.ts';
import { platformMlKem } from './ml-kem-platform.ts';

/**
 * ML-KEM-768 (FIPS 203): the platform's own where WebCrypto has it, which is several times faster from the first call on, and
 * a library's elsewhere, which is loaded only there.
 */

export const KEM_SEED_BYTES = 64;
export const KEM_PUBLIC_BYTES = 1184;
export const KEM_CIPHERTEXT_BYTES = 1088;

export interface MlKemKeyPair {
  /** 1184 bytes. */
  publicKey: Uint8Array;
  /**
   * @param ciphertext 1088 bytes; one that was tampered with gives a secret that nobody has (§6.3, implicit rejection)
   * @throws {QsecError} `CLOSED` once the key pair was destroyed
   */
  decapsulate(ciphertext: Uint8Array): Promise<Uint8Array>;
  /** Overwrites the private key, or gives up the last reference to it. */
  destroy(): void;
}

export interface MlKem {
  /** @param seed 64 bytes, d | z (§7.1) */
  keyPair(seed: Uint8Array): Promise<MlKemKeyPair>;
  /**
   * @param randomness 32 bytes, m (§7.2); the platform draws its own
   * @throws when `publicKey` does not pass the check of §7.2
   */
  encapsulate(publicKey: Uint8Array, randomness: Uint8Array): Promise<{ ciphertext: Uint8Array; sharedSecret: Uint8Array }>;
}

let chosen: Promise<MlKem> | undefined;

export function mlKem(): Promise<MlKem> {
  if (!chosen) {
    chosen = platformMlKem().then((platform) => platform ?? libraryMlKem());
    // What did not arrive is asked for again.
    chosen.catch(() => {
      chosen = undefined;
    });
  }
  return chosen;
}

/** The one that uses the randomness it is given: known answers need it. */
export const libraryMlKem = (): Promise<MlKem> => part(() => import('./ml-kem-library.ts')).then(({ library }) => library);
