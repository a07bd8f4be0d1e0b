/**
 * Looks for secrets in what a relay had, in every form in which a careless implementation could have let them through. A long
 * secret is looked for by pieces: a part that leaked is a leak.
 */

/** Bytes of one piece; shorter ones would be found by chance. */
const PIECE_BYTES = 10;
const PIECES = 6;

export interface Finding {
  secret: string;
  form: string;
}

type Form = [name: string, needle: Buffer];

/** Names of the secrets that occur in `haystacks`, and how they were written: by default in any form, bit by bit as well. */
export function findSecrets(haystacks: readonly Buffer[], secrets: ReadonlyMap<string, Uint8Array>, forms = allForms): Finding[] {
  const text = Buffer.concat(haystacks.map((part) => Buffer.concat([part, Buffer.from('\0\0')])));
  const findings: Finding[] = [];
  for (const [secret, bytes] of secrets) {
    for (const piece of piecesOf(Buffer.from(bytes))) {
      for (const [form, needle] of forms(piece)) if (text.includes(needle)) findings.push({ secret, form });
    }
  }
  return findings;
}

export function* allForms(piece: Buffer): Generator<Form> {
  yield* byteForms(piece);
  yield* bitForms(piece);
}

/** As bytes, hex or base64. */
export function* byteForms(piece: Buffer): Generator<Form> {
  yield ['raw', piece];
  yield ['hex', Buffer.from(piece.toString('hex'))];
  yield ['HEX', Buffer.from(piece.toString('hex').toUpperCase())];
  yield* base64Forms(piece);
}

function piecesOf(secret: Buffer): Buffer[] {
  if (secret.length <= 2 * PIECE_BYTES) return [secret];
  const last = secret.length - PIECE_BYTES;
  return Array.from({ length: PIECES }, (_, i) => {
    const start = Math.floor((last * i) / (PIECES - 1));
    return secret.subarray(start, start + PIECE_BYTES);
  });
}

/** base64 of the same bytes differs with where they begin in a group of three: the inner digits of each alignment. */
function* base64Forms(piece: Buffer): Generator<Form> {
  for (let shift = 0; shift < 3; shift++) {
    const encoded = Buffer.concat([Buffer.alloc(shift), piece])
      .toString('base64')
      .replaceAll('=', '');
    const inner = encoded.slice(shift === 0 ? 0 : shift + 1, -1);
    yield ['base64', Buffer.from(inner)];
    yield ['base64url', Buffer.from(inner.replaceAll('+', '-').replaceAll('/', '_'))];
  }
}

/** Bits one by one, as characters or bytes, packed at another offset or in the other order. */
function* bitForms(piece: Buffer): Generator<Form> {
  const bits = [...piece].flatMap((byte) => Array.from({ length: 8 }, (_, i) => (byte >> (7 - i)) & 1));
  yield ['bits as characters', Buffer.from(bits.join(''))];
  yield ['bits in JSON', Buffer.from(bits.join(','))];
  yield ['bits as bytes', Buffer.from(bits)];
  const pack = (list: number[], leastFirst: boolean) => {
    const out = Buffer.alloc(Math.floor(list.length / 8));
    for (let i = 0; i < out.length * 8; i++) {
      if (list[i]) out[i >> 3] = out.readUInt8(i >> 3) | (leastFirst ? 1 << (i & 7) : 0x80 >> (i & 7));
    }
    return out;
  };
  for (let offset = 0; offset < 8; offset++) {
    if (offset > 0) yield ['packed bits, most significant first', pack(bits.slice(offset), false)];
    yield ['packed bits, least significant first', pack(bits.slice(offset), true)];
  }
}
