import { describe, expect, it } from 'vitest';
import { Alice } from './alice.ts';
import { forEachOne, getBit, select, setBit } from './bits.ts';
import { Bob } from './bob.ts';
import { type SimulatedChannelOptions, simulatedChannel, simulatedReceiver, weakCoherent } from './channel/index.ts';
import { happens } from './channel/physics-random.ts';
import { writeBit } from './channel/plane.ts';
import type { Detections, Eavesdropper, PreparedPulses } from './channel/types.ts';
import { countByIntensity, countOutcome, errorsOf, sampledOf } from './counts.ts';
import { decoyKeyLength, type PerIntensity } from './decoy.ts';
import { secretKeyLength } from './finite-key.ts';
import { decodeDetections, decodeDisclosure } from './flights.ts';
import { cascade } from './reconciliation/cascade.ts';
import { partition } from './sifting.ts';

/* What an eavesdropper does not know of a key, counted bit by bit, against the length of the key that is handed out. */

interface Attack {
  /** Shares of the single photons that she measures in Z, and in X, and sends on as she read them. */
  z?: number;
  x?: number;
  /** Whether she keeps a photon of every pulse of several, and measures it when the bases are told. */
  split?: boolean;
}

/** `known` is over the pulses: where she knows Alice's bit for certain once the bases are told. Of the others she knows nothing. */
function measuring({ z = 0, x = 0, split = false }: Attack): Eavesdropper & { known: Uint8Array } {
  return {
    known: new Uint8Array(0),
    description: 'counted',
    attack(pulses, line, random) {
      this.known = new Uint8Array(Math.ceil(pulses.count / 8));
      const several = new Uint8Array(this.known.length);
      for (const position of pulses.multi?.positions ?? []) setBit(several, position);
      for (let pulse = 0; pulse < pulses.count; pulse++) {
        if (getBit(several, pulse) || (pulses.present && !getBit(pulses.present, pulse))) continue;
        const draw = random.next() / 2 ** 32;
        if (draw >= z + x) continue;
        const basis = draw < z ? 0 : 1;
        if (getBit(pulses.bases, pulse) === basis) setBit(this.known, pulse);
        else writeBit(pulses.bits, pulse, happens(random, 0.5) ? 1 : 0);
        writeBit(pulses.bases, pulse, basis);
      }
      if (split && pulses.multi) {
        for (const position of pulses.multi.positions) setBit(this.known, position);
        const left = pulses.multi.photons.map((photons) => photons - 1);
        const still = [...left.keys()].filter((j) => (left[j] as number) > 1);
        const { positions } = pulses.multi;
        pulses.multi = {
          positions: Uint32Array.from(still, (j) => positions[j] as number),
          photons: Uint8Array.from(still, (j) => left[j] as number),
        };
      }
      return line;
    },
  };
}

interface Setting {
  pulses: number;
  zProbability?: number;
  link?: SimulatedChannelOptions;
  attack: Attack;
}

/** Runs both sides, and counts what neither of them can see. */
function run({ pulses, zProbability = 0.5, link = {}, attack }: Setting) {
  const eavesdropper = measuring(attack);
  const channel = simulatedChannel({ ...link, eavesdropper, seed: 7 });
  const receiver = simulatedReceiver({ seed: 8 });
  let sent: PreparedPulses | undefined;
  let seen: Detections | undefined;
  const alice = new Alice({
    pulses,
    zProbability,
    method: cascade(),
    channel: {
      ...channel,
      transmit(prepared) {
        sent = prepared;
        return channel.transmit(prepared);
      },
    },
  });
  const bob = new Bob({
    method: cascade(),
    receiver: {
      ...receiver,
      detect(transmission, bases) {
        seen = receiver.detect(transmission, bases);
        return seen;
      },
    },
  });
  const detections = bob.next(alice.next()) as Uint8Array;
  const disclosure = alice.next(detections) as Uint8Array;
  for (let message = bob.next(disclosure); message; ) {
    const reply = alice.next(message);
    message = reply && bob.next(reply);
  }
  if (!sent || !seen) throw new Error('nothing was sent');

  const decoy = sent.classes !== undefined;
  const { detected, clicks, bases, sample } = decodeDetections(detections, pulses, decoy || zProbability !== 0.5);
  const { match } = decodeDisclosure(disclosure, clicks, sample, decoy);
  const parts = partition(match, sample);
  const [own, his] = [select(sent.bits, detected), select(seen.bits, detected)];
  const [tested, testedByHim] = [select(own, parts.test), select(his, parts.test)];
  const counts = countOutcome(parts, tested, testedByHim, bases);
  let ignorance = 0;
  forEachOne(detected, (pulse, position) => {
    if (getBit(parts.key, position) && !getBit(eavesdropper.known, pulse)) ignorance++;
  });
  // A run that ends before the keys are made equal would give away this much.
  const { disclosed } = cascade().local(
    select(own, parts.key),
    select(his, parts.key),
    zProbability === 0.5 && !decoy ? errorsOf(counts) / sampledOf(counts) : counts.errorsZ / counts.sampledZ,
    parts.kept,
  );
  return {
    finalBits: alice.result?.report.finalBits ?? 0,
    /** What she misses of the reconciled key at least. */
    missing: ignorance - disclosed,
    disclosed,
    counts,
    byIntensity: sent.classes && countByIntensity(sent.classes, detected, bases, parts, tested, testedByHim),
  };
}

