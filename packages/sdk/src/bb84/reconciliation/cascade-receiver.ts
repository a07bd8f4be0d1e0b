import { fromWords } from '../bits.ts';
import { arrange, bitAt, type Frame, MASKS, maskedParity, maskWords, nodeParity, placeOf } from './cascade-frame.ts';
import { encodeQuestions, type Questions } from './cascade-questions.ts';
import { readParities } from './cascade-sender.ts';
import type { ReconciliationReceiver } from './types.ts';

/** Flags of a heap node. */
const KNOWN = 1;
const ODD = 2;
const WAITING = 4;

/** More messages than any honest run needs. */
const MOST_ROUNDS = 5000;

/**
 * Bob in Cascade (Brassard and Salvail, EUROCRYPT '93): finds an error in every block whose parity is odd by halving it. A bit
 * he flips changes the parity of its block in every pass, which starts searches there; each parity he ever learned is reused. All
 * passes' searches advance together, one halving a round. When all is even, parities over random halves of the key look for
 * what is left, which comes in even numbers in every block.
 */
export class CascadeReceiver implements ReconciliationReceiver {
  readonly #frame: Frame;
  readonly #cost: number;
  /** Bob's key in the order of each pass, kept up to date. */
  readonly #orders: Uint32Array[];
  /** Flags of the nodes of each pass. ODD is kept for known nodes without known halves only. */
  readonly #flags: Uint8Array[];
  /** Nodes that became odd, to be looked at before the next round. */
  readonly #candidates: number[][];
  /** Nodes whose left halves were asked for, by pass. */
  #searching: Int32Array[] = [];
  #masks = new Uint8Array(0);
  #mask: { index: number; node: number } | undefined;
  #opened = false;
  failed = false;
  corrected = 0;
  disclosed = 0;
  rounds = 0;

  constructor(key: Uint8Array, frame: Frame, cost: number) {
    this.#frame = frame;
    this.#cost = cost;
    this.#orders = arrange(key, frame);
    this.#flags = frame.blocks.map(() => new Uint8Array(2 * frame.size));
    this.#candidates = frame.blocks.map(() => []);
  }

