/** "expand 32-byte k" (RFC 8439 §2.3). */
const SIGMA = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const;

/**
 * The ChaCha20 key stream of a 32-byte seed with zero nonce (RFC 8439 §2.4): expands a seed sent in clear into a public choice
 * that both sides derive alike, such as which positions are compared. Nothing secret ever comes from it.
 *
 * @returns `length` bytes.
 */
export function expandSeed(seed: Uint8Array, length: number): Uint8Array {
  const view = new DataView(seed.buffer, seed.byteOffset, 32);
  const state = new Uint32Array(16);
  state.set(SIGMA);
  for (let i = 0; i < 8; i++) state[4 + i] = view.getUint32(4 * i, true);
  const blocks = Math.ceil(length / 64);
  const out = new DataView(new ArrayBuffer(blocks * 64));
  const x = new Uint32Array(16);
  const quarter = (a: number, b: number, c: number, d: number): void => {
    let [p, q, r, s] = [x[a] as number, x[b] as number, x[c] as number, x[d] as number];
    p = (p + q) | 0;
    s ^= p;
    s = (s << 16) | (s >>> 16);
    r = (r + s) | 0;
    q ^= r;
    q = (q << 12) | (q >>> 20);
    p = (p + q) | 0;
    s ^= p;
    s = (s << 8) | (s >>> 24);
    r = (r + s) | 0;
    q ^= r;
    q = (q << 7) | (q >>> 25);
    x[a] = p;
    x[b] = q;
    x[c] = r;
    x[d] = s;
  };
  for (let block = 0; block < blocks; block++) {
    state[12] = block;
    x.set(state);
    for (let round = 0; round < 10; round++) {
      quarter(0, 4, 8, 12);
      quarter(1, 5, 9, 13);
      quarter(2, 6, 10, 14);
      quarter(3, 7, 11, 15);
      quarter(0, 5, 10, 15);
      quarter(1, 6, 11, 12);
      quarter(2, 7, 8, 13);
      quarter(3, 4, 9, 14);
    }
    for (let i = 0; i < 16; i++) out.setUint32(64 * block + 4 * i, (x[i] as number) + (state[i] as number), true);
  }
  return new Uint8Array(out.buffer, 0, length);
}
