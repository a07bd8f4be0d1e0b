/** RFC 6455 §5.2: FIN and opcode, then the length; a server does not mask. */
const TEXT = 0x81;
const BINARY = 0x82;

/** A whole text message. */
export function textFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  return Buffer.concat([frameHeader(TEXT, payload.length), payload]);
}

/** What stands before the payload of a binary message. */
export const binaryFrameHeader = (length: number): Buffer => frameHeader(BINARY, length);

function frameHeader(opcode: number, length: number): Buffer {
  if (length < 126) return Buffer.from([opcode, length]);
  if (length < 65_536) return Buffer.from([opcode, 126, length >> 8, length & 0xff]);
  const header = Buffer.alloc(10);
  header[0] = opcode;
  header[1] = 127;
  header.writeUInt32BE(length, 6);
  return header;
}
