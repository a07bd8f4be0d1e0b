import type { AgreementResult, Provenance, StageEvent } from '../bb84/types.ts';
import type { QsecError } from '../errors.ts';
import type { Listener } from '../events.ts';

/** Where two members get the 256 secret bits that their session mixes in: BB84 between them, or a key management system. */
export interface KeySource {
  /** Told to the peer: both must use the same kind. */
  readonly kind: KeySourceKind;
  readonly provenance: Provenance;
  /** The side that sends the first flight. */
  alice(parameters: KeyParameters): KeyParty;
  bob(parameters: KeyParameters): KeyParty;
  /** Size in bytes that flight 1, 2, … is padded to, fixed by the pulse count alone: a syndrome's length would tell the error rate. */
  flightBound(flight: number, pulses: number): number;
}

export type KeySourceKind = 'bb84' | 'etsi014';

export interface KeyParameters {
  pulses: number;
  /** Error rate above which nothing is derived, 0–1. */
  threshold: number;
}

/** Bytes of the agreed key, K_qkd. */
export const AGREED_KEY_BYTES = 32;

/** One side of one agreement: a state machine over encoded flights. */
export interface KeyParty {
  /**
   * Takes the peer's flight (none to begin with, for Alice) and returns the next one to send, if any.
   * @throws {QsecError} for a flight that is malformed or out of turn; the state stays as it was
   */
  next(flight?: Uint8Array): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** The key and what was done for it, once this side is finished. */
  readonly result: AgreementResult | undefined;
  /** Why both sides dropped this run, once they did. */
  readonly failure: QsecError | undefined;
  /** Bits compared in public, and how many of them differed. */
  readonly sampled: number;
  readonly errors: number;
  /** Names a key that came from a key management system; empty otherwise. */
  readonly keyId?: string;
  on(name: 'stage', listener: Listener<StageEvent>): () => void;
}
