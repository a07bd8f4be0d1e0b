import type { Transport, TransportFactory } from '../../transport/transport.ts';
import { decodePushes, type SeatPresence } from '../../wire/index.ts';
import { MemoryRelay } from '../memory-relay.ts';
import { type CapturedPush, type Host, HostileConnection } from './connection.ts';
import type { CarriedFrame } from './frame.ts';
import { Mailbox } from './mailbox.ts';
import type { Move } from './moves.ts';
import { Schedule } from './schedule.ts';

/** Decides about each frame on its way: what it returns is delivered instead. */
export type Tamper = (frame: CarriedFrame) => readonly CarriedFrame[];

export interface HostileRelayOptions {
  /** Played against the frames of each way, one by one; after the last move frames pass. See `movesFrom`. */
  moves?: readonly Move[];
  /** Decides about frames in the place of `moves`. */
  tamper?: Tamper;
}

/**
 * A relay that does what the SDK assumes of every relay: it records, drops, repeats, reorders, delays, splices, reflects, flips bits,
 * injects frames, invents members and lies about who is there. It runs in this process on no clock of its own.
 *
 * @example
 * ```ts
 * const relay = new HostileRelay({ moves: movesFrom(new Uint8Array([2, 0, 6, 1])) });
 * const ana = await connect({ relay: 'http://relay.test', transport: relay.transport });
 * ```
 */
export class HostileRelay {
  /** Every frame that clients handed over, oldest first. */
  readonly captured: CapturedPush[] = [];
  /** Every frame that was on its way to a receiver, before anything was done to it. */
  readonly carried: CarriedFrame[] = [];
  readonly #honest = new MemoryRelay();
  readonly #mailboxes = new Map<string, Map<string, Mailbox>>();
  readonly #connections = new Map<string, HostileConnection>();
  readonly #ghosts = new Map<string, string[]>();
  #schedule: Schedule;
  #tamper: Tamper | undefined;

  constructor({ moves = [], tamper }: HostileRelayOptions = {}) {
    this.#schedule = new Schedule(moves);
    this.#tamper = tamper;
  }

  /** The `transport` option of `connect`. */
  readonly transport: TransportFactory = (url, handlers) =>
    new HostileConnection(this.#host(), handlers, (inner) => this.#honest.transport(url, inner));

  /** What clients told the relay, requests and frames, as they handed it over. */
  get seen(): readonly unknown[] {
    return this.#honest.seen;
  }

  /** Begins to decide about frames in another way; what an earlier schedule held back is delivered. */
  attack({ moves = [], tamper }: HostileRelayOptions): void {
    const held = this.#schedule.flush();
    this.#schedule = new Schedule(moves);
    this.#tamper = tamper;
    for (const frame of held) this.deliver(frame);
  }

  /** Delivers what was held back and is honest from now on. */
  calm(): void {
    this.attack({});
  }

  /** Rooms by the names they have at the relay. */
  get rooms(): readonly string[] {
    return [...this.#mailboxes.keys()];
  }

  /** Seats of a room, in the order they were taken, invented ones not among them. */
  seatsOf(room: string): readonly string[] {
    return [...(this.#mailboxes.get(room)?.keys() ?? [])];
  }

  /** Hands a frame to its receiver, whoever made it. */
  deliver(frame: CarriedFrame): void {
    this.#mailbox(frame.room, frame.to).add(frame);
  }

  /** Tells a member, or everyone in the room, something about a seat. */
  claim(room: string, change: SeatPresence, to: readonly string[] = this.seatsOf(room)): void {
    for (const seat of to) this.#connections.get(`${room} ${seat}`)?.handlers.presence(change);
  }

  /** Announces a member that does not exist, to who is there and to who will join. */
  invent(room: string, seat: string): void {
    this.#ghosts.set(room, [...(this.#ghosts.get(room) ?? []), seat]);
    this.claim(room, { seat, presence: 'present' });
  }

  /** Cuts every connection, or one; `restore` lets clients come back. */
  cut(only?: Transport): void {
    this.#honest.cut(innerOf(only));
  }

  restore(only?: Transport): void {
    this.#honest.restore(innerOf(only));
  }

  #mailbox(room: string, seat: string): Mailbox {
    const seats = this.#mailboxes.get(room) ?? new Map<string, Mailbox>();
    this.#mailboxes.set(room, seats);
    const mailbox = seats.get(seat) ?? new Mailbox();
    seats.set(seat, mailbox);
    return mailbox;
  }

  #host(): Host {
    return {
      mailbox: (room, seat) => this.#mailbox(room, seat),
      carry: (frame) => this.#carry(frame),
      pushed: (room, from, frames) => {
        for (const push of decodePushes(frames)) this.captured.push({ ...push, room, from });
      },
      members: (room, truth) => [
        ...truth,
        ...(this.#ghosts.get(room) ?? []).map((seat) => ({ seat, presence: 'present' as const })),
      ],
      joined: (room, seat, connection) => this.#connections.set(`${room} ${seat}`, connection),
    };
  }

  /** A member's own frames come back to it from an honest relay, too: they are no way to attack, and pass. */
  #carry(frame: CarriedFrame): void {
    if (frame.from === frame.to) {
      this.deliver(frame);
      return;
    }
    const surroundings = { past: this.carried, seatsOf: (room: string) => this.seatsOf(room) };
    const frames = this.#tamper ? this.#tamper(frame) : this.#schedule.play(frame, surroundings);
    this.carried.push(frame);
    for (const delivered of frames) this.deliver(delivered);
  }
}

const innerOf = (connection: Transport | undefined): Transport | undefined =>
  connection instanceof HostileConnection ? connection.inner : connection;
