import { CLIENT_ID_BYTES, MAX_CAPACITY, MAX_PUSHES, SEAT_BYTES } from '@qsec2/sdk/wire';

const TRANSIENT = 1;
const ADDRESSED = 2;

/** One frame of a push, as offsets into the bytes it arrived in. Nothing is copied. */
export interface PushView {
  flags: number;
  /** Where the client id starts; the addressees and the body follow it. */
  cid: number;
  /** Number of addressees; 0 when the frame is for everyone. */
  addressees: number;
  body: number;
  bodyBytes: number;
}

export const isTransient = (view: PushView): boolean => (view.flags & TRANSIENT) !== 0;

/**
 * Reads the push layout of the wire contract (`encodePushes`), checking every length against the end.
 * Undefined for anything that layout cannot be.
 */
export function parsePushes(bytes: Buffer): PushView[] | undefined {
  if (bytes.length < 2) return undefined;
  const count = bytes.readUInt16BE(0);
  if (count === 0 || count > MAX_PUSHES) return undefined;
  const views: PushView[] = [];
  let offset = 2;
  for (let i = 0; i < count; i++) {
    const view = parseOne(bytes, offset);
    if (view === undefined) return undefined;
    views.push(view);
    offset = view.body + view.bodyBytes;
  }
  return offset === bytes.length ? views : undefined;
}

function parseOne(bytes: Buffer, start: number): PushView | undefined {
  const cid = start + 1;
  let offset = cid + CLIENT_ID_BYTES;
  if (offset >= bytes.length) return undefined;
  const flags = bytes[start] as number;
  if (flags > (TRANSIENT | ADDRESSED)) return undefined;
  let addressees = 0;
  if (flags & ADDRESSED) {
    addressees = bytes[offset] as number;
    if (addressees === 0 || addressees > MAX_CAPACITY) return undefined;
    offset += 1 + addressees * SEAT_BYTES;
  }
  if (offset + 4 > bytes.length) return undefined;
  const bodyBytes = bytes.readUInt32BE(offset);
  const body = offset + 4;
  return body + bodyBytes > bytes.length ? undefined : { flags, cid, addressees, body, bodyBytes };
}
