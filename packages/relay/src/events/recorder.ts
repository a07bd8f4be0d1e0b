import type { Clock } from '../clock.ts';
import type { SeatTaken } from '../store/store.ts';

/** What a relay that knows nothing can truthfully record. */
export type EventKind =
  | 'room-created'
  | 'member-joined'
  | 'member-resumed'
  | 'room-ready'
  | 'key-agreement-started'
  | 'key-agreement-finished'
  | 'key-agreement-aborted'
  | 'frames-relayed'
  | 'key-destroyed'
  | 'member-left'
  | 'member-gone'
  | 'room-ended'
  | 'room-expired'
  | 'proxy-not-named'
  | 'relay-started'
  | 'relay-stopped';

/** One line of the event log. Rooms and actors are keyed hashes. */
export interface RelayEvent {
  ts: number;
  kind: EventKind;
  room?: string;
  actor?: string;
  /** Members or frames the event is about. */
  n?: number;
  bytes?: number;
  firstSeq?: number;
  lastSeq?: number;
}

/** Where events go; a few hundred at a time. */
export interface EventSink {
  write(events: readonly RelayEvent[]): Promise<void>;
}

interface Traffic {
  n: number;
  bytes: number;
  firstSeq: number;
  lastSeq: number;
}

const WRITE_EVERY_MS = 500;
/** Written in one go, which is as long as frames may have to wait for it: a millisecond with SQLite. */
const AT_ONCE = 100;
/** Events kept when they cannot be written; the oldest beyond that are dropped and counted. */
const MAX_WAITING = 10_000;

/** Collects events and writes them together; frames are counted per room instead of told one by one. */
export class EventRecorder {
  readonly #sink: EventSink;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #timer: NodeJS.Timeout;
  #waiting: RelayEvent[] = [];
  #traffic = new Map<string, Traffic>();
  #writing: Promise<void> = Promise.resolve();
  dropped = 0;

  constructor(sink: EventSink, clock: Clock, onError: (error: unknown) => void) {
    this.#sink = sink;
    this.#clock = clock;
    this.#onError = onError;
    this.#timer = setInterval(() => void this.flush(), WRITE_EVERY_MS);
    this.#timer.unref();
  }

  record(event: Omit<RelayEvent, 'ts'>): void {
    // Frames relayed before this event stand before it in the log.
    if (event.room !== undefined) this.#closeTraffic(event.room);
    this.#waiting.push({ ts: this.#clock.now(), ...event });
  }

  joined(room: string, actor: string, { resumed, seats }: SeatTaken): void {
    this.record({ kind: resumed ? 'member-resumed' : 'member-joined', room, actor, n: seats.length });
    if (!resumed && seats.length === 2) this.record({ kind: 'room-ready', room, n: seats.length });
  }

  relayed(room: string, bytes: number, seq: number): void {
    const traffic = this.#traffic.get(room);
    if (!traffic) {
      this.#traffic.set(room, { n: 1, bytes, firstSeq: seq, lastSeq: seq });
      return;
    }
    traffic.n++;
    traffic.bytes += bytes;
    if (seq > traffic.lastSeq) traffic.lastSeq = seq;
  }

  /** Writes what is waiting. Never rejects: the event log is no reason to stop relaying. */
  flush(): Promise<void> {
    for (const room of [...this.#traffic.keys()]) this.#closeTraffic(room);
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  async #write(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const events = this.#waiting.slice(0, AT_ONCE);
        await this.#sink.write(events);
        this.#waiting.splice(0, events.length);
        await new Promise((resolve) => setImmediate(resolve));
      }
    } catch (error) {
      this.#onError(error);
      const excess = this.#waiting.length - MAX_WAITING;
      if (excess > 0) this.dropped += this.#waiting.splice(0, excess).length;
    }
  }

  #closeTraffic(room: string): void {
    const traffic = this.#traffic.get(room);
    if (!traffic) return;
    this.#traffic.delete(room);
    this.#waiting.push({ ts: this.#clock.now(), kind: 'frames-relayed', room, ...traffic });
  }
}
