import { QsecError } from '../errors.ts';
import { type Bytes, concat, equalBytes, Reader, Writer } from '../wire/index.ts';
import { guardNonce, open, seal } from './aead.ts';
import { GUARD_BYTES } from './frame.ts';
import { SID_BYTES } from './handshake.ts';
import { erase, expandLabel, mac } from './key-schedule.ts';
import { pad, unpad } from './padding.ts';
import type { PairSecrets } from './pairing.ts';
import { randomBytes } from './random.ts';
import { type ChainBounds, chainBounds, erased, ReceiveChain, SendChain } from './ratchet.ts';

/**
 * The channel between two confirmed members: sender keys, receipts and whatever concerns these two alone.
 *
 * Content: sid 16 | pair epoch u32 | counter u32 | guard 4 | ciphertext + tag | MAC 16.
 * Additional data: roomId | sid | pair epoch | direction | counter. The MAC is over roomId, direction and all before it, under a key that stays
 * the same for the epoch, and is checked before any step of a chain: a relay that names a counter makes nobody compute.
 */

type Direction = 'a>b' | 'b>a';

/** How long frames of the previous epoch still open, after the first one of the new epoch. */
const OLD_EPOCH_MS = 60_000;

/** HMAC-SHA-256 cut to 128 bits (RFC 4868 §2.6). */
const MAC_BYTES = 16;

interface Epoch {
  number: number;
  send: SendChain;
  receive: ReceiveChain;
  /** Of what we send, and of what we get. */
  macs: { outbound: Bytes; inbound: Bytes };
  /** What the root of the next epoch descends from; leads to nothing sealed so far. */
  rekeySecret: Bytes;
}

export class PairChannel {
  readonly role: 'a' | 'b';
  /** Of every chain of this member, those of its sender keys too. */
  readonly bounds: ChainBounds;
  readonly #roomId: Bytes;
  readonly #sid: Bytes;
  readonly #outbound: Direction;
  readonly #inbound: Direction;
  /** What we send in. */
  #current: Epoch;
  /** Agreed, and the peer may send in it; we do once it is confirmed. */
  #next: Epoch | undefined;
  /** What the peer may still send in. */
  #previous: Epoch | undefined;
  #forgetting: ReturnType<typeof setTimeout> | undefined;
  #destroyed = false;

  /**
   * Takes the root over: it is erased, since with it a thief could go back to the beginning of both chains.
   */
  constructor(roomId: Bytes, { sid, role, root, transcript }: PairSecrets, bounds: ChainBounds = chainBounds()) {
    this.role = role;
    this.bounds = bounds;
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
    const { number, send, macs } = this.#current;
    const { counter, key, nonce } = send.next();
    const guard = randomBytes(GUARD_BYTES);
    const box = await seal(key, guardNonce(nonce, guard), pad(plaintext), this.#additionalData(this.#outbound, number, counter));
    erase(key);
    const sealed = new Writer().fixed(this.#sid).u32(number).u32(counter).fixed(guard).fixed(box).bytes();
    return concat(sealed, this.#mac(macs.outbound, this.#outbound, sealed));
  }

  /**
   * @throws {QsecError} `HANDSHAKE_FAILED` when the frame was changed, repeated, or belongs to another session, `RATE_LIMITED` when its sender leaves
   *   out too many: nothing has changed then
   */
  async open(content: Uint8Array): Promise<Bytes> {
    if (this.#destroyed) throw erased();
    const reader = new Reader(content);
    // The MAC below covers the session too: this only says more of what is wrong.
    if (!equalBytes(reader.fixed(SID_BYTES), this.#sid)) throw unknownEpoch();
    const number = reader.u32();
    const epoch = [this.#current, this.#next, this.#previous].find((candidate) => candidate?.number === number);
    if (!epoch) throw unknownEpoch();
    const counter = reader.u32();
    const guard = reader.fixed(GUARD_BYTES);
    const box = reader.fixed(Math.max(0, reader.remaining - MAC_BYTES));
    const expected = this.#mac(epoch.macs.inbound, this.#inbound, content.subarray(0, -MAC_BYTES));
    if (!equalBytes(reader.rest(), expected))
      throw new QsecError('HANDSHAKE_FAILED', "A frame carries a MAC that is not its sender's.");
    const { key, nonce } = epoch.receive.take(counter);
    const bound = this.#additionalData(this.#inbound, number, counter);
    const plaintext = unpad(await open(key, guardNonce(nonce, guard), box, bound).finally(() => erase(key)));
    if (this.#destroyed) throw erased();
    // Who seals under the new root has it: that says as much as its confirmation.
    if (epoch === this.#next) this.advance();
    if (epoch === this.#current && this.#previous) this.#forgetPreviousLater();
    return plaintext;
  }

  /** Overwrites the chains: nothing can be sealed or opened any more. */
  destroy(): void {
    this.#destroyed = true;
    clearTimeout(this.#forgetting);
    for (const epoch of [this.#previous, this.#current, this.#next]) if (epoch) destroy(epoch);
  }

  #epoch(number: number, root: Bytes, transcript: Bytes): Epoch {
    const epoch = {
      number,
      send: new SendChain(expandLabel(root, `pair ${this.#outbound}`, transcript)),
      receive: new ReceiveChain(expandLabel(root, `pair ${this.#inbound}`, transcript), 0, this.bounds),
      macs: {
        outbound: expandLabel(root, `mac ${this.#outbound}`, transcript),
        inbound: expandLabel(root, `mac ${this.#inbound}`, transcript),
      },
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

  #mac(key: Bytes, direction: Direction, sealed: Uint8Array): Bytes {
    return mac(key, new Writer().fixed(this.#roomId).text(direction).fixed(sealed).bytes()).slice(0, MAC_BYTES);
  }

  #additionalData(direction: Direction, epoch: number, counter: number): Bytes {
    return new Writer().fixed(this.#roomId).fixed(this.#sid).u32(epoch).text(direction).u32(counter).bytes();
  }
}

function destroy({ send, receive, macs, rekeySecret }: Epoch): void {
  send.erase();
  receive.erase();
  erase(macs.inbound, macs.outbound, rekeySecret);
}

const unknownEpoch = () => new QsecError('HANDSHAKE_FAILED', 'A frame of another session or epoch of this pair.');

/** The session a pair frame belongs to. */
export const sidOfPairFrame = (content: Uint8Array): Bytes => new Reader(content).fixed(SID_BYTES);
