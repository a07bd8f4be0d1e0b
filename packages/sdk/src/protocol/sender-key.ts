import { QsecError } from '../errors.ts';
import { type Bytes, concat, equalBytes, Reader, Writer } from '../wire/index.ts';
import { guardNonce, open, seal } from './aead.ts';
import { BoundedTasks } from './bounded-tasks.ts';
import { FRAME_TYPE, FRAME_VERSION, GUARD_BYTES } from './frame.ts';
import {
  generateSigningKey,
  importVerificationKey,
  PUBLIC_KEY_BYTES,
  SIGNATURE_BYTES,
  type SigningKey,
  type VerificationKey,
} from './identity.ts';
import { erase, HASH_BYTES, hash } from './key-schedule.ts';
import { pad, unpad } from './padding.ts';
import { randomBytes } from './random.ts';
import { type ChainBounds, ReceiveChain, SendChain } from './ratchet.ts';

/**
 * Sender keys: a member seals a message once for everyone. Its chain and the key that signs its frames reach each other member
 * over the pairwise channels, anew for every epoch.
 *
 * Content of a group frame: epoch id 8 | sender tag 4 | counter u32 | guard 4 | ciphertext + tag | signature 64.
 * Additional data: roomId | sender identity | epoch u32 | roster hash | version | type | header. The signature covers it and the
 * ciphertext, and is checked before any step of a chain.
 */

export const EPOCH_ID_BYTES = 8;
const TAG_BYTES = 4;
const HEADER_BYTES = EPOCH_ID_BYTES + TAG_BYTES + 4 + GUARD_BYTES;
const ABOUT = 'group frame';

/** Signatures checked at the same time: enough to keep the platform's threads busy, and as many copies of frames as that takes. */
export const MAX_CHECKS_AT_ONCE = 16;
const checks = new BoundedTasks(MAX_CHECKS_AT_ONCE);

/** What a member tells each other one about an epoch of its own. */
export interface SenderKeyAnnouncement {
  /** From 1, of this sender. */
  epoch: number;
  epochId: Bytes;
  /** Of the first frame that can be opened: who is told later gets nothing earlier. */
  counter: number;
  /** Chain key at that counter. */
  seed: Bytes;
  signingKey: Bytes;
  /** Who the sender believes is in the room. */
  rosterHash: Bytes;
  /** How many frames the sender's last epoch had. */
  previousCount: number;
}

export function encodeAnnouncement({
  epoch,
  epochId,
  counter,
  seed,
  signingKey,
  rosterHash,
  previousCount,
}: SenderKeyAnnouncement): Bytes {
  return new Writer()
    .u32(epoch)
    .fixed(epochId)
    .u32(counter)
    .fixed(seed)
    .fixed(signingKey)
    .fixed(rosterHash)
    .u32(previousCount)
    .bytes();
}

export function decodeAnnouncement(bytes: Uint8Array): SenderKeyAnnouncement {
  const reader = new Reader(bytes);
  const announcement = {
    epoch: reader.u32(),
    epochId: reader.fixed(EPOCH_ID_BYTES).slice(),
    counter: reader.u32(),
    seed: reader.fixed(HASH_BYTES).slice(),
    signingKey: reader.fixed(PUBLIC_KEY_BYTES).slice(),
    rosterHash: reader.fixed(HASH_BYTES).slice(),
    previousCount: reader.u32(),
  };
  reader.end();
  return announcement;
}

/** SHA-256 over the generation and everyone's identity keys, own included, in order. */
export function rosterHash(generation: number, sortedIdentities: readonly Uint8Array[]): Bytes {
  return hash(new Writer().text('qsec2 v1 roster').u32(generation).bytes(), ...sortedIdentities);
}

/** Tells receivers whose frame it is without telling the relay. */
const senderTag = (epochId: Bytes, identity: Bytes): Bytes => hash(epochId, identity).slice(0, TAG_BYTES);

/** What every frame of an epoch is bound to, in front of its header. */
const epochData = (roomId: Bytes, identity: Bytes, epoch: number, roster: Bytes): Bytes =>
  new Writer().fixed(roomId).fixed(identity).u32(epoch).fixed(roster).u8(FRAME_VERSION).u8(FRAME_TYPE.group).bytes();

/** What of an announcement stays the same for the whole epoch. */
type EpochFields = Omit<SenderKeyAnnouncement, 'counter' | 'seed'>;

/** One epoch of ours. The chain key it began with is not kept: who steals our state must not read what we sent before. */
export class SenderKey {
  readonly #fields: EpochFields;
  /** Epoch id and sender tag, with which every header begins. */
  readonly #names: Bytes;
  readonly #epochData: Bytes;
  readonly #signingKey: SigningKey;
  readonly #chain: SendChain;

