export { inSequence } from './eavesdropper.ts';
export { decodeTransmission, encodeTransmission } from './encoding.ts';
export { fibreTransmittance } from './fibre.ts';
export { type InterceptBasis, interceptResend } from './intercept-resend.ts';
export { type MeasureOptions, measure, simulatedReceiver } from './measurement.ts';
export { photonNumberSplitting } from './photon-number-splitting.ts';
export { type SimulatedChannelOptions, simulatedChannel } from './simulated-channel.ts';
export { drawClasses, singlePhoton, type WeakCoherentOptions, weakCoherent } from './source.ts';
export type * from './types.ts';
