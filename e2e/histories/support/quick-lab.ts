import type { Replacements } from '../../support/test-build.ts';
import { buildLab, type Edit, type Lab } from '../../threats/support/lab.ts';
import { laidOpen } from './laid-open.ts';

/**
 * Stands in for ML-KEM-768, which has tests of its own and here would be a third of the work: sizes and behaviour are the same (another
 * ciphertext gives another secret, and no error), but whoever sees the public key can compute it all.
 */
const QUICK_KEM: Replacements = {
  'protocol/ml-kem-platform.ts': `
    import { createHash } from 'node:crypto';
    const digest = (...parts) => {
      const hash = createHash('sha256');
      for (const part of parts) hash.update(part);
      return new Uint8Array(hash.digest());
    };
    const padded = (bytes, length) => {
      const whole = new Uint8Array(length);
      whole.set(bytes);
      return whole;
    };
    const kem = {
      async keyPair(seed) {
        const publicKey = padded(digest(seed), 1184);
        return {
          publicKey: publicKey.slice(),
          decapsulate: async (ciphertext) => digest(publicKey, ciphertext),
          destroy: () => publicKey.fill(0),
        };
      },
      async encapsulate(publicKey, randomness) {
        const ciphertext = padded(randomness, 1088);
        return { ciphertext, sharedSecret: digest(publicKey, ciphertext) };
      },
    };
    export const platformMlKem = async () => kem;`,
};

/** The SDK as histories play it, its fields laid open; with parts of it switched off by `edits`. */
export const quickLab = (edits: readonly Edit[] = []): Promise<Lab> =>
  buildLab({ edits, replacements: QUICK_KEM, patch: laidOpen });
