import { getBit } from './bits.ts';

/**
 * An in-place complex transform of a power-of-two length: decimation in frequency, so its output is in bit-reversed order,
 * which {@link inverse} takes as its input. No reordering pass is needed for a convolution.
 */
class Transform {
  readonly #size: number;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;

  constructor(size: number) {
    this.#size = size;
    this.#cos = new Float64Array(size / 2);
    this.#sin = new Float64Array(size / 2);
    for (let i = 0; i < size / 2; i++) {
      this.#cos[i] = Math.cos((2 * Math.PI * i) / size);
      this.#sin[i] = -Math.sin((2 * Math.PI * i) / size);
    }
  }

  forward(re: Float64Array, im: Float64Array): void {
    const size = this.#size;
    for (let half = size / 2, stride = 1; half >= 1; half /= 2, stride *= 2) {
      for (let start = 0; start < size; start += 2 * half) {
        for (let i = 0, a = start, b = start + half, t = 0; i < half; i++, a++, b++, t += stride) {
          const wr = this.#cos[t] as number;
          const wi = this.#sin[t] as number;
          const ar = re[a] as number;
          const ai = im[a] as number;
          const br = re[b] as number;
          const bi = im[b] as number;
          re[a] = ar + br;
          im[a] = ai + bi;
          const dr = ar - br;
          const di = ai - bi;
          re[b] = dr * wr - di * wi;
          im[b] = dr * wi + di * wr;
        }
      }
    }
  }

  /** Without the division by the size. */
  inverse(re: Float64Array, im: Float64Array): void {
    const size = this.#size;
    for (let half = 1, stride = size / 2; half < size; half *= 2, stride /= 2) {
      for (let start = 0; start < size; start += 2 * half) {
        for (let i = 0, a = start, b = start + half, t = 0; i < half; i++, a++, b++, t += stride) {
          const wr = this.#cos[t] as number;
          const wi = -(this.#sin[t] as number);
          const br = re[b] as number;
          const bi = im[b] as number;
          const dr = br * wr - bi * wi;
          const di = br * wi + bi * wr;
          const ar = re[a] as number;
          const ai = im[a] as number;
          re[a] = ar + dr;
          im[a] = ai + di;
          re[b] = ar - dr;
          im[b] = ai - di;
        }
      }
    }
  }
}

/**
 * The convolution of two 0/1 sequences given as packed bits: element k counts the pairs i + j = k with aᵢ = bⱼ = 1. It is cyclic
 * with a period of at least `bBits`, so elements from `aBits` − 1 to `bBits` − 1 are those of the linear convolution.
 *
 * One complex transform of a + i·b, squared pointwise, and one inverse: the imaginary part of (a + i·b)² is 2·a∗b. Counts up to
 * 10⁶ are far below what double precision rounds safely (errors near 10⁻⁹).
 */
export function correlate(a: Uint8Array, aBits: number, b: Uint8Array, bBits: number): Float64Array {
  let size = 2;
  while (size < bBits) size *= 2;
  const re = new Float64Array(size);
  const im = new Float64Array(size);
  for (let i = 0; i < aBits; i++) re[i] = getBit(a, i);
  for (let i = 0; i < bBits; i++) im[i] = getBit(b, i);
  const transform = new Transform(size);
  transform.forward(re, im);
  for (let i = 0; i < size; i++) {
    const x = re[i] as number;
    const y = im[i] as number;
    re[i] = x * x - y * y;
    im[i] = 2 * x * y;
  }
  transform.inverse(re, im);
  for (let i = 0; i < size; i++) im[i] = (im[i] as number) / (2 * size);
  return im;
}
