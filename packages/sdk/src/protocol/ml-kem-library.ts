import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { erase } from './key-schedule.ts';
import type { MlKem } from './ml-kem.ts';
import { erased } from './ratchet.ts';

/** ML-KEM-768 by `@noble/post-quantum`. */
export const library: MlKem = {
  async keyPair(seed) {
    const { publicKey, secretKey } = ml_kem768.keygen(seed);
    let destroyed = false;
    return {
      publicKey,
      async decapsulate(ciphertext) {
        if (destroyed) throw erased();
        return ml_kem768.decapsulate(ciphertext, secretKey);
      },
      destroy() {
        destroyed = true;
        erase(secretKey);
      },
    };
  },
  async encapsulate(publicKey, randomness) {
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, randomness);
    return { ciphertext: cipherText, sharedSecret };
  },
};
