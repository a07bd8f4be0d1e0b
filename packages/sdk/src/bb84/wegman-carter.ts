import { QsecError } from '../errors.ts';
import { bytes, integer, object, word } from './arguments.ts';
import { GHASH_BYTES, Ghash } from './ghash.ts';

/** Bytes of a tag: which mask it used, u32, and the masked hash. */
export const WEGMAN_CARTER_TAG_BYTES = 4 + GHASH_BYTES;

/** Masks that share one hash key: 1024 runs of two. The next 16 bytes of the pad are then the new key. */
const MASKS_PER_HASH_KEY = 2048;

/** Bits of pad that one run takes: a 128-bit mask in each direction. */
const BITS_PER_MASK = GHASH_BYTES * 8;

export interface WegmanCarterOptions {
  /**
   * Alice tags with the even masks and Bob with the odd ones, so that no mask ever hides two tags even when messages are lost.
   * Without a role every call takes the next mask: only for two sides that strictly take turns.
   */
  role?: 'alice' | 'bob';
  /** Masks already used in each direction, to go on with a stored pad: a former {@link WegmanCarter.position}. */
  position?: { tagged: number; verified: number };
}

/** Information-theoretic authentication from a pre-shared pad. */
export interface WegmanCarter {
  /**
   * The tag of `message`, {@link WEGMAN_CARTER_TAG_BYTES} bytes. Takes 128 bits of pad, which no later tag uses again.
   *
   * @throws QsecError `PAD_EXHAUSTED` when none are left.
   */
  tag(message: Uint8Array): Uint8Array;
  /**
   * Whether `tag` is the other side's tag of `message`, not seen before. Takes its 128 bits of pad, and those of tags that were
   * lost on the way, only when it is: a forger cannot use the pad up.
   *
   * @throws QsecError `PAD_EXHAUSTED` when none are left to compare with.
   */
  verify(message: Uint8Array, tag: Uint8Array): boolean;
  /** Appends fresh pad, such as bits of a key just agreed. Both sides append the same bytes in the same order. */
  load(fresh: Uint8Array): void;
  /** Bits of pad left for tags in both directions. A run takes 256. */
  readonly remaining: number;
  /** Bits of pad taken by tags in both directions since the pad was new. */
  readonly consumed: number;
  /** What to store beside the pad, before a tag is sent. */
  readonly position: { tagged: number; verified: number };
}

/**
 * Wegman–Carter authentication (Wegman and Carter, J. Computer and System Sciences 22, 265, 1981): the transcript's polynomial
 * hash over GF(2¹²⁸), hidden by a one-time pad. A message of L blocks is forged with probability at most (L + 1)/2¹²⁸ an
 * attempt, whatever the forger can compute. The hash key may serve many tags, since each has a mask of its own (Portmann,
 * "Key recycling in authentication", IEEE Trans. Inf. Theory 60, 4383, 2014); it is refreshed from the pad every 1024 runs.
 *
 * @param pad secret, uniform, the same on both sides, never used for anything else: 16 bytes of hash key, then 32 bytes a run.
 * @throws QsecError `PAD_EXHAUSTED` when the pad does not last for one run; `INVALID_ARGUMENT` on a position outside the pad.
 */
export function wegmanCarter(pad: Uint8Array, options: WegmanCarterOptions = {}): WegmanCarter {
  const { role, position = { tagged: 0, verified: 0 } } = object('options', options);
  bytes('pad', pad);
  if (role !== undefined) word('role', role, ['alice', 'bob']);
  object('position', position);
  for (const name of ['tagged', 'verified'] as const) integer(`position.${name}`, position[name], 0);
  return new PadAuthentication(new Pad(pad), role, position);
}

