import { bytes } from '../arguments.ts';
import { byteLength, flipBit, pack, unpack } from '../bits.ts';
import { malformed, Reader, Writer } from '../codec.ts';
import { binaryEntropy } from '../finite-key.ts';
import { checked } from './checked.ts';
import { buildCode, type LdpcCode, LIFT, splitRows, syndromeOf } from './ldpc-code.ts';
import { LdpcDecoder } from './ldpc-decoder.ts';
import { type Reconciler, type ReconciliationReceiver, type ReconciliationSender, runLocally } from './types.ts';

/** Iterations of one attempt at decoding. */
const ITERATIONS = 40;
/** Share of the first syndrome that the first request asks for; the k-th asks for k times as much. Four double the syndrome. */
const EXTRA = 0.1;
const REQUESTS = 4;
/** No code is made for a lower error rate. */
const LEAST_RATE = 0.002;
/** Fewest base rows of a code whose columns have weight 3. */
const LEAST_ROWS = 4;

/** Base rows for n·h(q) bits of information with head-room for the sampling error of q and for the size of the code. */
function rowsFor(bits: number, qber: number, factor: number, deviations: number): number {
  const information = bits * binaryEntropy(Math.max(qber, LEAST_RATE));
  const rows = Math.ceil((factor * information + deviations * Math.sqrt(information)) / LIFT);
  return Math.max(LEAST_ROWS, Math.min(rows, mostRows(bits)));
}

/** A syndrome as long as the key would give it away. */
const mostRows = (bits: number): number => Math.max(LEAST_ROWS, Math.ceil(bits / LIFT) - 1);

/**
 * Base rows of the first syndrome. Without a budget, the few that most often suffice, an f of about 1.2; with one, up to about
 * 1.5, at which decoding takes a third of the iterations and hardly ever fails.
 */
function firstRows(bits: number, qber: number, budget: number): number {
  const frugal = rowsFor(bits, qber, 1.14, 2.5);
  const generous = rowsFor(bits, qber, 1.35, 6);
  return Math.max(frugal, Math.min(generous, Math.floor(budget / LIFT)));
}

const requestRows = (rows: number, request: number): number => Math.ceil(EXTRA * request * rows);

/** The key as one element a bit, padded with zeros to whole columns. */
function spread(key: Uint8Array, bits: number): Uint8Array {
  const out = new Uint8Array(Math.ceil(bits / LIFT) * LIFT);
  out.set(unpack(key, bits));
  return out;
}

/** The part of a syndrome that belongs to base rows from `first` on. */
const fromRow = (syndrome: Uint8Array, first: number): Uint8Array => syndrome.subarray(first * LIFT);

class LdpcSender implements ReconciliationSender {
  readonly #key: Uint8Array;
  readonly #code: LdpcCode;
  #split = 0;
  disclosed = 0;

  constructor(key: Uint8Array, bits: number, qber: number, budget: number) {
    this.#key = spread(key, bits);
    this.#code = buildCode(Math.ceil(bits / LIFT), firstRows(bits, qber, budget));
  }

