/** The kinds of small pictures a message may carry. What it is shows in its first bytes, not in what anyone says of it. */

const SIGNATURES: readonly [type: string, offset: number, bytes: readonly number[]][] = [
  ['image/png', 0, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ['image/jpeg', 0, [0xff, 0xd8, 0xff]],
  // RIFF, length, WEBP.
  ['image/webp', 8, [0x57, 0x45, 0x42, 0x50]],
];

/** Media type of a PNG, JPEG or WebP; undefined for anything else. */
export function pictureType(bytes: Uint8Array): string | undefined {
  return SIGNATURES.find(([, offset, signature]) => signature.every((byte, i) => bytes[offset + i] === byte))?.[0];
}
