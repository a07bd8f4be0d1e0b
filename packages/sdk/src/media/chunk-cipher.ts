import type { Bytes } from '../wire/index.ts';

const TAG_BYTES = 16;
const HASH = 'SHA-256';

/** What a nonce and authenticated data stand beside in AES-256-GCM. Boxes are ciphertext and tag. */
export interface ChunkCipher {
  seal(nonce: Bytes, aad: Bytes, content: Bytes): Promise<Bytes>;
  /** Rejects for a box that was not sealed by the same key with the same nonce and data. */
  open(nonce: Bytes, aad: Bytes, box: Bytes): Promise<Bytes>;
}

/** AES-256-GCM and SHA-256 as a platform offers them, for amounts of data. */
export interface ChunkCrypto {
  /** @param key 32 bytes */
  cipher(key: Bytes): Promise<ChunkCipher>;
  sha256(data: Bytes): Promise<Uint8Array>;
}

/** Everywhere: WebCrypto, which works beside the page. */
export const webChunkCrypto: ChunkCrypto = {
  async cipher(raw) {
    const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']);
    const algorithm = (iv: Bytes, additionalData: Bytes) => ({ name: 'AES-GCM', iv, additionalData });
    return {
      seal: async (nonce, aad, content) => new Uint8Array(await crypto.subtle.encrypt(algorithm(nonce, aad), key, content)),
      open: async (nonce, aad, box) => new Uint8Array(await crypto.subtle.decrypt(algorithm(nonce, aad), key, box)),
    };
  },
  sha256: async (data) => new Uint8Array(await crypto.subtle.digest(HASH, data)),
};

/**
 * In Node: WebCrypto there copies every chunk for another thread, which takes longer than to seal it at once. See
 * docs/adr/0018-files-in-node.md.
 */
export function nodeChunkCrypto({ createCipheriv, createDecipheriv, createHash }: typeof import('node:crypto')): ChunkCrypto {
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
          return content as Bytes;
        },
      };
    },
    sha256: async (data) => createHash('sha256').update(data).digest(),
  };
}

/** Asked for by name, so that bundles for browsers do not look for it. */
const node = globalThis.process?.getBuiltinModule?.('node:crypto');

/** What this platform does fastest. */
export const chunkCrypto: ChunkCrypto = node ? nodeChunkCrypto(node) : webChunkCrypto;