/** The pad as a sequence of masks, with the hash key of each. */
class Pad {
  #bytes: Uint8Array;
  #hash: { epoch: number; function: Ghash } | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes.slice();
    if (this.masks < 2) throw exhausted(`a pad of ${bytes.length} bytes does not last for one run, which takes 48`);
  }

  /** How many masks there are, an even number. */
  get masks(): number {
    const blocks = Math.floor(this.#bytes.length / GHASH_BYTES);
    const epochs = Math.floor(blocks / (MASKS_PER_HASH_KEY + 1));
    const rest = blocks % (MASKS_PER_HASH_KEY + 1);
    const masks = epochs * MASKS_PER_HASH_KEY + Math.max(0, rest - 1);
    return masks - (masks % 2);
  }

  load(fresh: Uint8Array): void {
    const longer = new Uint8Array(this.#bytes.length + fresh.length);
    longer.set(this.#bytes);
    longer.set(fresh, this.#bytes.length);
    this.#bytes.fill(0);
    this.#bytes = longer;
  }

  /** `index` in four bytes, then the hash of `message` XOR mask `index`. */
  tag(index: number, message: Uint8Array): Uint8Array {
    const epoch = Math.floor(index / MASKS_PER_HASH_KEY);
    const key = epoch * (MASKS_PER_HASH_KEY + 1);
    if (this.#hash?.epoch !== epoch) this.#hash = { epoch, function: new Ghash(this.#block(key)) };
    const hash = this.#hash.function.hash(message);
    const mask = this.#block(key + 1 + (index % MASKS_PER_HASH_KEY));
    const tag = new Uint8Array(WEGMAN_CARTER_TAG_BYTES);
    new DataView(tag.buffer).setUint32(0, index);
    for (let i = 0; i < GHASH_BYTES; i++) tag[4 + i] = (hash[i] as number) ^ (mask[i] as number);
    return tag;
  }

  /** Overwrites this copy of mask `index`. */
  erase(index: number): void {
    const epoch = Math.floor(index / MASKS_PER_HASH_KEY);
    this.#block(epoch * (MASKS_PER_HASH_KEY + 1) + 1 + (index % MASKS_PER_HASH_KEY)).fill(0);
  }

  #block(index: number): Uint8Array {
    return this.#bytes.subarray(index * GHASH_BYTES, (index + 1) * GHASH_BYTES);
  }
}

/** The mask that `tag` names, or undefined when it is not a tag at all. */
function maskOf(tag: Uint8Array): number | undefined {
  return tag.length === WEGMAN_CARTER_TAG_BYTES ? new DataView(tag.buffer, tag.byteOffset, 4).getUint32(0) : undefined;
}

/** Compares in a time that depends on the lengths only. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] ?? 0);
  return difference === 0;
}

const exhausted = (what: string): QsecError => new QsecError('PAD_EXHAUSTED', `No authentication without pad: ${what}`);

/** Masks of one direction: every `step`-th from `first`. */
class Masks {
  readonly #pad: Pad;
  readonly #first: number;
  readonly #step: number;
  used: number;

  constructor(pad: Pad, first: number, step: number, used: number) {
    this.#pad = pad;
    this.#first = first;
    this.#step = step;
    this.used = used;
    integer('position', used, 0, this.#total);
    for (let n = 0; n < used; n++) pad.erase(first + n * step);
  }

  get #total(): number {
    return this.#pad.masks / this.#step;
  }

  get left(): number {
    return this.#total - this.used;
  }

  tag(message: Uint8Array): Uint8Array {
    this.#requireMask();
    const tag = this.#pad.tag(this.#first + this.used * this.#step, message);
    this.#useUpTo(this.used + 1);
    return tag;
  }

  verify(message: Uint8Array, tag: Uint8Array): boolean {
    this.#requireMask();
    const index = maskOf(tag);
    if (index === undefined || (index - this.#first) % this.#step !== 0) return false;
    const number = (index - this.#first) / this.#step;
    if (number < this.used || number >= this.#total) return false;
    if (!equal(this.#pad.tag(index, message), tag)) return false;
    this.#useUpTo(number + 1);
    return true;
  }

  #requireMask(): void {
    if (this.left === 0) throw exhausted('every bit of it was used');
  }

  #useUpTo(number: number): void {
    for (; this.used < number; this.used++) this.#pad.erase(this.#first + this.used * this.#step);
  }
}

class PadAuthentication implements WegmanCarter {
  readonly #pad: Pad;
  readonly #own: Masks;
  readonly #other: Masks;
  /** Without roles both directions are one sequence. */
  readonly #sequences: ReadonlySet<Masks>;

  constructor(pad: Pad, role: 'alice' | 'bob' | undefined, { tagged, verified }: { tagged: number; verified: number }) {
    this.#pad = pad;
    if (role === undefined) this.#own = this.#other = new Masks(pad, 0, 1, tagged + verified);
    else {
      const [own, other] = role === 'alice' ? [0, 1] : [1, 0];
      this.#own = new Masks(pad, own, 2, tagged);
      this.#other = new Masks(pad, other, 2, verified);
    }
    this.#sequences = new Set([this.#own, this.#other]);
  }

  tag(message: Uint8Array): Uint8Array {
    return this.#own.tag(bytes('message', message));
  }

  verify(message: Uint8Array, tag: Uint8Array): boolean {
    return this.#other.verify(bytes('message', message), bytes('tag', tag));
  }

  load(fresh: Uint8Array): void {
    this.#pad.load(bytes('fresh', fresh));
  }

  get remaining(): number {
    return [...this.#sequences].reduce((bits, { left }) => bits + left * BITS_PER_MASK, 0);
  }

  get consumed(): number {
    return [...this.#sequences].reduce((bits, { used }) => bits + used * BITS_PER_MASK, 0);
  }

  get position(): { tagged: number; verified: number } {
    return { tagged: this.#own.used, verified: this.#own === this.#other ? 0 : this.#other.used };
  }
}
