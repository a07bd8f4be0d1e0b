/**
 * The next length of the form of a floating-point number whose mantissa is no longer than its exponent: at most 12 % above
 * `length`, and only O(log log) bits of it leak (Padmé, Nikitin et al., PETS 2019, §4.3).
 */
export function padme(length: number): number {
  if (length < 2) return length;
  const exponent = Math.floor(Math.log2(length));
  const mantissaBits = Math.floor(Math.log2(exponent)) + 1;
  const step = 2 ** Math.max(0, exponent - mantissaBits);
  return Math.ceil(length / step) * step;
}