const INTENSITIES = [0.8, 0.25, 0.0002] as const;
const PROBABILITIES = [0.4, 0.35, 0.25] as const;
const NONE: PerIntensity = [0, 0, 0];

const plus = (a: PerIntensity, b: PerIntensity): PerIntensity => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];

describe('a key of a decoy run', () => {
  const source = weakCoherent({ intensities: INTENSITIES, probabilities: PROBABILITIES });
  const onDecoyLine = (attack: Attack) => run({ pulses: 1 << 22, zProbability: 0.9, link: { source, flip: 0.002 }, attack });

  it.each<[string, Attack]>([
    ['splits photons off', { split: true }],
    ['measures a few single photons in Z, and splits the rest', { z: 0.03, split: true }],
    ['measures some in X, and splits the rest', { x: 0.05, split: true }],
    ['measures some in both bases, and splits the rest', { z: 0.02, x: 0.02, split: true }],
  ])('is not longer than what an eavesdropper misses who %s', (_, attack) => {
    const { finalBits, missing } = onDecoyLine(attack);
    expect(finalBits).toBeLessThanOrEqual(missing);
    expect(finalBits).toBeGreaterThan(20_000);
  });

  it('is not longer than what one misses who measures 26 % of the single photons in Z, as it is when errors in Z count as a test of Z', () => {
    const { finalBits, missing, counts, byIntensity, disclosed } = onDecoyLine({ z: 0.26, split: true });
    if (!byIntensity) throw new Error('no decoy counts');
    expect(finalBits).toBeLessThanOrEqual(missing);
    // The whole run shows no more errors than any other threshold lets pass.
    expect(counts.errorsX / counts.sampledX).toBeLessThan(0.11);
    const lengthBy = (nZ: PerIntensity, mZ: PerIntensity): number =>
      decoyKeyLength({
        intensities: INTENSITIES,
        probabilities: PROBABILITIES,
        nX: byIntensity.key,
        mX: NONE,
        nZ,
        mZ,
        leak: disclosed,
      }).length;
    expect(lengthBy(byIntensity.sampledX, byIntensity.errorsX)).toBeLessThan(missing / 10);
    const pooled = lengthBy(plus(byIntensity.sampledX, byIntensity.sampledZ), plus(byIntensity.errorsX, byIntensity.errorsZ));
    expect(pooled).toBeGreaterThan(missing);
  });
});

describe('a key of single photons', () => {
  const ATTACKS: [string, Attack][] = [
    ['measures some in Z', { z: 0.15 }],
    ['measures some in X', { x: 0.15 }],
    ['measures some in both bases', { z: 0.1, x: 0.06 }],
    ['measures few', { z: 0.02, x: 0.02 }],
  ];

  it.each(ATTACKS)('in both bases is not longer than what an eavesdropper misses who %s', (_, attack) => {
    const { finalBits, missing } = run({ pulses: 1 << 18, link: { flip: 0.005 }, attack });
    expect(finalBits).toBeLessThanOrEqual(missing);
    expect(finalBits).toBeGreaterThan(10_000);
  });

  it.each(ATTACKS)('in Z alone is not longer than what an eavesdropper misses who %s', (_, attack) => {
    const { finalBits, missing } = run({ pulses: 1 << 18, zProbability: 0.8, link: { flip: 0.005 }, attack });
    expect(finalBits).toBeLessThanOrEqual(missing);
    expect(finalBits).toBeGreaterThan(10_000);
  });

  it('in Z alone would be longer than it, were the phase errors taken from the sample in Z', () => {
    const { missing, counts, disclosed } = run({ pulses: 1 << 18, zProbability: 0.8, attack: { z: 0.2 } });
    const { keyZ: n, sampledZ: k, errorsZ } = counts;
    expect(secretKeyLength({ n, k, qber: errorsZ / k, leak: disclosed, bound: 'tight' })).toBeGreaterThan(missing);
  });
});
