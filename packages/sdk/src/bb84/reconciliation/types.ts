import type { ReconciliationMethod } from '../types.ts';

/**
 * What counts as given away. `pattern-public`: the positions of Bob's errors are declared public, and each parity of Alice's
 * costs a bit. `two-way`: the error pattern is to stay private, and Bob's parities, which his questions reveal, cost a bit each
 * too. Counting Alice's parities alone without declaring the pattern public is flawed (arXiv 2307.00576).
 */
export type LeakAccounting = 'pattern-public' | 'two-way';

/** Alice's side: her key is the reference. Holds nothing of Bob's. */
export interface ReconciliationSender {
  /** The opening message. */
  first(): Uint8Array;
  /** Answers a request of the receiver. Throws INVALID_ARGUMENT on a malformed one, leaving the state unchanged. */
  answer(request: Uint8Array): Uint8Array;
  /** Bits given away so far. */
  readonly disclosed: number;
}

/** Bob's side: corrects his key towards Alice's. Holds nothing of hers but what the messages said. */
export interface ReconciliationReceiver {
  /** Takes Alice's message. Returns the next request, or undefined when the work is over: then see `failed`. */
  receive(message: Uint8Array): Uint8Array | undefined;
  readonly failed: boolean;
  /** The corrected key, packed. */
  readonly key: Uint8Array;
  /** Bits flipped so far. */
  readonly corrected: number;
  readonly disclosed: number;
  /** Messages taken from Alice so far: 1 for a one-way run. */
  readonly rounds: number;
}

/** The outcome of reconciling two keys in one process. */
export interface LocalReconciliation {
  /** Bob's key after correction, packed most significant bit first. */
  corrected: Uint8Array;
  /** Bits given away. */
  disclosed: number;
  /** Messages from Alice. */
  rounds: number;
  /** Whether the method believes that it succeeded; only a verification tag tells for certain. */
  ok: boolean;
}

/** A method of reconciliation. `bits` is the key length, `qber` the estimate both sides hold; the two sides share nothing else. */
export interface Reconciler {
  readonly method: Exclude<ReconciliationMethod, 'none'>;
  /** Method and variant, as announced on the wire: both sides need one of the same name. */
  readonly name: string;
  /** @param budget bits that may be given away where that saves time and rounds. */
  sender(key: Uint8Array, bits: number, qber: number, budget?: number): ReconciliationSender;
  receiver(key: Uint8Array, bits: number, qber: number): ReconciliationReceiver;
  /** Runs both sides. All keys packed, with 8·`aliceBits.length` bits unless `bits` is given. */
  local(aliceBits: Uint8Array, bobBits: Uint8Array, qber: number, bits?: number): LocalReconciliation;
}

/** Passes the messages of the two sides to and fro. */
export function runLocally(sender: ReconciliationSender, receiver: ReconciliationReceiver): LocalReconciliation {
  let request = receiver.receive(sender.first());
  while (request) request = receiver.receive(sender.answer(request));
  const { key, disclosed, rounds, failed } = receiver;
  return { corrected: key, disclosed, rounds, ok: !failed };
}
