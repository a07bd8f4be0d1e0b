import { and, forEachOne, getBit, popcount, select, xor } from './bits.ts';
import { malformed } from './codec.ts';
import type { PerIntensity } from './decoy.ts';
import type { Partition } from './sifting.ts';

/** What the comparison showed, and how much key it speaks for. Both sides hold the same numbers. */
export interface SampleCounts {
  /** Compared bits and errors among them, by basis. */
  sampledZ: number;
  sampledX: number;
  errorsZ: number;
  errorsX: number;
  /** Bits kept for the key, by basis. */
  keyZ: number;
  keyX: number;
}

/** The same of a decoy run, by intensity, strongest first. All of its key is in Z. Only Alice can count it: she tells Bob. */
export interface DecoyCounts {
  key: PerIntensity;
  sampledZ: PerIntensity;
  errorsZ: PerIntensity;
  sampledX: PerIntensity;
  errorsX: PerIntensity;
}

/** Compares the test bits and counts what is kept, by basis. `bases` is over the detected pulses, one is X. */
export function countOutcome(parts: Partition, alice: Uint8Array, bob: Uint8Array, bases: Uint8Array): SampleCounts {
  const inX = select(bases, parts.test);
  const wrong = xor(alice, bob);
  const [sampledX, errorsX, keyX] = [inX, and(wrong, inX), select(bases, parts.key)].map(popcount) as [number, number, number];
  return {
    sampledZ: parts.tested - sampledX,
    sampledX,
    errorsZ: popcount(wrong) - errorsX,
    errorsX,
    keyZ: parts.kept - keyX,
    keyX,
  };
}

/**
 * Counts key bits, compared bits and errors by basis and intensity.
 *
 * @param classes intensity of each pulse.
 * @param detected over the pulses; `bases` and the masks of `parts` are over the detected ones.
 * @param alice her test bits.
 * @param bob his.
 */
export function countByIntensity(
  classes: Uint8Array,
  detected: Uint8Array,
  bases: Uint8Array,
  { test, key }: Partition,
  alice: Uint8Array,
  bob: Uint8Array,
): DecoyCounts {
  const none = (): [number, number, number] => [0, 0, 0];
  const counts = { key: none(), sampledZ: none(), errorsZ: none(), sampledX: none(), errorsX: none() };
  const add = (to: number[], index: number, value: number): void => {
    to[index] = (to[index] as number) + value;
  };
  let tested = 0;
  forEachOne(detected, (pulse, position) => {
    const index = classes[pulse] as number;
    add(counts.key, index, getBit(key, position));
    if (!getBit(test, position)) return;
    const inX = getBit(bases, position);
    add(inX ? counts.sampledX : counts.sampledZ, index, 1);
    add(inX ? counts.errorsX : counts.errorsZ, index, getBit(alice, tested) ^ getBit(bob, tested));
    tested++;
  });
  return counts;
}

export const sampledOf = ({ sampledZ, sampledX }: SampleCounts): number => sampledZ + sampledX;
export const errorsOf = ({ errorsZ, errorsX }: SampleCounts): number => errorsZ + errorsX;

const total = ([signal, decoy, vacuum]: PerIntensity): number => signal + decoy + vacuum;

/** Refuses Alice's counts by intensity unless they add up to what Bob counted himself, in each basis. */
export function requireSums(decoy: DecoyCounts, counts: SampleCounts): void {
  const names = ['sampledZ', 'sampledX', 'errorsZ', 'errorsX'] as const;
  const adds =
    counts.keyX === 0 && total(decoy.key) === counts.keyZ && names.every((name) => total(decoy[name]) === counts[name]);
  if (!adds) throw malformed('counts by intensity that do not add up');
}
