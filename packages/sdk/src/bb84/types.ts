/** The vocabulary shared by the engine's parts. Words: *pulses* are sent, *detected* arrive, *sifted* had matching bases,
 * *sampled* were compared in public, *disclosed* bits were given away by reconciliation, *final* bits are the key. */

import type { PerIntensity } from './decoy.ts';

/** Where a key's secrecy comes from. Only `hardware` may be described as quantum-secure. */
export type Provenance = 'simulated' | 'hardware';

export type ReconciliationMethod = 'ldpc' | 'cascade' | 'none';

/** The measured error rates, as fractions 0…1. `z` and `x` are per basis, NaN when a basis had no sample. */
export interface QberEstimate {
  z: number;
  x: number;
  /** All sampled bits together. */
  combined: number;
  /**
   * Upper confidence bound at the secrecy ε of the error rate that the key would have shown in the other basis, which is what its
   * length is made from: of the basis where it is largest, and of single photons alone in a decoy run. At most 0.5.
   */
  upperBound: number;
}

/**
 * What a decoy run counted, by basis and intensity (strongest first), and what it says of single photons (Lim et al., Phys. Rev. A 89,
 * 022307, 2014). The key is in Z. What is compared in X bounds its phase errors; what is compared in Z only tells
 * reconciliation what to expect.
 */
export interface DecoyReport {
  /** Detections kept for the key. */
  key: PerIntensity;
  /** Detections compared in each basis, and errors among them. */
  sampledZ: PerIntensity;
  errorsZ: PerIntensity;
  sampledX: PerIntensity;
  errorsX: PerIntensity;
  /** Lower bounds on key bits from empty pulses and from single photons. */
  emptyKey: number;
  singleKey: number;
  /** Lower bound on detections of single photons compared in X; nothing is known about them when it is not positive. */
  singleX: number;
  /** Upper bound on errors among them. */
  singleErrorsX: number;
  /** Upper bound on the phase error rate of the key's single photons, at most 0.5. */
  phaseError: number;
}

/** What one key agreement really did. Every number is a count of things that happened. */
export interface Report {
  pulses: number;
  detected: number;
  sifted: number;
  sampled: number;
  qber: QberEstimate;
  /** Of a run with decoy states only. */
  decoy?: DecoyReport;
  method: ReconciliationMethod;
  /** Message rounds spent in reconciliation. */
  rounds: number;
  /** Bits flipped on Bob's side. */
  corrected: number;
  /** Bits given away by reconciliation. */
  disclosed: number;
  /** Whether the verification tags were equal. */
  verified: boolean;
  finalBits: number;
  epsilon: { secrecy: number; correctness: number };
  provenance: Provenance;
  /** What was simulated, in words, for example `simulated: single photons, flip 1.5 %`. */
  channel: string;
  /** Milliseconds spent by this side in each stage. */
  spans: Partial<Record<Stage, number>>;
}

/** The stages in order; a run ends in `confirmed` (by the protocol above) or `aborted`. */
export type Stage =
  | 'pulses'
  | 'sifting'
  | 'estimation'
  | 'reconciliation'
  | 'verification'
  | 'amplification'
  | 'confirmed'
  | 'aborted';

/** Emitted by either side when a stage is done; `counts` holds what is known so far. */
export interface StageEvent {
  stage: Stage;
  counts: Partial<Omit<Report, 'spans'>>;
}

export interface AgreementResult {
  /** The agreed key, packed most significant bit first. */
  key: Uint8Array;
  report: Report;
}
