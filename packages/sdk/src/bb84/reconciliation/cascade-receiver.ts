import { fromWords } from '../bits.ts';
import { arrange, blockParities, type Frame, MASKS, maskedParity, maskWords, nodeParity } from './cascade-frame.ts';
import { encodeQuestions, type MaskNode, type Questions, questionsIn, readParities } from './cascade-questions.ts';
import { bitAt, placeOf } from './shuffle.ts';
import type { ReconciliationReceiver } from './types.ts';

/** Flags of a heap node of two or more bits: its parity is known, differs from Alice's, and it is on a list. */
const KNOWN = 1;
const ODD = 2;
const LISTED = 4;

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
  /** Flags of the nodes of each pass. Only those of known nodes without known halves are kept up to date. */
  readonly #flags: Uint8Array[];
  /** By pass: nodes to look at before the next round; nodes whose left halves were asked for. */
  #listed: number[][];
  #asked: number[][];
  /** By pass: places found wrong, whose nodes of two bits are odd until they are flipped. */
  readonly #found: number[][];
  /** The opening parities, how many of them have been compared, and how many passes have begun. */
  #opening = new Uint8Array(0);
  #compared = 0;
  #begun = 0;
  /** The search under a mask, which goes on alone. */
  #mask: MaskNode | undefined;
  failed = false;
  corrected = 0;
  disclosed = 0;
  rounds = 0;

  constructor(key: Uint8Array, frame: Frame, cost: number) {
    this.#frame = frame;
    this.#cost = cost;
    this.#orders = arrange(key, frame);
    this.#flags = frame.blocks.map(() => new Uint8Array(frame.size));
    this.#listed = frame.blocks.map(() => []);
    this.#asked = frame.blocks.map(() => []);
    this.#found = frame.blocks.map(() => []);
  }

  get key(): Uint8Array {
    return fromWords(this.#orders[0] as Uint32Array, this.#frame.bits);
  }

  receive(message: Uint8Array): Uint8Array | undefined {
    const opening = this.#opening.length === 0;
    const due = opening ? this.#frame.opening : questionsIn({ nodes: this.#asked, mask: this.#mask });
    const parities = readParities(message, due);
    const questions = opening ? this.open(parities) : this.learn(parities);
    // In ascending order gaps are small. These are the very lists that the answers will be matched with.
    for (const list of questions?.nodes ?? []) list.sort((a, b) => a - b);
    return questions && encodeQuestions(questions);
  }

  /** Takes the opening parities; returns the first questions, or undefined when nothing differs. */
  open(parities: Uint8Array): Questions | undefined {
    this.#opening = parities.slice();
    this.disclosed += this.#cost * parities.length;
    return this.#ask();
  }

  /** Takes the answers to the last questions, in their order. */
  learn(parities: Uint8Array): Questions | undefined {
    const { size } = this.#frame;
    let at = 0;
    // Every answer is compared with the key as it was when the question was asked, before anything is flipped.
    for (let pass = 0; pass < this.#asked.length; pass++) {
      const words = this.#orders[pass] as Uint32Array;
      const flags = this.#flags[pass] as Uint8Array;
      const list = this.#asked[pass] as number[];
      const listed = this.#listed[pass] as number[];
      for (let i = 0; i < list.length; i++) {
        const parent = list[i] as number;
        const left = 2 * parent;
        const odd = (parities[at++] as number) ^ nodeParity(words, size, left);
        const wrong = left + 1 - odd;
        if (left >= size) {
          (this.#found[pass] as number[]).push(wrong - size);
          continue;
        }
        flags[left] = flags[left + 1] = KNOWN;
        flags[wrong] = KNOWN | ODD | LISTED;
        listed.push(wrong);
      }
    }
    if (this.#mask) this.#narrow(this.#mask, parities[at++] as number);
    this.disclosed += this.#cost * at;
    return this.#ask();
  }

  /** Flips what was found, then asks for the left half of every odd node. */
  #ask(): Questions | undefined {
    this.failed = ++this.rounds > MOST_ROUNDS;
    if (this.failed) return undefined;
    for (let pass = 0; pass < this.#begun; pass++) this.#flipFound(pass);
    for (;;) {
      const open = this.#selectOdd();
      const nodes = this.#asked;
      if (this.#mask) return { nodes, mask: this.#mask };
      if (open > 0) return { nodes, mask: undefined };
      if (this.#beginPass()) continue;
      this.#mask = this.#oddMask();
      return this.#mask && { nodes, mask: this.#mask };
    }
  }

  #flipFound(pass: number): void {
    const { size, orders } = this.#frame;
    const flags = this.#flags[pass] as Uint8Array;
    const order = orders[pass];
    const found = this.#found[pass] as number[];
    for (let i = 0; i < found.length; i++) {
      const place = found[i] as number;
      // Another pass may have found the same bit in this round: then its pair is even again.
      if ((flags[(place + size) >>> 1] as number) & ODD) this.#flip(order ? bitAt(place, order) : place);
    }
    found.length = 0;
  }

  /** Flips a bit of the key, and with it the parity of the smallest known node around it in every pass. */
  #flip(bit: number): void {
    const { size, orders } = this.#frame;
    this.corrected++;
    for (let pass = 0; pass < orders.length; pass++) {
      const order = orders[pass];
      const place = order ? placeOf(bit, order) : bit;
      const words = this.#orders[pass] as Uint32Array;
      words[place >>> 5] = (words[place >>> 5] as number) ^ (0x80000000 >>> (place & 31));
      if (pass >= this.#begun) continue;
      const flags = this.#flags[pass] as Uint8Array;
      let node = (place + size) >>> 1;
      while (flags[node] === 0 && node > 0) node >>>= 1;
      // Only padding is outside of every block; nothing flips it but answers that contradict each other.
      if (node === 0) continue;
      const flag = (flags[node] as number) ^ ODD;
      flags[node] = flag | LISTED;
      if ((flag & LISTED) === 0) (this.#listed[pass] as number[]).push(node);
    }
  }

  /** Keeps of the listed nodes those that are odd, as the ones to ask about. Returns how many they are. */
  #selectOdd(): number {
    const lists = this.#listed;
    this.#listed = this.#asked;
    this.#asked = lists;
    let total = 0;
    for (let pass = 0; pass < this.#begun; pass++) {
      const flags = this.#flags[pass] as Uint8Array;
      const list = lists[pass] as number[];
      (this.#listed[pass] as number[]).length = 0;
      let count = 0;
      for (let i = 0; i < list.length; i++) {
        const node = list[i] as number;
        const flag = flags[node] as number;
        flags[node] = flag & ~LISTED;
        if (flag & ODD) list[count++] = node;
      }
      list.length = count;
      total += count;
    }
    return total;
  }

  /**
   * Compares the blocks of the next pass. A pass begins when the ones before it are even: their searches would find the same
   * errors in smaller blocks.
   */
  #beginPass(): boolean {
    const { size, blocks, tops } = this.#frame;
    const pass = this.#begun;
    if (pass === blocks.length) return false;
    const words = this.#orders[pass] as Uint32Array;
    const flags = this.#flags[pass] as Uint8Array;
    const listed = this.#listed[pass] as number[];
    const block = blocks[pass] as number;
    const count = tops[pass] as number;
    const own = new Uint8Array(count);
    blockParities(words, block, count, own, 0);
    for (let i = 0, node = size / block; i < count; i++, node++) {
      const odd = this.#opening[this.#compared++] !== own[i];
      flags[node] = odd ? KNOWN | ODD | LISTED : KNOWN;
      if (odd) listed.push(node);
    }
    this.#begun++;
    return true;
  }

  /** The first mask over which Alice's and Bob's parities differ. */
  #oddMask(): MaskNode | undefined {
    const plain = this.#orders[0] as Uint32Array;
    for (let index = 0; index < MASKS; index++) {
      const own = maskedParity(plain, maskWords(index, plain.length), this.#frame.size, 1);
      if (own !== this.#opening[this.#compared + index]) return { index, node: 1 };
    }
    return undefined;
  }

  /** Takes the half of a mask's node that is odd; flips the bit when it is one. */
  #narrow({ index, node }: MaskNode, parity: number): void {
    const { size } = this.#frame;
    const plain = this.#orders[0] as Uint32Array;
    const left = 2 * node;
    const odd = parity ^ maskedParity(plain, maskWords(index, plain.length), size, left);
    const wrong = left + 1 - odd;
    this.#mask = wrong < size ? { index, node: wrong } : undefined;
    if (wrong >= size) this.#flip(wrong - size);
  }
}
