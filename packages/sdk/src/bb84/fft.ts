import { getBit } from './bits.ts';

/** cos and −sin of 2πk/size for k below size/4: the factors of the first quarter of a pass of radix 4. */
interface Twiddles {
  readonly cos: Float64Array;
  readonly sin: Float64Array;
}

/** The table made last: agreements of one size follow each other. It depends on nothing but the size. */
let last: { size: number; table: Twiddles } | undefined;

function twiddles(size: number): Twiddles {
  if (last?.size === size) return last.table;
  const cos = new Float64Array(size / 4);
  const sin = new Float64Array(size / 4);
  for (let k = 0; k < size / 4; k++) {
    cos[k] = Math.cos((2 * Math.PI * k) / size);
    sin[k] = -Math.sin((2 * Math.PI * k) / size);
  }
  last = { size, table: { cos, sin } };
  return last.table;
}

/** The pass of radix 2 over neighbours, which a size that is no power of four leaves. Its own inverse but for a factor of two. */
function pairs(re: Float64Array, im: Float64Array, size: number): void {
  for (let a = 0; a < size; a += 2) {
    const r = re[a] as number;
    const i = im[a] as number;
    re[a] = r + (re[a + 1] as number);
    im[a] = i + (im[a + 1] as number);
    re[a + 1] = r - (re[a + 1] as number);
    im[a + 1] = i - (im[a + 1] as number);
  }
}

/**
 * In-place complex transform by decimation in frequency, radix 4 (Cooley and Tukey, Math. Comp. 19, 1965). Its output is in
 * digit-reversed order, which {@link inverse} takes as its input: a convolution needs no reordering.
 */
function forward(re: Float64Array, im: Float64Array, size: number, { cos, sin }: Twiddles): void {
  let quarter = size / 4;
  for (let stride = 1; quarter >= 1; quarter /= 4, stride *= 4) {
    for (let start = 0; start < size; start += 4 * quarter) {
      for (let i = 0, t = 0, a = start; i < quarter; i++, t += stride, a++) {
        const b = a + quarter;
        const c = b + quarter;
        const d = c + quarter;
        const sumR = (re[a] as number) + (re[c] as number);
        const sumI = (im[a] as number) + (im[c] as number);
        const difR = (re[a] as number) - (re[c] as number);
        const difI = (im[a] as number) - (im[c] as number);
        const oddSumR = (re[b] as number) + (re[d] as number);
        const oddSumI = (im[b] as number) + (im[d] as number);
        // (b − d) times −i
        const turnR = (im[b] as number) - (im[d] as number);
        const turnI = (re[d] as number) - (re[b] as number);
        const w1r = cos[t] as number;
        const w1i = sin[t] as number;
        const w2r = w1r * w1r - w1i * w1i;
        const w2i = 2 * w1r * w1i;
        const w3r = w1r * w2r - w1i * w2i;
        const w3i = w1r * w2i + w1i * w2r;
        re[a] = sumR + oddSumR;
        im[a] = sumI + oddSumI;
        const xr = sumR - oddSumR;
        const xi = sumI - oddSumI;
        re[b] = xr * w2r - xi * w2i;
        im[b] = xr * w2i + xi * w2r;
        const yr = difR + turnR;
        const yi = difI + turnI;
        re[c] = yr * w1r - yi * w1i;
        im[c] = yr * w1i + yi * w1r;
        const zr = difR - turnR;
        const zi = difI - turnI;
        re[d] = zr * w3r - zi * w3i;
        im[d] = zr * w3i + zi * w3r;
      }
    }
  }
  if (quarter === 0.5) pairs(re, im, size);
}

/** Undoes {@link forward} but for a factor of `size`. */
function inverse(re: Float64Array, im: Float64Array, size: number, { cos, sin }: Twiddles): void {
  const odd = (31 - Math.clz32(size)) % 2 === 1;
  if (odd) pairs(re, im, size);
  for (let quarter = odd ? 2 : 1, stride = size / (4 * quarter); stride >= 1; quarter *= 4, stride /= 4) {
    for (let start = 0; start < size; start += 4 * quarter) {
      for (let i = 0, t = 0, a = start; i < quarter; i++, t += stride, a++) {
        const b = a + quarter;
        const c = b + quarter;
        const d = c + quarter;
        const w1r = cos[t] as number;
        const w1i = -(sin[t] as number);
        const w2r = w1r * w1r - w1i * w1i;
        const w2i = 2 * w1r * w1i;
        const w3r = w1r * w2r - w1i * w2i;
        const w3i = w1r * w2i + w1i * w2r;
        const br = (re[b] as number) * w2r - (im[b] as number) * w2i;
        const bi = (re[b] as number) * w2i + (im[b] as number) * w2r;
        const cr = (re[c] as number) * w1r - (im[c] as number) * w1i;
        const ci = (re[c] as number) * w1i + (im[c] as number) * w1r;
        const dr = (re[d] as number) * w3r - (im[d] as number) * w3i;
        const di = (re[d] as number) * w3i + (im[d] as number) * w3r;
        const sumR = (re[a] as number) + br;
        const sumI = (im[a] as number) + bi;
        const difR = (re[a] as number) - br;
        const difI = (im[a] as number) - bi;
        const oddSumR = cr + dr;
        const oddSumI = ci + di;
        // (c − d) times i
        const turnR = di - ci;
        const turnI = cr - dr;
        re[a] = sumR + oddSumR;
        im[a] = sumI + oddSumI;
        re[c] = sumR - oddSumR;
        im[c] = sumI - oddSumI;
        re[b] = difR + turnR;
        im[b] = difI + turnI;
        re[d] = difR - turnR;
        im[d] = difI - turnI;
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
  let size = 4;
  while (size < bBits) size *= 2;
  const re = new Float64Array(size);
  const im = new Float64Array(size);
  for (let i = 0; i < aBits; i++) re[i] = getBit(a, i);
  for (let i = 0; i < bBits; i++) im[i] = getBit(b, i);
  const table = twiddles(size);
  forward(re, im, size, table);
  for (let i = 0; i < size; i++) {
    const x = re[i] as number;
    const y = im[i] as number;
    re[i] = x * x - y * y;
    im[i] = 2 * x * y;
  }
  inverse(re, im, size, table);
  for (let i = 0; i < size; i++) im[i] = (im[i] as number) / (2 * size);
  return im;
}
