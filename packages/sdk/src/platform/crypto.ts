import type { Bytes } from '../wire/index.ts';

/** What the platform computes: WebCrypto, and in Node what does the same for less. See docs/adr/0018 and 0020. */

const TAG_BYTES = 16;
const HASH = 'SHA-256';
const ED25519 = 'Ed25519';

/** AES-256-GCM under one key. Boxes are ciphertext and tag. */
export interface Cipher {
  seal(nonce: Bytes, aad: Bytes, content: Bytes): Promise<Bytes>;
  /** Rejects for a box that was not sealed by the same key with the same nonce and data. */
  open(nonce: Bytes, aad: Bytes, box: Bytes): Promise<Bytes>;
}

/** AES-256-GCM, SHA-256 and Ed25519, for amounts of data and of messages. */
export interface PlatformCrypto {
  /** @param key 32 bytes */
  cipher(key: Bytes): Promise<Cipher>;
  sha256(data: Bytes): Promise<Uint8Array>;
  /** Whether keys that live and die here sign for less if they are extractable. Nobody gets to see them either way. */
  readonly prefersExtractable: boolean;
  /** @returns signs with a private key, which need not be extractable: 64 bytes */
  signer(key: CryptoKey): (message: Bytes) => Promise<Bytes>;
  /** @returns whether a signature of a message is by a public key's other half */
  verifier(key: CryptoKey): (message: Bytes, signature: Bytes) => Promise<boolean>;
}

/** Everywhere: WebCrypto. */
export const webCrypto: PlatformCrypto = {
  async cipher(raw) {
    const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']);
    const algorithm = (iv: Bytes, additionalData: Bytes) => ({ name: 'AES-GCM', iv, additionalData });
    return {
      seal: async (nonce, aad, content) => new Uint8Array(await crypto.subtle.encrypt(algorithm(nonce, aad), key, content)),
      open: async (nonce, aad, box) => new Uint8Array(await crypto.subtle.decrypt(algorithm(nonce, aad), key, box)),
    };
  },
  sha256: async (data) => new Uint8Array(await crypto.subtle.digest(HASH, data)),
  prefersExtractable: false,
  signer: (key) => async (message) => new Uint8Array(await crypto.subtle.sign(ED25519, key, message)),
  verifier: (key) => (message, signature) => crypto.subtle.verify(ED25519, key, signature, message),
};

/**
 * In Node: WebCrypto there copies what it is given for another thread and waits for that, which takes longer than to seal or sign at
 * once. Checking a signature takes long enough to be worth a thread.
 */
export function nodeCrypto(node: typeof import('node:crypto')): PlatformCrypto {
  const { createCipheriv, createDecipheriv, createHash, KeyObject } = node;
  const keyObject = (key: CryptoKey) => KeyObject.from(key as import('node:crypto').webcrypto.CryptoKey);
  return {
    async cipher(key) {
      return {
        async seal(nonce, aad, content) {
          const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad);
          const box = new Uint8Array(content.length + TAG_BYTES);
          box.set(cipher.update(content));
          cipher.final();
          box.set(cipher.getAuthTag(), content.length);
          return box;
        },
        async open(nonce, aad, box) {
          const end = box.length - TAG_BYTES;
          const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
            .setAAD(aad)
            .setAuthTag(box.subarray(end));
          const content = decipher.update(box.subarray(0, end));
          decipher.final();
          return plain(content);
        },
      };
    },
    sha256: async (data) => createHash('sha256').update(data).digest(),
    prefersExtractable: true,
    signer(key) {
      // Node withdraws the other way to use one that is not (DEP0204), and passing it as it is (DEP0203).
      if (!key.extractable) return webCrypto.signer(key);
      const secret = keyObject(key);
      return async (message) => plain(node.sign(null, message, secret));
    },
    verifier(key) {
      const publicKey = keyObject(key);
      return (message, signature) =>
        new Promise((resolve, reject) => {
          node.verify(null, message, publicKey, signature, (error, valid) => (error ? reject(error) : resolve(valid)));
        });
    },
  };
}

/** Node's buffers are byte arrays whose `slice` does not copy. */
const plain = ({ buffer, byteOffset, length }: Buffer): Bytes => new Uint8Array(buffer as ArrayBuffer, byteOffset, length);

/** Asked for by name, so that bundles for browsers do not look for it. */
const node = globalThis.process?.getBuiltinModule?.('node:crypto');

/** What this platform does fastest. */
export const platformCrypto: PlatformCrypto = node ? nodeCrypto(node) : webCrypto;
