import type { QuantumChannel } from '../bb84/channel/types.ts';
import { Alice, Bob, flightBound, simulatedChannel } from '../bb84/index.ts';
import { AGREED_KEY_BYTES, type KeySource } from './types.ts';

/** Keys from a BB84 run between the two members. The channel belongs to the side that sends the pulses. */
export function bb84KeySource(channel: QuantumChannel = simulatedChannel({ flip: 0.015 })): KeySource {
  const keyBits = 8 * AGREED_KEY_BYTES;
  // One-way reconciliation: over a relay every exchange of messages costs a round trip.
  const method = 'ldpc';
  return {
    kind: 'bb84',
    provenance: channel.provenance,
    alice: ({ pulses, threshold }) => new Alice({ pulses, threshold, channel, method, keyBits }),
    bob: ({ threshold }) => new Bob({ threshold, method, keyBits }),
    flightBound,
  };
}
