import { bytes } from '../arguments.ts';
import { checked, requireReconciler } from './checked.ts';
import type { LocalReconciliation, Reconciler, ReconciliationReceiver, ReconciliationSender } from './types.ts';
import { runLocally } from './types.ts';

/** The request that asks for the second method's opening message: no request of any method is empty. */
const SWITCH = new Uint8Array(0);

class FallbackSender implements ReconciliationSender {
  readonly #first: ReconciliationSender;
  readonly #second: () => ReconciliationSender;
  #switched: ReconciliationSender | undefined;

  constructor(first: ReconciliationSender, second: () => ReconciliationSender) {
    this.#first = first;
    this.#second = second;
  }

  get disclosed(): number {
    return this.#first.disclosed + (this.#switched?.disclosed ?? 0);
  }

  first(): Uint8Array {
    return this.#first.first();
  }

  answer(request: Uint8Array): Uint8Array {
    bytes('request', request);
    if (this.#switched) return this.#switched.answer(request);
    if (request.length > 0) return this.#first.answer(request);
    this.#switched = this.#second();
    return this.#switched.first();
  }
}

class FallbackReceiver implements ReconciliationReceiver {
  readonly #first: ReconciliationReceiver;
  readonly #second: () => ReconciliationReceiver;
  #switched: ReconciliationReceiver | undefined;

  constructor(first: ReconciliationReceiver, second: () => ReconciliationReceiver) {
    this.#first = first;
    this.#second = second;
  }

  get #current(): ReconciliationReceiver {
    return this.#switched ?? this.#first;
  }

  get failed(): boolean {
    return this.#current.failed;
  }

  get key(): Uint8Array {
    return this.#current.key;
  }

  get corrected(): number {
    return this.#current.corrected;
  }

  get disclosed(): number {
    return this.#first.disclosed + (this.#switched?.disclosed ?? 0);
  }

  get rounds(): number {
    return this.#first.rounds + (this.#switched?.rounds ?? 0);
  }

  receive(message: Uint8Array): Uint8Array | undefined {
    const request = this.#current.receive(message);
    if (request || this.#switched || !this.#first.failed) return request;
    this.#switched = this.#second();
    return SWITCH;
  }
}

/**
 * Tries one method and, when it gives up, another from the beginning. What the first gave away stays counted. For links on which
 * further rounds cost little: they tell that the first method failed.
 */
export function withFallback(first: Reconciler, second: Reconciler): Reconciler {
  requireReconciler('first', first);
  requireReconciler('second', second);
  const sender: Reconciler['sender'] = (key, bits, qber, budget) =>
    new FallbackSender(first.sender(key, bits, qber, budget), () => second.sender(key, bits, qber));
  const receiver: Reconciler['receiver'] = (key, bits, qber) =>
    new FallbackReceiver(first.receiver(key, bits, qber), () => second.receiver(key, bits, qber));
  return checked({
    method: first.method,
    name: `${first.name}, ${second.name}`,
    sender,
    receiver,
    local: (aliceBits, bobBits, qber, bits = 8 * aliceBits.length): LocalReconciliation =>
      runLocally(sender(aliceBits, bits, qber), receiver(bobBits, bits, qber)),
  });
}
