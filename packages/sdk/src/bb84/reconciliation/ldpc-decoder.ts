import { type LdpcCode, LIFT, syndromeOf } from './ldpc-code.ts';

/** Log-likelihood ratios are integers in units of 1/16. */
const UNIT = 16;
/** Larger messages than this are certain. */
const LARGEST = 511;
/** φ(x) = −ln tanh(x/2) is an integer in units of 2⁻¹⁶. */
const SCALE = 65536;
/** A bit known beforehand. */
const KNOWN = 1 << 20;

const phi = (x: number): number => -Math.log(Math.tanh(x / 2));

/** φ of a message magnitude. */
const FORWARD = new Int32Array(LARGEST + 1);
/** φ⁻¹ = φ of a sum, indexed by its five leading bits and its exponent. */
const BACKWARD = new Int32Array(32 * 28);
let tablesReady = false;

function fillTables(): void {
  if (tablesReady) return;
  for (let a = 0; a < LARGEST; a++) FORWARD[a] = Math.max(1, Math.round(phi(Math.max(a, 0.5) / UNIT) * SCALE));
  for (let exponent = 0; exponent < 26; exponent++) {
    for (let lead = exponent === 0 ? 0 : 32; lead < 64; lead++) {
      const sum = exponent === 0 ? Math.max(lead, 0.5) : (lead + 0.5) * 2 ** exponent;
      BACKWARD[32 * exponent + lead] = Math.min(LARGEST, Math.round(phi(sum / SCALE) * UNIT));
    }
  }
  tablesReady = true;
}

/** Iterations in which the number of unmet checks must fall, lest the attempt be given up. */
const PATIENCE = 6;

/**
 * Finds an error pattern with a given syndrome: layered sum-product decoding (Hocevar, SiPS 2004) with integer messages, the
 * check rule by tables of φ (Gallager 1963).
 */
export class LdpcDecoder {
  readonly #code: LdpcCode;
  readonly #syndrome: Uint8Array;
  /** A posteriori ratio of each bit: positive means no error. */
  readonly #posterior: Int32Array;
  readonly #messages: Int32Array;
  readonly #extrinsic: Int32Array;
  readonly #phis: Int32Array;
  readonly #sums = new Int32Array(LIFT);
  readonly #signs = new Int32Array(LIFT);
  readonly #parities = new Int32Array(LIFT);
  readonly #bits: number;
  #result: Uint8Array | undefined;

  /**
   * @param syndrome of the error pattern, one element a check.
   * @param bits how many bits are real; those after it are known to be zero.
   */
  constructor(code: LdpcCode, syndrome: Uint8Array, qber: number, bits: number) {
    fillTables();
    this.#code = code;
    this.#syndrome = syndrome;
    this.#bits = bits;
    const prior = Math.round(Math.log((1 - qber) / qber) * UNIT);
    this.#posterior = new Int32Array(code.columns * LIFT).fill(prior).fill(KNOWN, bits);
    this.#messages = new Int32Array(code.edgeBit.length * LIFT);
    let heaviest = 0;
    for (let row = 0; row < code.rows; row++) {
      heaviest = Math.max(heaviest, (code.rowStart[row + 1] as number) - (code.rowStart[row] as number));
    }
    this.#extrinsic = new Int32Array(heaviest * LIFT);
    this.#phis = new Int32Array(heaviest * LIFT);
  }

  /** The error pattern found, one element a bit. */
  get result(): Uint8Array | undefined {
    return this.#result;
  }

  /** Runs at most `iterations`, fewer when they lead nowhere. Returns whether the syndrome is met. */
  run(iterations: number): boolean {
    const unmet: number[] = [];
    for (let iteration = 0; iteration < iterations; iteration++) {
      const now = this.#iterate();
      if (now === 0 && this.#check()) return true;
      if (iteration >= PATIENCE && now >= 0.97 * (unmet[iteration - PATIENCE] as number)) return false;
      unmet.push(now);
    }
    return false;
  }

  #check(): boolean {
    const errors = new Uint8Array(this.#posterior.length);
    for (let i = 0; i < errors.length; i++) errors[i] = (this.#posterior[i] as number) >>> 31;
    const found = syndromeOf(this.#code, errors);
    for (let i = 0; i < found.length; i++) if (found[i] !== this.#syndrome[i]) return false;
    this.#result = errors.subarray(0, this.#bits);
    return true;
  }

  /** One pass over all checks, each working with what the ones before it learned. Returns how many checks it found unmet. */
  #iterate(): number {
    const { rows, rowStart } = this.#code;
    const sums = this.#sums;
    const signs = this.#signs;
    const parities = this.#parities;
    let unmet = 0;
    for (let row = 0; row < rows; row++) {
      for (let z = 0; z < LIFT; z++) {
        signs[z] = parities[z] = -(this.#syndrome[row * LIFT + z] as number);
        sums[z] = 0;
      }
      const from = rowStart[row] as number;
      const to = rowStart[row + 1] as number;
      this.#gather(from, to);
      this.#spread(from, to);
      for (let z = 0; z < LIFT; z++) unmet += (parities[z] as number) >>> 31;
    }
    return unmet;
  }

  #gather(from: number, to: number): void {
    const { edgeBit, edgeShift } = this.#code;
    const posterior = this.#posterior;
    const messages = this.#messages;
    const extrinsic = this.#extrinsic;
    const phis = this.#phis;
    const sums = this.#sums;
    const signs = this.#signs;
    const parities = this.#parities;
    for (let edge = from, k = 0; edge < to; edge++) {
      const first = edgeBit[edge] as number;
      const shift = edgeShift[edge] as number;
      const messageOffset = edge * LIFT;
      for (let z = 0; z < LIFT; z++, k++) {
        const ratio = posterior[first + ((z + shift) & (LIFT - 1))] as number;
        const own = ratio - (messages[messageOffset + z] as number);
        extrinsic[k] = own;
        signs[z] = (signs[z] as number) ^ own;
        parities[z] = (parities[z] as number) ^ ratio;
        const size = own < 0 ? -own : own;
        const value = FORWARD[Math.min(size, LARGEST)] as number;
        phis[k] = value;
        sums[z] = (sums[z] as number) + value;
      }
    }
  }

  #spread(from: number, to: number): void {
    const { edgeBit, edgeShift } = this.#code;
    const posterior = this.#posterior;
    const messages = this.#messages;
    const extrinsic = this.#extrinsic;
    const phis = this.#phis;
    const sums = this.#sums;
    const signs = this.#signs;
    for (let edge = from, k = 0; edge < to; edge++) {
      const first = edgeBit[edge] as number;
      const shift = edgeShift[edge] as number;
      const messageOffset = edge * LIFT;
      for (let z = 0; z < LIFT; z++, k++) {
        const rest = (sums[z] as number) - (phis[k] as number);
        const exponent = 26 - Math.clz32(rest | 32);
        const own = extrinsic[k] as number;
        const negative = ((signs[z] as number) ^ own) >> 31;
        const message = ((BACKWARD[(exponent << 5) + (rest >>> exponent)] as number) ^ negative) - negative;
        messages[messageOffset + z] = message;
        posterior[first + ((z + shift) & (LIFT - 1))] = own + message;
      }
    }
  }
}
