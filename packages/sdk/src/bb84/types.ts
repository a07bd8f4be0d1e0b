/** The vocabulary shared by the engine's parts. Words: *pulses* are sent, *detected* arrive, *sifted* had matching bases,
 * *sampled* were compared in public, *disclosed* bits were given away by reconciliation, *final* bits are the key. */

/** Where a key's secrecy comes from. Only `hardware` may be described as quantum-secure. */
export type Provenance = 'simulated' | 'hardware';

export type ReconciliationMethod = 'ldpc' | 'cascade' | 'none';

/** The measured error rates, as fractions 0…1. `z` and `x` are per basis, NaN when a basis had no sample. */
export interface QberEstimate {
  z: number;
  x: number;
  /** All sampled bits together. */
  combined: number;
  /** Upper confidence bound of `combined` at the secrecy ε. */
  upperBound: number;
}

/** What one key agreement really did. Every number is a count of things that happened. */
export interface Report {
  pulses: number;
  detected: number;
  sifted: number;
  sampled: number;
  qber: QberEstimate;
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
