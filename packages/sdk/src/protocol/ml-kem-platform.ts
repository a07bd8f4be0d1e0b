import type { Bytes } from '../wire/index.ts';
import type { MlKem } from './ml-kem.ts';
import { erased } from './ratchet.ts';

/** ML-KEM-768 by WebCrypto (Modern Algorithms in the Web Cryptography API, §ML-KEM). */

const NAME = 'ML-KEM-768';

/** What that draft adds, which TypeScript does not know yet. */
interface KemCrypto {
  importKey(
    format: 'raw-seed' | 'raw-public',
    key: Bytes,
    name: string,
    extractable: boolean,
    usages: string[],
  ): Promise<CryptoKey>;
  exportKey(format: 'raw-public', key: CryptoKey): Promise<ArrayBuffer>;
  getPublicKey(key: CryptoKey, usages: string[]): Promise<CryptoKey>;
  encapsulateBits(name: string, key: CryptoKey): Promise<{ sharedKey: ArrayBuffer; ciphertext: ArrayBuffer }>;
  decapsulateBits(name: string, key: CryptoKey, ciphertext: Bytes): Promise<ArrayBuffer>;
}

/** The first Node that does not call it an experiment, with warnings on the standard error of the application. */
const STABLE_IN_NODE = 26;

/** Undefined where the platform does not have it, or not yet for good. */
export async function platformMlKem(): Promise<MlKem | undefined> {
  if (nodeMajor() < STABLE_IN_NODE) return undefined;
  const subtle = crypto.subtle as unknown as KemCrypto;
  if (typeof subtle.encapsulateBits !== 'function' || typeof subtle.getPublicKey !== 'function') return undefined;
  const kem = over(subtle);
  try {
    // The methods may be there without the algorithm.
    await kem.keyPair(new Uint8Array(64));
    return kem;
  } catch {
    return undefined;
  }
}

/** Infinity where this is no Node. */
function nodeMajor(): number {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  return Number.parseFloat(process?.versions?.node ?? 'Infinity');
}

function over(subtle: KemCrypto): MlKem {
  return {
    async keyPair(seed) {
      let key: CryptoKey | undefined = await subtle.importKey('raw-seed', seed as Bytes, NAME, false, ['decapsulateBits']);
      const publicKey = await subtle.getPublicKey(key, ['encapsulateBits']);
      return {
        publicKey: new Uint8Array(await subtle.exportKey('raw-public', publicKey)),
        async decapsulate(ciphertext) {
          if (!key) throw erased();
          return new Uint8Array(await subtle.decapsulateBits(NAME, key, ciphertext as Bytes));
        },
        destroy() {
          key = undefined;
        },
      };
    },
    async encapsulate(publicKey) {
      const key = await subtle.importKey('raw-public', publicKey as Bytes, NAME, true, ['encapsulateBits']);
      const { sharedKey, ciphertext } = await subtle.encapsulateBits(NAME, key);
      return { ciphertext: new Uint8Array(ciphertext), sharedSecret: new Uint8Array(sharedKey) };
    },
  };
}
