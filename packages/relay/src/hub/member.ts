import type { Ack, RelayError, RelayLimits } from '@qsec2/sdk/wire';
import { EncodedBatch } from '../frames/encoded-batch.ts';
import { type Frame, joinItems } from '../frames/item.ts';
import type { Store } from '../store/store.ts';
import { refusals } from './errors.ts';
import type { Link } from './link.ts';
import type { HubRoom } from './room.ts';

/** Most bytes a connection may have in its way out. What is beyond stays in the log until the connection has caught up. */
const OUT_BUDGET = 1024 * 1024;
/** Size of one batch of a replay. */
const REPLAY_BYTES = 256 * 1024;

/** Why a push was not placed. */
export type Answer = number | RelayError;

/** A member connected to this relay: where it stands in the room's log, and which of its pushes are answered. */
export class Member {
  readonly link: Link;
  readonly room: HubRoom;
  readonly seat: string;
  readonly seatBytes: Buffer;
  readonly #store: Store;
  readonly #epoch: string;
  /** Last place this connection was sent, or that was not for it. */
  cursor: number;
  /** Sent to as the room's log grows; otherwise it is behind and reads the log by itself. */
  #live = false;
  #pumping = false;
  #started = false;
  #closed = false;
  #answered = 0;
  #unanswered = 0;
  #unansweredBytes = 0;
  #answers: Answer[] = [];
  /** Bytes of the room's log that this connection has yet to be sent, about. */
  #behind = 0;

  constructor(link: Link, room: HubRoom, seat: string, cursor: number, epoch: string, store: Store) {
    this.link = link;
    this.room = room;
    this.seat = seat;
    this.seatBytes = Buffer.from(seat, 'base64url');
    this.cursor = cursor;
    this.#epoch = epoch;
    this.#store = store;
    link.onDrain(() => this.#drained());
  }

  get live(): boolean {
    return this.#live;
  }

  get behindBytes(): number {
    return this.#live || !this.#started ? 0 : this.#behind;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Starts sending, from the cursor on. */
  async start(): Promise<void> {
    this.#started = true;
    await this.#pump();
  }

  close(): void {
    this.#closed = true;
    this.#live = false;
  }

  /** Sends frames that came behind the cursor. */
  deliver(batch: EncodedBatch, to: number): void {
    this.link.sendBatch(batch);
    this.room.metrics.batchesSent++;
    this.room.metrics.bytesSent += batch.bytes;
    this.cursor = to;
    if (this.link.pending > OUT_BUDGET) this.#live = false;
  }

  /** Tells of places up to and including `to` that the member will not be sent. */
  skip(to: number): void {
    if (to <= this.cursor) return;
    this.room.metrics.gaps++;
    this.link.send('gap', { from: this.cursor + 1, to });
    this.cursor = to;
  }

  /** Counts a push that is to be answered; or says why there are too many of them. */
  admit(bytes: number, { inFlightFrames, inFlightBytes }: RelayLimits): RelayError | undefined {
    // Twice what was announced: acknowledgements on their way are not yet known to the client.
    const full = this.#unanswered >= 2 * inFlightFrames || this.#unansweredBytes >= 2 * inFlightBytes;
    if (full) return refusals.tooManyInFlight;
    this.#unanswered++;
    this.#unansweredBytes += bytes;
    return undefined;
  }

  /** The room's log grew while this connection could not be sent to. */
  missed(bytes: number): void {
    this.#behind += bytes;
  }

  answer(answer: Answer): void {
    this.#answers.push(answer);
  }

  sendAck(): void {
    const answers = this.#answers;
    if (answers.length === 0 || this.#closed) return;
    this.#answers = [];
    // A tick answers everything that came before it.
    this.#unanswered = 0;
    this.#unansweredBytes = 0;
    const first = this.#answered + 1;
    this.#answered += answers.length;
    const ack: Ack = { upTo: this.#answered, seq: answers.map((answer) => (typeof answer === 'number' ? answer : -1)) };
    const refused = answers.flatMap((answer, i) => (typeof answer === 'number' ? [] : [{ push: first + i, error: answer }]));
    if (refused.length > 0) ack.refused = refused;
    this.link.sendAck(ack);
  }

  #drained(): void {
    if (this.#started && !this.#live && this.link.pending <= OUT_BUDGET / 2) void this.#pump();
  }

  /** Sends from the log until the member has what the room has, or the connection has enough in its way. */
  async #pump(): Promise<void> {
    if (this.#pumping || this.#closed) return;
    this.#pumping = true;
    try {
      while (!this.#closed && this.cursor < this.room.delivered && this.link.pending <= OUT_BUDGET) await this.#replay();
      this.#live = !this.#closed && this.cursor >= this.room.delivered;
      if (this.#live) this.#behind = 0;
      this.room.relieved();
    } catch (error) {
      // The log cannot be read: the connection is closed so that the client resumes from where it is.
      this.room.report(error);
      this.link.send('error', refusals.unreadable);
      this.link.close();
    } finally {
      this.#pumping = false;
    }
  }

  async #replay(): Promise<void> {
    const { frames, floor, epoch } = await this.#store.read(this.room.key, this.cursor, REPLAY_BYTES);
    if (this.#closed) return;
    if (epoch !== undefined && epoch !== this.#epoch) throw new Error('the room has a new epoch');
    const reached = this.cursor;
    this.skip(floor);
    const last = frames.at(-1)?.seq;
    if (last === undefined) {
      // Asked again it would say the same, and nothing else would have its turn.
      if (this.cursor === reached) throw new Error('the log ends before the place the room has reached');
      return;
    }
    const batch = batchFor(this.seat, this.cursor + 1, last, frames);
    this.#behind = Math.max(0, this.#behind - batch.bytes);
    this.deliver(batch, last);
  }
}

/** The part of some frames that is for one member. */
export function batchFor(seat: string, from: number, to: number, frames: readonly Frame[]): EncodedBatch {
  const own = frames.filter((frame) => frame.to === undefined || frame.to.includes(seat));
  return new EncodedBatch(from, to, own.length, joinItems(own));
}
