/** Bytes of a block, a key and a hash. */
export const GHASH_BYTES = 16;

/** The field polynomial's low terms, x⁷ + x² + x + 1, in GHASH's bit order (NIST SP 800-38D §6.3). */
const REDUCTION = 0xe1000000;

/**
 * GHASH (NIST SP 800-38D §6.4): the message's blocks and its length are the coefficients of a polynomial over GF(2¹²⁸),
 * evaluated at the key. For different messages of at most L blocks, any difference of their hashes is hit by at most L + 1
 * of the 2¹²⁸ keys, which is what Wegman–Carter authentication needs.
 *
 * Multiplies with masks, not tables: which memory it touches does not depend on the key or the message.
 */
export class Ghash {
  /** key·xⁱ for i = 0…127, four words each. */
  readonly #multiples = new Uint32Array(128 * 4);

  /** @param key 16 bytes. */
  constructor(key: Uint8Array) {
    const view = new DataView(key.buffer, key.byteOffset, GHASH_BYTES);
    let [a, b, c, d] = [view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12)];
    for (let i = 0; i < 512; i += 4) {
      this.#multiples.set([a, b, c, d], i);
      const carry = -(d & 1) & REDUCTION;
      d = (d >>> 1) | (c << 31);
      c = (c >>> 1) | (b << 31);
      b = (b >>> 1) | (a << 31);
      a = (a >>> 1) ^ carry;
    }
  }

  /** The hash of `message`, 16 bytes. */
  hash(message: Uint8Array): Uint8Array {
    const padded = new Uint8Array(Math.ceil(message.length / GHASH_BYTES) * GHASH_BYTES + GHASH_BYTES);
    padded.set(message);
    const blocks = new DataView(padded.buffer);
    // The length block: bits of the authenticated message, then of the (empty) ciphertext.
    blocks.setBigUint64(padded.length - GHASH_BYTES, BigInt(message.length) * 8n);
    const state = new Uint32Array(4);
    for (let at = 0; at < padded.length; at += GHASH_BYTES) {
      for (let w = 0; w < 4; w++) state[w] = (state[w] as number) ^ blocks.getUint32(at + 4 * w);
      this.#multiply(state);
    }
    const out = new DataView(new ArrayBuffer(GHASH_BYTES));
    for (let w = 0; w < 4; w++) out.setUint32(4 * w, state[w] as number);
    return new Uint8Array(out.buffer);
  }

  /** state ← state·key. */
  #multiply(state: Uint32Array): void {
    const multiples = this.#multiples;
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let w = 0, at = 0; w < 4; w++) {
      const word = state[w] as number;
      for (let bit = 31; bit >= 0; bit--, at += 4) {
        const mask = -((word >>> bit) & 1);
        a ^= (multiples[at] as number) & mask;
        b ^= (multiples[at + 1] as number) & mask;
        c ^= (multiples[at + 2] as number) & mask;
        d ^= (multiples[at + 3] as number) & mask;
      }
    }
    state[0] = a;
    state[1] = b;
    state[2] = c;
    state[3] = d;
  }
}
