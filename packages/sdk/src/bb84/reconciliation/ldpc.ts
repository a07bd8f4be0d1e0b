import { byteLength, flipBit, getBit, pack, unpack } from '../bits.ts';
import { malformed, Reader, Writer } from '../codec.ts';
import { buildCode, type LdpcCode, LIFT, syndromeOf } from './ldpc-code.ts';
import { LdpcDecoder } from './ldpc-decoder.ts';
import {
  type LeakAccounting,
  type Reconciler,
  type ReconciliationReceiver,
  type ReconciliationSender,
  runLocally,
} from './types.ts';

/** Iterations before the decoder asks for more, and after it got more. */
const ITERATIONS = 50;
/** Requests for extra syndrome before the run is given up. */
const REQUESTS = 1;
/** Extra bits a request asks for, as a fraction of the syndrome. */
const EXTRA = 0.2;

const binaryEntropy = (p: number): number => (p <= 0 || p >= 1 ? 0 : -(p * Math.log2(p) + (1 - p) * Math.log2(1 - p)));

/**
 * Base rows for a key: the rate adapts to the estimate in steps of {@link LIFT} bits. The head-room above n·h(q) shrinks with the
 * size of the code and grows where errors are few.
 */
export function baseRows(bits: number, qber: number): number {
  const columns = Math.ceil(bits / LIFT);
  const target = bits * binaryEntropy(Math.max(qber, 1e-3));
  const rows = Math.ceil((1.16 * target + 6 * Math.sqrt(target)) / LIFT);
  return Math.max(4, Math.min(rows, columns - 1));
}

function codeFor(bits: number, rows: number): LdpcCode {
  return buildCode(Math.ceil(bits / LIFT), rows);
}

/** The key as one element a bit, padded with zeros to whole columns. */
function spread(key: Uint8Array, bits: number): Uint8Array {
  const out = new Uint8Array(Math.ceil(bits / LIFT) * LIFT);
  out.set(unpack(key, bits));
  return out;
}

class LdpcSender implements ReconciliationSender {
  readonly #key: Uint8Array;
  readonly #bits: number;
  readonly #rows: number;
  /** Bits that a bit told of singly costs: its request tells of Bob's decoder too. */
  readonly #cost: number;
  disclosed = 0;

  constructor(key: Uint8Array, bits: number, qber: number, cost: number) {
    this.#key = key;
    this.#bits = bits;
    this.#rows = baseRows(bits, qber);
    this.#cost = cost;
  }

  first(): Uint8Array {
    const syndrome = syndromeOf(codeFor(this.#bits, this.#rows), spread(this.#key, this.#bits));
    this.disclosed += syndrome.length;
    return pack(syndrome);
  }

  /** Rows of weight one: the very bits that the decoder is least sure of. */
  answer(request: Uint8Array): Uint8Array {
    const positions = readPositions(request, this.#bits);
    this.disclosed += this.#cost * positions.length;
    return pack(positions.map((position) => getBit(this.#key, position)));
  }
}

class LdpcReceiver implements ReconciliationReceiver {
  readonly key: Uint8Array;
  readonly #bits: number;
  readonly #qber: number;
  readonly #rows: number;
  /** Bits that a bit told of singly costs: its request tells of Bob's decoder too. */
  readonly #cost: number;
  #decoder: LdpcDecoder | undefined;
  #asked: number[] = [];
  #requests = 0;
  failed = false;
  corrected = 0;
  disclosed = 0;
  rounds = 0;

  constructor(key: Uint8Array, bits: number, qber: number, cost: number) {
    this.key = key.slice();
    this.#bits = bits;
    this.#qber = qber;
    this.#rows = baseRows(bits, qber);
    this.#cost = cost;
  }

  receive(message: Uint8Array): Uint8Array | undefined {
    const decoder = this.#decoder ? this.#learn(this.#decoder, message) : this.#begin(message);
    this.#decoder = decoder;
    this.rounds++;
    if (decoder.run(ITERATIONS)) return this.#apply(decoder.result as Uint8Array);
    if (this.#requests === REQUESTS) {
      this.failed = true;
      return undefined;
    }
    this.#requests++;
    this.#asked = decoder.leastCertain(Math.max(16, Math.ceil(EXTRA * this.#rows * LIFT)));
    return writePositions(this.#asked);
  }

  #begin(message: Uint8Array): LdpcDecoder {
    const checks = this.#rows * LIFT;
    const reader = new Reader(message);
    const theirs = unpack(reader.bits(checks), checks);
    reader.end();
    const code = codeFor(this.#bits, this.#rows);
    const own = syndromeOf(code, spread(this.key, this.#bits));
    this.disclosed += checks;
    return new LdpcDecoder(
      code,
      theirs.map((bit, i) => bit ^ (own[i] as number)),
      Math.max(this.#qber, 1e-3),
      this.#bits,
    );
  }

  #learn(decoder: LdpcDecoder, message: Uint8Array): LdpcDecoder {
    const reader = new Reader(message);
    const theirs = reader.bits(this.#asked.length);
    reader.end();
    this.disclosed += this.#cost * this.#asked.length;
    decoder.reveal(
      this.#asked,
      this.#asked.map((position, i) => getBit(theirs, i) ^ getBit(this.key, position)),
    );
    return decoder;
  }

  #apply(errors: Uint8Array): undefined {
    for (let i = 0; i < errors.length; i++) {
      if (!errors[i]) continue;
      flipBit(this.key, i);
      this.corrected++;
    }
  }
}

function writePositions(positions: readonly number[]): Uint8Array {
  const writer = new Writer().varint(positions.length);
  let next = 0;
  for (const position of positions) {
    writer.varint(position - next);
    next = position + 1;
  }
  return writer.finish();
}

function readPositions(request: Uint8Array, bits: number): number[] {
  const reader = new Reader(request);
  const count = reader.varint();
  if (count > bits) throw malformed('more positions than bits');
  const positions: number[] = [];
  for (let i = 0, next = 0; i < count; i++) {
    const position = next + reader.varint();
    if (position >= bits) throw malformed('a position past the end');
    positions.push(position);
    next = position + 1;
  }
  reader.end();
  return positions;
}

export interface LdpcOptions {
  /** Default `'pattern-public'`. */
  leak?: LeakAccounting;
}

/** Most bytes of the opening message, and of the largest request, for a key of `bits` bits. */
export const ldpcBound = (bits: number): { first: number; request: number; answer: number } => {
  const columns = Math.ceil(bits / LIFT);
  const extra = Math.max(16, Math.ceil(EXTRA * columns * LIFT));
  return { first: byteLength(columns * LIFT), request: 3 + 2 * extra, answer: byteLength(extra) };
};

/**
 * One-way reconciliation by low-density parity-check codes: Alice sends a syndrome whose length fits the estimate; when decoding
 * fails, Bob asks once for the bits his decoder is least sure of (extra rows of weight one), and what she answers is counted.
 */
export function ldpc({ leak = 'pattern-public' }: LdpcOptions = {}): Reconciler {
  const cost = leak === 'two-way' ? 2 : 1;
  return {
    method: 'ldpc',
    sender: (key, bits, qber) => new LdpcSender(key, bits, qber, cost),
    receiver: (key, bits, qber) => new LdpcReceiver(key, bits, qber, cost),
    local(aliceBits, bobBits, qber, bits = 8 * aliceBits.length) {
      return runLocally(this.sender(aliceBits, bits, qber), this.receiver(bobBits, bits, qber));
    },
  };
}