  get key(): Uint8Array {
    return fromWords(this.#orders[0] as Uint32Array, this.#frame.bits);
  }

  receive(message: Uint8Array): Uint8Array | undefined {
    const count = this.#opened
      ? this.#searching.reduce((sum, list) => sum + list.length, 0) + (this.#mask ? 1 : 0)
      : this.#frame.opening;
    const parities = readParities(message, count);
    const questions = this.#opened ? this.learn(parities) : this.open(parities);
    return questions && encodeQuestions(questions);
  }

  /** Takes the opening parities; returns the first questions, or undefined when nothing differs. */
  open(parities: Uint8Array): Questions | undefined {
    const { size, blocks, tops, opening } = this.#frame;
    this.#opened = true;
    let at = 0;
    this.#orders.forEach((words, pass) => {
      const first = size / (blocks[pass] as number);
      for (let node = first; node < first + (tops[pass] as number); node++) {
        this.#know(pass, node, (parities[at++] as number) ^ nodeParity(words, size, node));
      }
    });
    this.#masks = parities.slice(at);
    this.disclosed += this.#cost * opening;
    return this.#ask();
  }

  /** Takes the answers to the last questions, in their order. */
  learn(parities: Uint8Array): Questions | undefined {
    const { size } = this.#frame;
    let at = 0;
    // Every answer is compared with the key as it was when the question was asked, before anything is flipped.
    for (let pass = 0; pass < this.#searching.length; pass++) {
      const words = this.#orders[pass] as Uint32Array;
      const flags = this.#flags[pass] as Uint8Array;
      const list = this.#searching[pass] as Int32Array;
      for (let i = 0; i < list.length; i++) {
        const left = list[i] as number;
        const odd = (parities[at++] as number) ^ nodeParity(words, size, left);
        const parent = left >>> 1;
        const parentOdd = ((flags[parent] as number) & ODD) >>> 1;
        flags[parent] = KNOWN;
        this.#know(pass, left, odd);
        this.#know(pass, left + 1, odd ^ parentOdd);
      }
    }
    if (this.#mask) this.#narrow(this.#mask, parities[at++] as number);
    this.disclosed += this.#cost * at;
    return this.#ask();
  }

  #know(pass: number, node: number, odd: number): void {
    const flags = this.#flags[pass] as Uint8Array;
    if (odd === 0) {
      flags[node] = KNOWN;
      return;
    }
    flags[node] = KNOWN | ODD | WAITING;
    (this.#candidates[pass] as number[]).push(node);
  }

  /** Flips the bit of every odd node of size one, then asks for the left half of every other odd node. */
  #ask(): Questions | undefined {
    if (++this.rounds > MOST_ROUNDS) {
      this.failed = true;
      return undefined;
    }
    this.#flipFound();
    const nodes = this.#candidates.map((candidates, pass) => {
      const flags = this.#flags[pass] as Uint8Array;
      const asked = new Int32Array(candidates.length);
      let count = 0;
      for (const node of candidates) {
        const flag = flags[node] as number;
        flags[node] = flag & ~WAITING;
        if (flag & ODD) asked[count++] = 2 * node;
      }
      candidates.length = 0;
      return asked.subarray(0, count).sort();
    });
    this.#searching = nodes;
    if (this.#mask) return { nodes, mask: { index: this.#mask.index, node: 2 * this.#mask.node } };
    if (nodes.some((list) => list.length > 0)) return { nodes };
    this.#mask = this.#oddMask();
    return this.#mask && { nodes, mask: { index: this.#mask.index, node: 2 } };
  }

  #flipFound(): void {
    const { size } = this.#frame;
    for (let pass = 0; pass < this.#candidates.length; pass++) {
      const flags = this.#flags[pass] as Uint8Array;
      const order = this.#frame.orders[pass];
      const candidates = this.#candidates[pass] as number[];
      // Flipping appends to the lists of candidates, never single bits, so those that were there are enough.
      for (let i = 0, end = candidates.length; i < end; i++) {
        const node = candidates[i] as number;
        if (node >= size && (flags[node] as number) & ODD) this.#flip(bitAt(node - size, size, order));
      }
    }
  }

  /** Flips a bit of the key, and with it the parity of the smallest known node around it in every pass. */
  #flip(bit: number): void {
    const { size, orders } = this.#frame;
    this.corrected++;
    for (let pass = 0; pass < orders.length; pass++) {
      const place = placeOf(bit, size, orders[pass]);
      const words = this.#orders[pass] as Uint32Array;
      words[place >>> 5] = (words[place >>> 5] as number) ^ (0x80000000 >>> (place & 31));
      const flags = this.#flags[pass] as Uint8Array;
      let node = place + size;
      while (node > 0 && flags[node] === 0) node >>>= 1;
      if (node === 0) continue;
      const flag = (flags[node] as number) ^ ODD;
      flags[node] = flag | WAITING;
      if ((flag & WAITING) === 0) (this.#candidates[pass] as number[]).push(node);
    }
  }

  /** The first mask over which Alice's and Bob's parities differ. */
  #oddMask(): { index: number; node: number } | undefined {
    const plain = this.#orders[0] as Uint32Array;
    for (let index = 0; index < MASKS; index++) {
      const own = maskedParity(plain, maskWords(index, plain.length), this.#frame.size, 1);
      if (own !== this.#masks[index]) return { index, node: 1 };
    }
    return undefined;
  }

  /** Takes the half of a mask's node that is odd; flips the bit when it is one. */
  #narrow(mask: { index: number; node: number }, parity: number): void {
    const { size } = this.#frame;
    const plain = this.#orders[0] as Uint32Array;
    const left = 2 * mask.node;
    const odd = parity ^ maskedParity(plain, maskWords(mask.index, plain.length), size, left);
    const node = odd ? left : left + 1;
    this.#mask = { index: mask.index, node };
    if (node < size) return;
    this.#mask = undefined;
    this.#flip(node - size);
  }
}
