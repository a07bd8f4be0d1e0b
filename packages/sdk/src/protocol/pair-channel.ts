import { QsecError } from '../errors.ts';
import { type Bytes, equalBytes, Reader, Writer } from '../wire/index.ts';
import { guardNonce, open, seal } from './aead.ts';
import { GUARD_BYTES } from './frame.ts';
import { SID_BYTES } from './handshake.ts';
import { erase, expandLabel } from './key-schedule.ts';
import { pad, unpad } from './padding.ts';
import type { PairSecrets } from './pairing.ts';
import { randomBytes } from './random.ts';
import { ReceiveChain, SendChain, type SkippedKeys } from './ratchet.ts';

/**
 * The channel between two confirmed members: sender keys, receipts and whatever concerns these two alone.
 *
 * Content: sid 16 | pair epoch u32 | counter u32 | guard 4 | ciphertext + tag.
 * Additional data: roomId | sid | pair epoch | direction | counter.
 */

type Direction = 'a>b' | 'b>a';

/** How long frames of the previous epoch still open, after the first one of the new epoch. */
const OLD_EPOCH_MS = 60_000;

interface Epoch {
  number: number;
  send: SendChain;
  receive: ReceiveChain;
  /** What the root of the next epoch descends from; leads to nothing sealed so far. */
  rekeySecret: Bytes;
}

export class PairChannel {
  readonly role: 'a' | 'b';
  readonly #roomId: Bytes;
  readonly #sid: Bytes;
  readonly #outbound: Direction;
  readonly #inbound: Direction;
  readonly #skipped: SkippedKeys | undefined;
  /** What we send in. */
  #current: Epoch;
  /** Agreed, and the peer may send in it; we do once it is confirmed. */
  #next: Epoch | undefined;
  /** What the peer may still send in. */
  #previous: Epoch | undefined;
  #forgetting: ReturnType<typeof setTimeout> | undefined;

  /**
   * Takes the root over: it is erased, since with it a thief could go back to the beginning of both chains.
   * @param skipped what the chains of the room keep together
   */
  constructor(roomId: Bytes, { sid, role, root, transcript }: PairSecrets, skipped?: SkippedKeys) {
    this.role = role;
    this.#skipped = skipped;
    this.#roomId = roomId;
    this.#sid = sid;
    this.#outbound = role === 'a' ? 'a>b' : 'b>a';
    this.#inbound = role === 'a' ? 'b>a' : 'a>b';
    this.#current = this.#epoch(0, root, transcript);
  }

  get sid(): Bytes {
    return this.#sid;
  }

  /** Rises with every rekeying of this pair. */
  get epoch(): number {
    return this.#current.number;
  }

  /** EL(root, "rekey", transcript). */
  get rekeySecret(): Bytes {
    return this.#current.rekeySecret;
  }

  /** Takes a new root over, and opens what the peer seals under it from now on. */
  prepare(epoch: number, root: Bytes, transcript: Bytes): void {
    if (this.#next) destroy(this.#next);
    this.#next = this.#epoch(epoch, root, transcript);
  }

  /** Seals under the prepared epoch from now on. */
  advance(): void {
    if (!this.#next) return;
    if (this.#previous) destroy(this.#previous);
    clearTimeout(this.#forgetting);
    this.#forgetting = undefined;
    this.#current.send.erase();
    this.#previous = this.#current;
    this.#current = this.#next;
    this.#next = undefined;
    erase(this.#previous.rekeySecret);
  }

  async seal(plaintext: Uint8Array): Promise<Bytes> {
    const { number, send } = this.#current;
    const { counter, key, nonce } = send.next();
    const guard = randomBytes(GUARD_BYTES);
    const box = await seal(key, guardNonce(nonce, guard), pad(plaintext), this.#additionalData(this.#outbound, number, counter));
    erase(key);
    return new Writer().fixed(this.#sid).u32(number).u32(counter).fixed(guard).fixed(box).bytes();
  }

  /** @throws {QsecError} when the frame was changed, repeated, or belongs to another session: nothing has changed then */
  async open(content: Uint8Array): Promise<Bytes> {
    const reader = new Reader(content);
    // What is not compared here or bound below could be changed on the way.
    if (!equalBytes(reader.fixed(SID_BYTES), this.#sid)) throw unknownEpoch();
    const number = reader.u32();
    const epoch = [this.#current, this.#next, this.#previous].find((candidate) => candidate?.number === number);
    if (!epoch) throw unknownEpoch();
    const counter = reader.u32();
    const guard = reader.fixed(GUARD_BYTES);
    const box = reader.rest();
    const plaintext = await epoch.receive.open(counter, async (key, nonce) =>
      unpad(await open(key, guardNonce(nonce, guard), box, this.#additionalData(this.#inbound, number, counter))),
    );
    // Who seals under the new root has it: that says as much as its confirmation.
    if (epoch === this.#next) this.advance();
    if (epoch === this.#current && this.#previous) this.#forgetPreviousLater();
    return plaintext;
  }

  /** Overwrites the chains: nothing can be sealed or opened any more. */
  destroy(): void {
    clearTimeout(this.#forgetting);
    for (const epoch of [this.#previous, this.#current, this.#next]) if (epoch) destroy(epoch);
  }

  #epoch(number: number, root: Bytes, transcript: Bytes): Epoch {
    const epoch = {
      number,
      send: new SendChain(expandLabel(root, `pair ${this.#outbound}`, transcript)),
      receive: new ReceiveChain(expandLabel(root, `pair ${this.#inbound}`, transcript), 0, this.#skipped),
      rekeySecret: expandLabel(root, 'rekey', transcript),
    };
    erase(root);
    return epoch;
  }

  #forgetPreviousLater(): void {
    this.#forgetting ??= setTimeout(() => {
      this.#forgetting = undefined;
      if (this.#previous) destroy(this.#previous);
      this.#previous = undefined;
    }, OLD_EPOCH_MS);
    // In Node, waiting to forget must not keep a finished script alive.
    (this.#forgetting as { unref?: () => void }).unref?.();
  }

  #additionalData(direction: Direction, epoch: number, counter: number): Bytes {
    return new Writer().fixed(this.#roomId).fixed(this.#sid).u32(epoch).text(direction).u32(counter).bytes();
  }
}

function destroy({ send, receive, rekeySecret }: Epoch): void {
  send.erase();
  receive.erase();
  erase(rekeySecret);
}

const unknownEpoch = () => new QsecError('HANDSHAKE_FAILED', 'A frame of another session or epoch of this pair.');

/** The session a pair frame belongs to. */
export const sidOfPairFrame = (content: Uint8Array): Bytes => new Reader(content).fixed(SID_BYTES);
