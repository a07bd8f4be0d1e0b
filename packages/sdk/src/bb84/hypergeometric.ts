/** ln(n!) − ln(√(2πn)·(n/e)ⁿ) for n = 0…15, where the series is not exact enough. Entry 0 is unused. */
const SMALL_STIRLING_ERRORS: readonly number[] = (() => {
  const errors = [0];
  let factorial = 1;
  for (let n = 1; n < 16; n++) {
    factorial *= n;
    errors.push(Math.log(factorial) - 0.5 * Math.log(2 * Math.PI * n) - n * Math.log(n) + n);
  }
  return errors;
})();

/** The error of Stirling's formula, ln(n!) − ln(√(2πn)·(n/e)ⁿ), by its asymptotic series. */
function stirlingError(n: number): number {
  const small = SMALL_STIRLING_ERRORS[n];
  if (small !== undefined) return small;
  const n2 = n * n;
  return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / n2) / n2) / n2) / n2) / n;
}

/** x·ln(x/mean) + mean − x, without the cancellation that formula has where x is near the mean. */
function deviance(x: number, mean: number): number {
  const v = (x - mean) / (x + mean);
  if (Math.abs(v) >= 0.1) return x * Math.log(x / mean) + mean - x;
  let sum = (x - mean) * v;
  let term = 2 * x * v;
  for (let j = 1; ; j++) {
    term *= v * v;
    const next = sum + term / (2 * j + 1);
    if (next === sum) return sum;
    sum = next;
  }
}

/**
 * ln of the binomial probability of x successes in n trials, to nearly full precision at any n: Loader, "Fast and accurate
 * computation of binomial probabilities", 2000. Differences of log-gamma values would lose log10(n) digits.
 */
function logBinomial(x: number, n: number, p: number): number {
  if (x === 0) return n * Math.log1p(-p);
  if (x === n) return n * Math.log(p);
  const rest = n - x;
  const correction = stirlingError(n) - stirlingError(x) - stirlingError(rest) - deviance(x, n * p) - deviance(rest, n * (1 - p));
  return correction + 0.5 * Math.log(n / (2 * Math.PI * x * rest));
}

/** ln of the probability of exactly `marked` marked items in a sample of k from N of which K are marked, inside the support, 0 < k < N. */
function logMass(marked: number, N: number, K: number, k: number): number {
  const p = k / N;
  return logBinomial(marked, K, p) + logBinomial(k - marked, N - K, p) - logBinomial(k, N, p);
}

/**
 * Probability of at most `marked` marked items in a sample of k drawn without replacement from N items of which K are marked.
 * The shorter tail is summed from its largest term, so small probabilities keep their relative precision.
 *
 * @param marked integer; below the support gives 0, above it 1.
 */
export function hypergeometricCdf(marked: number, N: number, K: number, k: number): number {
  const lowest = Math.max(0, k - (N - K));
  const highest = Math.min(k, K);
  if (marked < lowest) return 0;
  if (marked >= highest) return 1;
  return marked < (k * K) / N ? lowerTail(marked, lowest, N, K, k) : 1 - upperTail(marked + 1, highest, N, K, k);
}

function lowerTail(from: number, lowest: number, N: number, K: number, k: number): number {
  let ratio = 1;
  let sum = 1;
  for (let i = from; i > lowest; i--) {
    ratio *= (i * (N - K - k + i)) / ((K - i + 1) * (k - i + 1));
    sum += ratio;
    if (ratio < sum * Number.EPSILON) break;
  }
  return Math.exp(logMass(from, N, K, k)) * sum;
}

function upperTail(from: number, highest: number, N: number, K: number, k: number): number {
  let ratio = 1;
  let sum = 1;
  for (let i = from; i < highest; i++) {
    ratio *= ((K - i) * (k - i)) / ((i + 1) * (N - K - k + i + 1));
    sum += ratio;
    if (ratio < sum * Number.EPSILON) break;
  }
  return Math.exp(logMass(from, N, K, k)) * sum;
}
