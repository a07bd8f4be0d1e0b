/** The first bytes of a blob's file: what has to outlive the process, so that a folder of blobs needs no other record. */

/** magic 4 | version 1 | zeros 5 | created u48 | owner 16 */
export const HEADER_BYTES = 32;
const MAGIC = 'QSB2';
const VERSION = 1;
const CREATED_OFFSET = 10;
const OWNER_OFFSET = 16;
const OWNER_BYTES = 16;

export interface BlobHeader {
  /** Milliseconds since 1970. */
  created: number;
  /** Seat of the member who made the blob, base64url. */
  owner: string;
}

export function encodeHeader({ created, owner }: BlobHeader): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, 'latin1');
  header.writeUInt8(VERSION, MAGIC.length);
  header.writeUIntBE(created, CREATED_OFFSET, 6);
  Buffer.from(owner, 'base64url').copy(header, OWNER_OFFSET, 0, OWNER_BYTES);
  return header;
}

/** Undefined for anything {@link encodeHeader} did not write. */
export function decodeHeader(header: Buffer): BlobHeader | undefined {
  const known = header.length === HEADER_BYTES && header.toString('latin1', 0, 4) === MAGIC && header[4] === VERSION;
  if (!known) return undefined;
  return { created: header.readUIntBE(CREATED_OFFSET, 6), owner: header.toString('base64url', OWNER_OFFSET) };
}
