import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { erase } from './key-schedule.ts';
import type { MlKem } from './ml-kem.ts';

/** ML-KEM-768 by `@noble/post-quantum`. */
export const library: MlKem = {
  async keyPair(seed) {
    const { publicKey, secretKey } = ml_kem768.keygen(seed);
    return {
      publicKey,
      decapsulate: async (ciphertext) => ml_kem768.decapsulate(ciphertext, secretKey),
      destroy: () => erase(secretKey),
    };
  },
  async encapsulate(publicKey, randomness) {
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, randomness);
    return { ciphertext: cipherText, sharedSecret };
  },
};
