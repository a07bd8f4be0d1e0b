/** "expand 32-byte k" (RFC 8439 §2.3). */
const SIGMA = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const;

/** The words of a column or diagonal that each quarter round of a double round mixes (RFC 8439 §2.3). */
const QUARTERS = Uint8Array.of(
  0,
  4,
  8,
  12,
  1,
  5,
  9,
  13,
  2,
  6,
  10,
  14,
  3,
  7,
  11,
  15,
  0,
  5,
  10,
  15,
  1,
  6,
  11,
  12,
  2,
  7,
  8,
  13,
  3,
  4,
  9,
  14,
);

/** Ten double rounds in place (RFC 8439 §2.1, §2.3). */
function mix(x: Int32Array): void {
  for (let round = 0; round < 10; round++) {
    for (let q = 0; q < 32; q += 4) {
      const ia = QUARTERS[q] as number;
      const ib = QUARTERS[q + 1] as number;
      const ic = QUARTERS[q + 2] as number;
      const id = QUARTERS[q + 3] as number;
      let b = x[ib] as number;
      let a = ((x[ia] as number) + b) | 0;
      let d = (x[id] as number) ^ a;
      d = (d << 16) | (d >>> 16);
      let c = ((x[ic] as number) + d) | 0;
      b ^= c;
      b = (b << 12) | (b >>> 20);
      a = (a + b) | 0;
      d ^= a;
      d = (d << 8) | (d >>> 24);
      c = (c + d) | 0;
      b ^= c;
      x[ia] = a;
      x[ib] = (b << 7) | (b >>> 25);
      x[ic] = c;
      x[id] = d;
    }
  }
}

/**
 * The ChaCha20 key stream of a 32-byte seed with zero nonce (RFC 8439 §2.4): expands a seed sent in clear into a public choice
 * that both sides derive alike, such as which positions are compared. Nothing secret ever comes from it.
 *
 * @returns `length` bytes.
 */
export function expandSeed(seed: Uint8Array, length: number): Uint8Array {
  const view = new DataView(seed.buffer, seed.byteOffset, 32);
  const state = new Int32Array(16);
  state.set(SIGMA);
  for (let i = 0; i < 8; i++) state[4 + i] = view.getUint32(4 * i, true);
  const blocks = Math.ceil(length / 64);
  const out = new DataView(new ArrayBuffer(blocks * 64));
  const x = new Int32Array(16);
  for (let block = 0; block < blocks; block++) {
    state[12] = block;
    x.set(state);
    mix(x);
    for (let i = 0; i < 16; i++) out.setInt32(64 * block + 4 * i, ((x[i] as number) + (state[i] as number)) | 0, true);
  }
  return new Uint8Array(out.buffer, 0, length);
}