  first(): Uint8Array {
    const syndrome = syndromeOf(this.#code, this.#key);
    this.disclosed += syndrome.length;
    return pack(syndrome);
  }

  answer(request: Uint8Array): Uint8Array {
    const reader = new Reader(request);
    const wanted = reader.varint();
    reader.end();
    if (wanted <= this.#split || wanted > this.#code.rows) throw malformed('a request for rows that do not exist');
    const syndrome = syndromeOf(splitRows(this.#code, wanted), this.#key);
    const extra = fromRow(syndrome, this.#code.rows + this.#split);
    this.#split = wanted;
    this.disclosed += extra.length;
    return pack(extra);
  }
}

class LdpcReceiver implements ReconciliationReceiver {
  readonly key: Uint8Array;
  readonly #bits: number;
  readonly #qber: number;
  readonly #own: Uint8Array;
  #code: LdpcCode | undefined;
  /** Syndrome of the error pattern: of the first code, then of the new rows that came later. */
  #errors = new Uint8Array(0);
  /** Base rows split already, and after the answer that is due. */
  #split = 0;
  #wanted = 0;
  failed = false;
  corrected = 0;
  disclosed = 0;
  rounds = 0;

  constructor(key: Uint8Array, bits: number, qber: number) {
    this.key = key.slice();
    this.#bits = bits;
    this.#qber = Math.max(qber, LEAST_RATE);
    this.#own = spread(key, bits);
  }

  receive(message: Uint8Array): Uint8Array | undefined {
    bytes('message', message);
    const base = this.#code ?? buildCode(Math.ceil(this.#bits / LIFT), this.#readRows(message));
    const code = splitRows(base, this.#wanted);
    const fresh = base.rows * (this.#code ? 1 : 0) + this.#split;
    const own = fromRow(syndromeOf(code, this.#own), fresh);
    const reader = new Reader(message);
    const theirs = reader.bits(own.length);
    reader.end();

    const errors = new Uint8Array(this.#errors.length + own.length);
    errors.set(this.#errors);
    errors.set(
      unpack(theirs, own.length).map((bit, i) => bit ^ (own[i] as number)),
      this.#errors.length,
    );
    this.#errors = errors;
    this.#code = base;
    this.#split = this.#wanted;
    this.disclosed += own.length;
    this.rounds++;
    return this.#decode(base, code);
  }

  /** How many base rows the opening message has. */
  #readRows(message: Uint8Array): number {
    const rows = message.length / byteLength(LIFT);
    if (!Number.isInteger(rows) || rows < LEAST_ROWS || rows > mostRows(this.#bits))
      throw malformed('a syndrome of a wrong length');
    return rows;
  }

  #decode(base: LdpcCode, code: LdpcCode): Uint8Array | undefined {
    const syndrome = this.#errors.slice();
    // An old check is the sum of the two it was split into.
    for (let i = 0; i < this.#split * LIFT; i++)
      syndrome[i] = (syndrome[i] as number) ^ (syndrome[base.rows * LIFT + i] as number);
    const decoder = new LdpcDecoder(code, syndrome, this.#qber, this.#bits);
    if (decoder.run(ITERATIONS)) return this.#apply(decoder.result as Uint8Array);
    this.#wanted = Math.min(base.rows, this.#split + requestRows(base.rows, this.rounds));
    this.failed = this.#wanted === this.#split || this.rounds > REQUESTS;
    return this.failed ? undefined : new Writer().varint(this.#wanted).finish();
  }

  #apply(errors: Uint8Array): undefined {
    for (let i = 0; i < errors.length; i++) {
      if (!errors[i]) continue;
      flipBit(this.key, i);
      this.corrected++;
    }
  }
}

/** Most bytes of the opening message, of a request and of an answer, for a key of `bits` bits. */
export function ldpcBound(bits: number): { first: number; request: number; answer: number } {
  const rows = mostRows(bits);
  return { first: rows * byteLength(LIFT), request: 4, answer: requestRows(rows, REQUESTS) * byteLength(LIFT) };
}

/**
 * One-way reconciliation by low-density parity-check codes: Alice sends a syndrome whose length fits the estimate; while decoding
 * fails, Bob asks for more of it. What Alice tells is all that is given away under either accounting, for a request says
 * nothing but that decoding failed.
 */
export function ldpc(): Reconciler {
  return checked({
    method: 'ldpc',
    name: 'ldpc',
    sender: (key, bits, qber, budget = 0) => new LdpcSender(key, bits, qber, budget),
    receiver: (key, bits, qber) => new LdpcReceiver(key, bits, qber),
    local(aliceBits, bobBits, qber, bits = 8 * aliceBits.length) {
      return runLocally(this.sender(aliceBits, bits, qber), this.receiver(bobBits, bits, qber));
    },
  });
}
