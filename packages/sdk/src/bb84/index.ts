/** BB84 key agreement, usable alone: channel, sifting, estimation, reconciliation, verification, privacy amplification, finite-key lengths. */
export { QsecError } from '../errors.ts';
export { type Agreement, type AgreeOptions, agree } from './agree.ts';
export { Alice } from './alice.ts';
export { Bob } from './bob.ts';
export {
  decodeTransmission,
  drawClasses,
  encodeTransmission,
  fibreTransmittance,
  type InterceptBasis,
  inSequence,
  interceptResend,
  type MeasureOptions,
  measure,
  photonNumberSplitting,
  type SimulatedChannelOptions,
  simulatedChannel,
  simulatedReceiver,
  singlePhoton,
  type WeakCoherentOptions,
  weakCoherent,
} from './channel/index.ts';
export type * from './channel/types.ts';
export { type DecoyInput, type DecoyKeyLength, decoyKeyLength, type PerIntensity } from './decoy.ts';
export {
  binaryEntropy,
  EPSILON_CORRECTNESS,
  EPSILON_SECRECY,
  errorRateBound,
  type SampleSizes,
  type SamplingBound,
  type SecretKeyInput,
  secretKeyLength,
  serflingBound,
  tightErrorBound,
} from './finite-key.ts';
export { flightBound } from './flight-bound.ts';
export {
  asymptoticKeyFraction,
  decoyRate,
  expectedDecoyKeyLength,
  expectedKeyLength,
  expectedTaggedKeyLength,
  singlePhotonRate,
  taggedRate,
} from './key-rate.ts';
export { coherentResponse, type Link, linkTransmittance, type Response, singlePhotonResponse } from './link.ts';
export { type AliceOptions, type BobOptions, DEFAULT_PULSES, DEFAULT_THRESHOLD, type Epsilon } from './options.ts';
export { toeplitz } from './privacy-amplification.ts';
export { type CascadeOptions, cascade } from './reconciliation/cascade.ts';
export { withFallback } from './reconciliation/fallback.ts';
export { ldpc } from './reconciliation/ldpc.ts';
export type {
  LeakAccounting,
  LocalReconciliation,
  Reconciler,
  ReconciliationReceiver,
  ReconciliationSender,
} from './reconciliation/types.ts';
export { type Drawn, Reservoir, type ReservoirEvents, type ReservoirOptions } from './reservoir.ts';
export type { AgreementEvents } from './run-log.ts';
export type { PhotonFate, TracedPhoton } from './trace.ts';
export type * from './types.ts';
export { universalTag } from './verification.ts';
export { WEGMAN_CARTER_TAG_BYTES, type WegmanCarter, type WegmanCarterOptions, wegmanCarter } from './wegman-carter.ts';
