import { QsecError } from '../errors.ts';
import { type Bytes, Reader, Writer } from './bytes.ts';
import { CLIENT_ID_BYTES, MAX_CAPACITY, MAX_FRAME_BYTES, MAX_PUSHES, SEAT_BYTES } from './limits.ts';

/**
 * The two binary layouts on the wire.
 *
 * push   count u16 | count × { flags u8 | cid 16 | [to: count u8, seats 16 each] | body u32-length }
 * batch  from u48 | to u48 | count u16 | count × { flags u8 | seq u48 | time u48 | sender 16 | cid 16 | [to …] | body u32-length }
 *
 * flags: bit 0 transient (no place in the log), bit 1 addressed.
 */

const TRANSIENT = 1;
const ADDRESSED = 2;

/** A frame on its way to the relay. */
export interface Push {
  /** Chosen by the sender; the relay keeps one frame for each (sender, cid). */
  cid: Uint8Array;
  /** Seats that are to receive it; absent: every member, the sender included. */
  to?: readonly Uint8Array[];
  /** Delivered to who is connected now; takes no sequence number and no mailbox. */
  transient?: boolean;
  body: Uint8Array;
}

/** A frame from the relay. */
export interface Delivery {
  /** Place in the room's log; 0 for a transient frame. */
  seq: number;
  /** The relay's clock when it took the frame, milliseconds since 1970. Not trustworthy. */
  time: number;
  /** The sender's seat, as the relay says. */
  from: Bytes;
  cid: Bytes;
  to?: Bytes[];
  transient: boolean;
  body: Bytes;
}

/** Deliveries, and the contiguous range of the log they cover: what is missing in between was not for this member. */
export interface Batch {
  /** First sequence number covered; `from > to` when the batch holds transient frames only. */
  from: number;
  to: number;
  deliveries: Delivery[];
}

/** @throws {QsecError} `INVALID_ARGUMENT` when a field has a wrong size. */
export function encodePushes(pushes: readonly Push[]): Bytes {
  const writer = new Writer().u16(pushes.length);
  for (const { cid, to, transient, body } of pushes) {
    writer.u8((transient ? TRANSIENT : 0) | (to ? ADDRESSED : 0)).fixed(exactly(cid, CLIENT_ID_BYTES, 'cid'));
    if (to) writeSeats(writer, to);
    writer.variable(body);
  }
  return writer.bytes();
}

/** @throws {QsecError} `INVALID_ARGUMENT` for anything {@link encodePushes} cannot have written, or a body above `frameBytes`. */
export function decodePushes(bytes: Uint8Array, frameBytes = MAX_FRAME_BYTES): Push[] {
  const reader = new Reader(bytes);
  const count = reader.u16();
  if (count === 0 || count > MAX_PUSHES) throw new QsecError('INVALID_ARGUMENT', `expected 1–${MAX_PUSHES} frames, got ${count}`);
  const pushes: Push[] = [];
  for (let i = 0; i < count; i++) {
    const flags = readFlags(reader);
    const cid = reader.fixed(CLIENT_ID_BYTES);
    const to = flags & ADDRESSED ? readSeats(reader) : undefined;
    pushes.push({ cid, ...(to && { to }), transient: (flags & TRANSIENT) !== 0, body: reader.variable(frameBytes) });
  }
  reader.end();
  return pushes;
}

export function encodeBatch({ from, to, deliveries }: Batch): Bytes {
  const writer = new Writer().u48(from).u48(to).u16(deliveries.length);
  for (const delivery of deliveries) {
    writer
      .u8((delivery.transient ? TRANSIENT : 0) | (delivery.to ? ADDRESSED : 0))
      .u48(delivery.seq)
      .u48(delivery.time)
      .fixed(exactly(delivery.from, SEAT_BYTES, 'from'))
      .fixed(exactly(delivery.cid, CLIENT_ID_BYTES, 'cid'));
    if (delivery.to) writeSeats(writer, delivery.to);
    writer.variable(delivery.body);
  }
  return writer.bytes();
}

/** @throws {QsecError} `INVALID_ARGUMENT` for anything {@link encodeBatch} cannot have written. */
export function decodeBatch(bytes: Uint8Array): Batch {
  const reader = new Reader(bytes);
  const from = reader.u48();
  const to = reader.u48();
  const count = reader.u16();
  const deliveries: Delivery[] = [];
  for (let i = 0; i < count; i++) {
    const flags = readFlags(reader);
    const transient = (flags & TRANSIENT) !== 0;
    const seq = reader.u48();
    if (transient ? seq !== 0 : seq < from || seq > to)
      throw new QsecError('INVALID_ARGUMENT', 'sequence number outside the batch');
    const time = reader.u48();
    const sender = reader.fixed(SEAT_BYTES);
    const cid = reader.fixed(CLIENT_ID_BYTES);
    const seats = flags & ADDRESSED ? readSeats(reader) : undefined;
    deliveries.push({
      seq,
      time,
      from: sender,
      cid,
      ...(seats && { to: seats }),
      transient,
      body: reader.variable(MAX_FRAME_BYTES),
    });
  }
  reader.end();
  return { from, to, deliveries };
}

function readFlags(reader: Reader): number {
  const flags = reader.u8();
  if (flags > (TRANSIENT | ADDRESSED)) throw new QsecError('INVALID_ARGUMENT', `unknown frame flags ${flags}`);
  return flags;
}

function writeSeats(writer: Writer, seats: readonly Uint8Array[]): void {
  writer.u8(seats.length);
  for (const seat of seats) writer.fixed(exactly(seat, SEAT_BYTES, 'to'));
}

function readSeats(reader: Reader): Bytes[] {
  const count = reader.u8();
  if (count === 0 || count > MAX_CAPACITY)
    throw new QsecError('INVALID_ARGUMENT', `expected 1–${MAX_CAPACITY} addressees, got ${count}`);
  return Array.from({ length: count }, () => reader.fixed(SEAT_BYTES));
}

function exactly(bytes: Uint8Array, length: number, field: string): Uint8Array {
  if (bytes.length !== length) {
    throw new QsecError('INVALID_ARGUMENT', `"${field}" expected Uint8Array of length ${length}, got length=${bytes.length}`);
  }
  return bytes;
}