  private constructor(roomId: Bytes, identity: Bytes, signingKey: SigningKey, fields: EpochFields, seed: Bytes) {
    const { epoch, epochId, rosterHash: roster } = fields;
    this.#names = concat(epochId, senderTag(epochId, identity));
    this.#epochData = epochData(roomId, identity, epoch, roster);
    this.#signingKey = signingKey;
    this.#chain = new SendChain(seed);
    this.#fields = fields;
  }

  static async create(roomId: Bytes, identity: Bytes, roster: Bytes, previous: SenderKey | undefined): Promise<SenderKey> {
    const signingKey = await generateSigningKey();
    const fields = {
      epoch: (previous?.epoch ?? 0) + 1,
      epochId: randomBytes(EPOCH_ID_BYTES),
      signingKey: signingKey.publicKey,
      rosterHash: roster,
      previousCount: previous?.count ?? 0,
    };
    return new SenderKey(roomId, identity, signingKey, fields, randomBytes(HASH_BYTES));
  }

  get epoch(): number {
    return this.#fields.epoch;
  }

  /** What to tell a member now: it opens what is sealed from here on. */
  get announcement(): SenderKeyAnnouncement {
    return { ...this.#fields, counter: this.#chain.count, seed: this.#chain.chainKey };
  }

  /** Frames sealed so far. */
  get count(): number {
    return this.#chain.count;
  }

  async seal(plaintext: Uint8Array): Promise<Bytes> {
    const { counter, key, nonce } = this.#chain.next();
    const guard = randomBytes(GUARD_BYTES);
    const header = new Writer().fixed(this.#names).u32(counter).fixed(guard).bytes();
    const bound = concat(this.#epochData, header);
    const box = await seal(key, guardNonce(nonce, guard), pad(plaintext), bound);
    erase(key);
    return concat(header, box, await this.#signingKey.sign(ABOUT, concat(bound, box)));
  }

  destroy(): void {
    this.#chain.erase();
  }
}

/** One epoch of another member. */
export class ReceiverKey {
  readonly announcement: SenderKeyAnnouncement;
  readonly #epochData: Bytes;
  readonly #tag: Bytes;
  readonly #verifier: VerificationKey;
  readonly #chain: ReceiveChain;

  private constructor(
    roomId: Bytes,
    identity: Bytes,
    verifier: VerificationKey,
    announcement: SenderKeyAnnouncement,
    bounds: ChainBounds | undefined,
  ) {
    this.#epochData = epochData(roomId, identity, announcement.epoch, announcement.rosterHash);
    this.#tag = senderTag(announcement.epochId, identity);
    this.#verifier = verifier;
    this.#chain = new ReceiveChain(announcement.seed, announcement.counter, bounds);
    this.announcement = announcement;
  }

  /** @param bounds of every chain of this member */
  static async create(
    roomId: Bytes,
    identity: Bytes,
    announcement: SenderKeyAnnouncement,
    bounds?: ChainBounds,
  ): Promise<ReceiverKey> {
    return new ReceiverKey(roomId, identity, await importVerificationKey(announcement.signingKey), announcement, bounds);
  }

  /** Whether the frame claims to be of this sender and epoch. Proven only by {@link open}. */
  claims(content: Uint8Array): boolean {
    const reader = new Reader(content);
    return equalBytes(reader.fixed(EPOCH_ID_BYTES), this.announcement.epochId) && equalBytes(reader.fixed(TAG_BYTES), this.#tag);
  }

  /**
   * @throws {QsecError} `HANDSHAKE_FAILED` when the frame was forged, changed or repeated, `RATE_LIMITED` when its sender leaves out too many:
   *   nothing has changed then
   */
  async open(content: Uint8Array): Promise<Bytes> {
    return this.expect(content)();
  }

  /**
   * Begins to check the signature of a frame whose turn has not come.
   * @returns opens the frame in its turn, as {@link open} does
   * @throws {QsecError} `INVALID_ARGUMENT` for a frame that is cut short
   */
  expect(content: Uint8Array): () => Promise<Bytes> {
    const reader = new Reader(content);
    const header = reader.fixed(HEADER_BYTES);
    const box = reader.fixed(Math.max(0, reader.remaining - SIGNATURE_BYTES));
    const signature = reader.rest();
    const bound = concat(this.#epochData, header);
    const signed = checks.run(() => this.#verifier.verify(ABOUT, concat(bound, box), signature));
    // Whoever opens the frame is told; who never does need not be.
    signed.catch(() => undefined);
    return async () => {
      if (!(await signed)) {
        throw new QsecError('HANDSHAKE_FAILED', "A frame carries a signature that is not its sender's.");
      }
      const fields = new Reader(header);
      fields.fixed(EPOCH_ID_BYTES + TAG_BYTES);
      const counter = fields.u32();
      const guard = fields.fixed(GUARD_BYTES);
      const { key, nonce } = this.#chain.take(counter);
      return unpad(await open(key, guardNonce(nonce, guard), box, bound).finally(() => erase(key)));
    };
  }

  destroy(): void {
    this.#chain.erase();
  }
}
