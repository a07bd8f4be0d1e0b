import { CLIENT_ID_BYTES, SEAT_BYTES } from '@qsec2/sdk/wire';
import { isTransient, type PushView } from './parse-pushes.ts';

/**
 * An item is a frame as the batch layout holds it: flags u8 | seq u48 | time u48 | sender 16 | cid 16 | [to …] | body u32-length.
 * It is written once, when the push arrives, stored as it is, and sent as it is: a batch is a header and items behind it.
 */

const SEQ = 1;
const TIME = 7;
const SENDER = 13;
const CID = 29;
const REST = CID + CLIENT_ID_BYTES;

export const BATCH_HEADER_BYTES = 14;

/** A frame the relay took and has to place in its room's log. */
export interface Frame {
  /** Place in the log; 0 until it has one, and for ever when transient. */
  seq: number;
  /** Seat of the sender, base64url. */
  from: string;
  /** The client id, one character a byte: half of what makes the push idempotent. */
  cid: string;
  /** Seats that are to receive it; undefined: everyone. */
  to: readonly string[] | undefined;
  item: Buffer;
}

/** Copies a push into a new item. The sequence number is filled in by {@link place}. */
export function frameFromPush(bytes: Buffer, view: PushView, sender: Buffer, from: string, time: number): Frame {
  const tail = view.body + view.bodyBytes;
  const rest = view.cid + CLIENT_ID_BYTES;
  const item = Buffer.allocUnsafe(REST + tail - rest);
  item[0] = view.flags;
  item.writeUIntBE(0, SEQ, 6);
  item.writeUIntBE(time, TIME, 6);
  item.set(sender, SENDER);
  bytes.copy(item, CID, view.cid, tail);
  const cid = bytes.toString('latin1', view.cid, rest);
  return { seq: 0, from, cid, to: view.addressees === 0 ? undefined : readSeats(bytes, rest, view.addressees), item };
}

export { isTransient };

/** Writes the place a frame was given into its item. */
export function place(frame: Frame, seq: number): void {
  frame.seq = seq;
  frame.item.writeUIntBE(seq, SEQ, 6);
}

/** Reads items standing one behind the other, as a log keeps them. They were written by {@link frameFromPush}. */
export function readItems(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let start = 0; start < bytes.length; ) {
    const addressees = bytes[start]! & 2 ? bytes[start + REST]! : 0;
    const length = start + REST + (addressees && 1 + addressees * SEAT_BYTES);
    const end = length + 4 + bytes.readUInt32BE(length);
    frames.push({
      seq: bytes.readUIntBE(start + SEQ, 6),
      from: bytes.toString('base64url', start + SENDER, start + CID),
      cid: bytes.toString('latin1', start + CID, start + REST),
      to: addressees === 0 ? undefined : readSeats(bytes, start + REST, addressees),
      item: bytes.subarray(start, end),
    });
    start = end;
  }
  return frames;
}

/** Milliseconds since 1970 at which the relay took the frame. */
export const timeOf = (frame: Frame): number => frame.item.readUIntBE(TIME, 6);

/** The header of a batch that covers `from`–`to` and holds `count` items. */
export function batchHeader(from: number, to: number, count: number): Buffer {
  const header = Buffer.allocUnsafe(BATCH_HEADER_BYTES);
  header.writeUIntBE(from, 0, 6);
  header.writeUIntBE(to, 6, 6);
  header.writeUInt16BE(count, 12);
  return header;
}

/**
 * The items of several frames, one behind the other. They are copied once: from then on the frames' own items are parts of what
 * is returned, so that what was joined for the log is sent as it is.
 */
export function joinItems(frames: readonly Frame[]): Buffer {
  const joined = sideBySide(frames);
  if (joined) return joined;
  const items = Buffer.concat(frames.map(({ item }) => item));
  let start = 0;
  for (const frame of frames) {
    const end = start + frame.item.length;
    frame.item = items.subarray(start, end);
    start = end;
  }
  return items;
}

/** The items as one view, when they are side by side in one memory already. */
function sideBySide(frames: readonly Frame[]): Buffer | undefined {
  const { buffer, byteOffset } = frames[0]?.item ?? Buffer.alloc(0);
  let length = 0;
  for (const { item } of frames) {
    if (item.buffer !== buffer || item.byteOffset !== byteOffset + length) return undefined;
    length += item.length;
  }
  return Buffer.from(buffer, byteOffset, length);
}

function readSeats(bytes: Buffer, offset: number, count: number): string[] {
  const seats: string[] = [];
  for (let i = 0, start = offset + 1; i < count; i++, start += SEAT_BYTES)
    seats.push(bytes.toString('base64url', start, start + SEAT_BYTES));
  return seats;
}
