/** Just enough DER (ITU-T X.690) to write a certificate. */

function element(tag: number, ...contents: Uint8Array[]): Uint8Array {
  const body = Buffer.concat(contents);
  const length = body.length < 128 ? [body.length] : [0x82, body.length >>> 8, body.length & 255];
  return Buffer.concat([Uint8Array.of(tag, ...length), body]);
}

export const sequence = (...items: Uint8Array[]): Uint8Array => element(0x30, ...items);
export const set = (...items: Uint8Array[]): Uint8Array => element(0x31, ...items);
export const octets = (bytes: Uint8Array): Uint8Array => element(0x04, bytes);
export const bitString = (bytes: Uint8Array): Uint8Array => element(0x03, Uint8Array.of(0), bytes);
export const utf8 = (text: string): Uint8Array => element(0x0c, Buffer.from(text));
export const yes = element(0x01, Uint8Array.of(0xff));
/** Constructed, context-specific. */
export const explicit = (tag: number, ...items: Uint8Array[]): Uint8Array => element(0xa0 | tag, ...items);
/** Primitive, context-specific. */
export const implicit = (tag: number, bytes: Uint8Array): Uint8Array => element(0x80 | tag, bytes);

/** A non-negative integer from its big-endian bytes. */
export const integer = (bytes: Uint8Array): Uint8Array =>
  element(0x02, (bytes[0] ?? 0) > 127 ? Buffer.concat([Uint8Array.of(0), bytes]) : bytes);

/** An object identifier such as `2.5.4.3`. */
export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [40 * first + second];
  for (const arc of rest) {
    const groups = [arc & 127];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 127) | 128);
    bytes.push(...groups);
  }
  return element(0x06, Uint8Array.from(bytes));
}

/** A time before 2050, by the second. */
export const utcTime = (date: Date): Uint8Array =>
  element(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`));
