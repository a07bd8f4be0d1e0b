import { pack } from '../bits.ts';
import { arrange, blockParities, type Frame, MASKS, maskedParity, maskWords, nodeParity } from './cascade-frame.ts';
import { decodeQuestions, type Questions, questionsIn } from './cascade-questions.ts';
import type { ReconciliationSender } from './types.ts';

/** Alice in Cascade: answers with parities of her key. */
export class CascadeSender implements ReconciliationSender {
  readonly #frame: Frame;
  readonly #cost: number;
  readonly #orders: Uint32Array[];
  disclosed = 0;

  /** @param cost bits a parity costs, see `LeakAccounting`. */
  constructor(key: Uint8Array, frame: Frame, cost: number) {
    this.#frame = frame;
    this.#cost = cost;
    this.#orders = arrange(key, frame);
  }

  /** The parities of all blocks of all passes and of all masks, one element each. */
  openingParities(): Uint8Array {
    const { size, blocks, tops, opening } = this.#frame;
    const out = new Uint8Array(opening);
    let at = 0;
    this.#orders.forEach((words, pass) => {
      at = blockParities(words, blocks[pass] as number, tops[pass] as number, out, at);
    });
    const plain = this.#orders[0] as Uint32Array;
    for (let index = 0; index < MASKS; index++) out[at++] = maskedParity(plain, maskWords(index, plain.length), size, 1);
    this.disclosed += this.#cost * opening;
    return out;
  }

  /** Writes one element for each question to the front of `out`. */
  parities({ nodes, mask }: Questions, out: Uint8Array): void {
    const { size } = this.#frame;
    let at = 0;
    for (let pass = 0; pass < nodes.length; pass++) {
      const words = this.#orders[pass] as Uint32Array;
      const list = nodes[pass] as number[];
      for (let i = 0; i < list.length; i++) out[at++] = nodeParity(words, size, 2 * (list[i] as number));
    }
    if (mask) {
      const plain = this.#orders[0] as Uint32Array;
      out[at++] = maskedParity(plain, maskWords(mask.index, plain.length), size, 2 * mask.node);
    }
    this.disclosed += this.#cost * at;
  }

  first(): Uint8Array {
    return pack(this.openingParities());
  }

  answer(request: Uint8Array): Uint8Array {
    const questions = decodeQuestions(request, this.#frame);
    const out = new Uint8Array(questionsIn(questions));
    this.parities(questions, out);
    return pack(out);
  }
}
