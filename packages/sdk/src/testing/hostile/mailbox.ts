import type { TransportHandlers } from '../../transport/transport.ts';
import { type Bytes, CLIENT_ID_BYTES, type Delivery, encodeBatch, fromBase64url, SEAT_BYTES } from '../../wire/index.ts';
import type { CarriedFrame } from './frame.ts';

/**
 * What one seat is given, in a numbering of the hostile relay's own: whatever it holds back, repeats or invents leaves no hole in the
 * sequence that the relay's numbers could show.
 */
export class Mailbox {
  readonly #deliveries: Delivery[] = [];
  #connection: TransportHandlers | undefined;
  #sent = 0;
  /** How far the honest relay underneath has delivered to this seat. */
  upstream = 0;

  get head(): number {
    return this.#deliveries.length;
  }

  /** A connection of this seat goes on behind `seq`. */
  attach(connection: TransportHandlers, seq: number): void {
    this.#connection = connection;
    this.#sent = seq;
    queueMicrotask(() => this.#send());
  }

  detach(): void {
    this.#connection = undefined;
  }

  add({ from, transient, body }: CarriedFrame): void {
    const delivery: Delivery = {
      seq: transient ? 0 : this.head + 1,
      time: 0,
      from: seatBytes(from),
      cid: new Uint8Array(CLIENT_ID_BYTES),
      transient,
      body,
    };
    if (transient) {
      this.#connection?.batch(encodeBatch({ from: 1, to: 0, deliveries: [delivery] }));
      return;
    }
    this.#deliveries.push(delivery);
    this.#send();
  }

  #send(): void {
    const connection = this.#connection;
    if (!connection || this.#sent >= this.head) return;
    const deliveries = this.#deliveries.slice(this.#sent);
    const from = this.#sent + 1;
    this.#sent = this.head;
    connection.batch(encodeBatch({ from, to: this.head, deliveries }));
  }
}

/** Seats that an attack invents are names of any length to it; on the wire they have 16 bytes. */
function seatBytes(seat: string): Bytes {
  const bytes = new Uint8Array(SEAT_BYTES);
  bytes.set(fromBase64url(seat).subarray(0, SEAT_BYTES));
  return bytes;
}
