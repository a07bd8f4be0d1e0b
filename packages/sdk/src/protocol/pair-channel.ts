import { QsecError } from '../errors.ts';
import { type Bytes, equalBytes, Reader, Writer } from '../wire/index.ts';
import { guardNonce, open, seal } from './aead.ts';
import { GUARD_BYTES } from './frame.ts';
import { SID_BYTES } from './handshake.ts';
import { erase, expandLabel } from './key-schedule.ts';
import { pad, unpad } from './padding.ts';
import type { PairSecrets } from './pairing.ts';
import { randomBytes } from './random.ts';
import { ReceiveChain, SendChain } from './ratchet.ts';

/**
 * The channel between two confirmed members: sender keys, receipts and whatever concerns these two alone.
 *
 * Content: sid 16 | pair epoch u32 | counter u32 | guard 4 | ciphertext + tag.
 * Additional data: roomId | sid | pair epoch | direction | counter.
 */

type Direction = 'a>b' | 'b>a';

export class PairChannel {
  readonly #roomId: Bytes;
  readonly #sid: Bytes;
  readonly #outbound: Direction;
  readonly #inbound: Direction;
  readonly #send: SendChain;
  readonly #receive: ReceiveChain;
  /** Rises with every rekeying of this pair. */
  readonly #epoch = 0;
  readonly #rekeySecret: Bytes;

  /** Takes the root over: it is erased, since with it a thief could go back to the beginning of both chains. */
  constructor(roomId: Bytes, { sid, role, root, transcript }: PairSecrets) {
    this.#roomId = roomId;
    this.#sid = sid;
    this.#outbound = role === 'a' ? 'a>b' : 'b>a';
    this.#inbound = role === 'a' ? 'b>a' : 'a>b';
    this.#send = new SendChain(expandLabel(root, `pair ${this.#outbound}`, transcript));
    this.#receive = new ReceiveChain(expandLabel(root, `pair ${this.#inbound}`, transcript));
    this.#rekeySecret = expandLabel(root, 'rekey', transcript);
    erase(root);
  }

  /** What the root of the next pair epoch descends from: EL(root, "rekey", transcript). Leads to nothing sealed so far. */
  get rekeySecret(): Bytes {
    return this.#rekeySecret;
  }

  get sid(): Bytes {
    return this.#sid;
  }

  async seal(plaintext: Uint8Array): Promise<Bytes> {
    const { counter, key, nonce } = this.#send.next();
    const guard = randomBytes(GUARD_BYTES);
    const box = await seal(key, guardNonce(nonce, guard), pad(plaintext), this.#additionalData(this.#outbound, counter));
    return new Writer().fixed(this.#sid).u32(this.#epoch).u32(counter).fixed(guard).fixed(box).bytes();
  }

  /** @throws {QsecError} when the frame was changed, repeated, or belongs to another session: nothing has changed then */
  async open(content: Uint8Array): Promise<Bytes> {
    const reader = new Reader(content);
    // What is not compared here or bound below could be changed on the way.
    if (!equalBytes(reader.fixed(SID_BYTES), this.#sid) || reader.u32() !== this.#epoch) {
      throw new QsecError('HANDSHAKE_FAILED', 'A frame of another session of this pair.');
    }
    const counter = reader.u32();
    const guard = reader.fixed(GUARD_BYTES);
    const box = reader.rest();
    return this.#receive.open(counter, async (key, nonce) =>
      unpad(await open(key, guardNonce(nonce, guard), box, this.#additionalData(this.#inbound, counter))),
    );
  }

  /** Overwrites the chains: nothing can be sealed or opened any more. */
  destroy(): void {
    this.#send.erase();
    this.#receive.erase();
    erase(this.#rekeySecret);
  }

  #additionalData(direction: Direction, counter: number): Bytes {
    return new Writer().fixed(this.#roomId).fixed(this.#sid).u32(this.#epoch).text(direction).u32(counter).bytes();
  }
}

/** The session a pair frame belongs to. */
export const sidOfPairFrame = (content: Uint8Array): Bytes => new Reader(content).fixed(SID_BYTES);
