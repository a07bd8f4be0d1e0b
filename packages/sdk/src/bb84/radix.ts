import { malformed } from './codec.ts';

/** Digits a group and bits a group for each radix: as many digits as waste little and fit a small integer. */
const GROUPS: Readonly<Record<number, readonly [digits: number, bits: number]>> = {
  2: [8, 8],
  3: [5, 8],
  4: [4, 8],
  5: [3, 7],
  6: [5, 13],
  7: [6, 17],
};

const group = (radix: number): readonly [number, number] => {
  const found = GROUPS[radix];
  if (!found) throw malformed('unknown alphabet');
  return found;
};

/** Bytes that {@link packDigits} makes of `count` digits. */
export function packedLength(count: number, radix: number): number {
  const [digits, bits] = group(radix);
  return Math.ceil((Math.ceil(count / digits) * bits) / 8);
}

/** Packs digits 0…radix−1, several to a group of bits: 2.34 bits a digit at radix 5, 2.84 at radix 7. */
export function packDigits(values: Uint8Array, radix: number): Uint8Array {
  const [digits, bits] = group(radix);
  const out = new Uint8Array(packedLength(values.length, radix));
  let buffer = 0;
  let held = 0;
  let at = 0;
  for (let start = 0; start < values.length; start += digits) {
    let number = 0;
    for (let i = start + digits - 1; i >= start; i--) number = number * radix + (i < values.length ? (values[i] as number) : 0);
    buffer = (buffer << bits) | number;
    for (held += bits; held >= 8; held -= 8) out[at++] = buffer >>> (held - 8);
    buffer &= 0xff;
  }
  if (held > 0) out[at] = buffer << (8 - held);
  return out;
}

/** The reverse of {@link packDigits}. `packed` must have {@link packedLength} bytes. Throws on digits that do not exist. */
export function unpackDigits(packed: Uint8Array, count: number, radix: number): Uint8Array {
  const [digits, bits] = group(radix);
  const limit = radix ** digits;
  const out = new Uint8Array(count);
  let buffer = 0;
  let held = 0;
  let at = 0;
  for (let start = 0; start < count; start += digits) {
    for (; held < bits; held += 8) buffer = (buffer << 8) | (packed[at++] as number);
    held -= bits;
    let number = (buffer >>> held) & ((1 << bits) - 1);
    buffer &= (1 << held) - 1;
    if (number >= limit) throw malformed('a symbol is out of range');
    for (let i = start; i < start + digits && i < count; i++) {
      out[i] = number % radix;
      number = Math.floor(number / radix);
    }
  }
  return out;
}
