import { QsecError } from '../errors.ts';
import type { BlobTransport, Transport, TransportFactory, TransportHandlers } from '../transport/transport.ts';
import {
  type Bytes,
  type CreateRequest,
  type Delivery,
  decodePushes,
  encodeBatch,
  fromBase64url,
  type JoinRequest,
  MAX_FRAME_BYTES,
  type Reply,
  type SeatPresence,
  toBase64url,
  WIRE_VERSION,
} from '../wire/index.ts';
import { MEMORY_BLOB_LIMITS, type MemoryBlobs, memoryBlobTransport } from './memory-blobs.ts';

/**
 * A relay in this process, for tests and for applications that want to try the SDK without a server. It keeps the promises that a
 * client can see: one order per room, acknowledgements, mailboxes, presence.
 */
export class MemoryRelay {
  readonly #rooms = new Map<string, MemoryRoom>();
  readonly #connections = new Set<Connection>();
  readonly #retentionMs: number;
  /** Everything clients handed to this relay, for tests that look for what must not be there. */
  readonly seen: unknown[] = [];

  constructor({ retentionMs = 600_000 }: { retentionMs?: number } = {}) {
    this.#retentionMs = retentionMs;
  }

  /** The `transport` option of `connect`. */
  readonly transport: TransportFactory = (_url, handlers) => {
    const connection = new Connection(this, handlers, this.#rooms, this.#retentionMs, () => this.#connections.delete(connection));
    this.#connections.add(connection);
    return connection;
  };

  /** Cuts every connection, or one, as a network failure does; clients come back when `restore` is called. */
  cut(only?: Transport): void {
    for (const connection of this.#connections) if (!only || connection === only) connection.cut();
  }

  /** Sealed files that are kept for members. */
  get keptBlobs(): number {
    return [...this.#rooms.values()].reduce((sum, { blobs }) => sum + blobs.size, 0);
  }

  /** Replaces every chunk of every file; by nothing: forgets the file. */
  tamperWithBlobs(change: (chunk: Uint8Array, index: number) => Uint8Array | undefined): void {
    for (const { blobs } of this.#rooms.values()) {
      for (const [id, blob] of blobs) {
        const chunks = blob.chunks.map(change);
        if (chunks.every((chunk) => chunk !== undefined)) blob.chunks = chunks;
        else blobs.delete(id);
      }
    }
  }

  restore(only?: Transport): void {
    for (const connection of this.#connections) if (!only || connection === only) connection.open();
  }
}

interface Seat {
  secret: string;
  connection: Connection | undefined;
  /** Ends a seat whose member stays away for longer than the retention time. */
  ending: ReturnType<typeof setTimeout> | undefined;
}

interface MemoryRoom {
  token: string;
  endToken: string;
  capacity: number;
  epoch: string;
  log: Delivery[];
  /** Numbers of the frames in the log, by sender and the id that the sender gave. */
  numbers: Map<string, number>;
  seats: Map<string, Seat>;
  blobs: MemoryBlobs;
}

const failure = (
  code: 'NO_ROOM' | 'ROOM_FULL' | 'SEAT_TAKEN' | 'REFUSED' | 'NOT_JOINED',
): { error: { code: typeof code; message: string } } => ({
  error: { code, message: code },
});

const anotherVersion = { error: { code: 'VERSION' as const, message: 'VERSION', version: WIRE_VERSION } };

class Connection implements Transport {
  readonly #relay: MemoryRelay;
  readonly #handlers: TransportHandlers;
  readonly #rooms: Map<string, MemoryRoom>;
  readonly #retentionMs: number;
  readonly #onClose: () => void;
  #room: MemoryRoom | undefined;
  #seat: string | undefined;
  #answered = 0;
  #connected = false;
  #closed = false;
  readonly blobs: BlobTransport;

  constructor(
    relay: MemoryRelay,
    handlers: TransportHandlers,
    rooms: Map<string, MemoryRoom>,
    retentionMs: number,
    onClose: () => void,
  ) {
    this.#relay = relay;
    this.#handlers = handlers;
    this.#rooms = rooms;
    this.#retentionMs = retentionMs;
    this.#onClose = onClose;
    this.blobs = memoryBlobTransport({
      joined: () => (this.#room && this.#seat ? { blobs: this.#room.blobs, seat: this.#seat } : undefined),
      connected: () => this.#connected && !this.#closed,
      note: (event, content) => this.#note(event, content),
    });
    this.open();
  }

  open(): void {
    if (this.#closed || this.#connected) return;
    this.#connected = true;
    this.#answered = 0;
    this.deliver(() => this.#handlers.open());
  }

  cut(): void {
    if (!this.#connected) return;
    this.#connected = false;
    const seat = this.#seat;
    const room = this.#room;
    this.#seat = this.#room = undefined;
    if (room && seat) {
      const entry = room.seats.get(seat);
      if (entry?.connection === this) {
        entry.connection = undefined;
        entry.ending = setTimeout(() => {
          room.seats.delete(seat);
          this.#announce(room, { seat, presence: 'gone' });
        }, this.#retentionMs);
        // A seat that waits must not keep a finished script alive.
        (entry.ending as { unref?: () => void }).unref?.();
        this.#announce(room, { seat, presence: 'away' });
      }
    }
    queueMicrotask(() => this.#closed || this.#handlers.close('cut'));
  }

  /** Calls a handler on a turn of its own, if the connection still stands then. */
  deliver(call: () => void): void {
    queueMicrotask(() => this.#connected && !this.#closed && call());
  }

  async create(request: CreateRequest): Promise<Reply<{ epoch: string }>> {
    this.#note('create', request);
    if (request.version !== WIRE_VERSION) return anotherVersion;
    const existing = this.#rooms.get(request.room);
    if (existing) {
      const same = existing.token === request.token && existing.endToken === request.endToken;
      return same ? { ok: { epoch: existing.epoch } } : failure('REFUSED');
    }
    const epoch = toBase64url(crypto.getRandomValues(new Uint8Array(16)));
    const { token, endToken, capacity } = request;
    this.#rooms.set(request.room, {
      token,
      endToken,
      capacity,
      epoch,
      log: [],
      numbers: new Map(),
      seats: new Map(),
      blobs: new Map(),
    });
    return { ok: { epoch } };
  }

  async join(request: JoinRequest): ReturnType<Transport['join']> {
    this.#note('join', request);
    if (request.version !== WIRE_VERSION) return anotherVersion;
    const room = this.#rooms.get(request.room);
    if (!room || room.token !== request.token) return failure('NO_ROOM');
    const seat = room.seats.get(request.seat);
    if (seat && seat.secret !== request.seatSecret) return failure('SEAT_TAKEN');
    if (!seat && room.seats.size >= room.capacity) return failure('ROOM_FULL');
    clearTimeout(seat?.ending);
    room.seats.set(request.seat, { secret: request.seatSecret, connection: this, ending: undefined });
    this.#room = room;
    this.#seat = request.seat;
    this.#announce(room, { seat: request.seat, presence: 'present' });
    const head = room.log.length;
    const { since } = request;
    if (since) this.deliver(() => this.#replay(room, since.epoch === room.epoch ? since.seq : 0));
    return {
      ok: {
        epoch: room.epoch,
        head,
        floor: 0,
        members: [...room.seats].map(([of, { connection }]) => ({ seat: of, presence: connection ? 'present' : 'away' })),
        limits: {
          frameBytes: MAX_FRAME_BYTES,
          inFlightFrames: 256,
          inFlightBytes: 1 << 22,
          retentionMs: this.#retentionMs,
          blobs: MEMORY_BLOB_LIMITS,
        },
        durability: 'memory',
      },
    };
  }

  async leave(): Promise<Reply<true>> {
    if (!this.#room || !this.#seat) return failure('NOT_JOINED');
    this.#room.seats.delete(this.#seat);
    this.#announce(this.#room, { seat: this.#seat, presence: 'gone' });
    this.#room = this.#seat = undefined;
    return { ok: true };
  }

  async end(request: { room: string; endToken: string }): Promise<Reply<true>> {
    const room = this.#rooms.get(request.room);
    if (room?.endToken !== request.endToken) return failure('NO_ROOM');
    this.#rooms.delete(request.room);
    for (const { connection } of room.seats.values()) connection?.deliver(() => connection.#handlers.ended({ reason: 'ended' }));
    return { ok: true };
  }

  push(frames: Uint8Array): void {
    // What is written to a connection that is cut is lost.
    if (!this.#connected) return;
    this.#note('push', frames.slice());
    const room = this.#room;
    if (!room || !this.#seat) throw new QsecError('INVALID_ARGUMENT', 'push before join');
    const from = fromBase64url(this.#seat);
    const seqs: number[] = [];
    for (const { cid, to, transient, body } of decodePushes(frames.slice())) {
      const name = `${this.#seat} ${toBase64url(cid)}`;
      const repeated = room.numbers.get(name);
      const seq = transient ? 0 : (repeated ?? room.log.length + 1);
      seqs.push(seq);
      if (repeated) continue;
      const delivery: Delivery = {
        seq,
        time: Date.now(),
        from,
        cid: cid as Bytes,
        ...(to && { to: to as Bytes[] }),
        transient: transient === true,
        body: body as Bytes,
      };
      if (!transient) {
        room.log.push(delivery);
        room.numbers.set(name, seq);
      }
      for (const [seat, { connection }] of room.seats) connection?.deliver(() => connection.#send(seat, delivery));
    }
    this.#answered += seqs.length;
    const upTo = this.#answered;
    this.deliver(() => this.#handlers.ack({ upTo, seq: seqs }));
  }

  recv(): void {}
  report(request: unknown): void {
    this.#note('report', request);
  }
  reconnect(): void {
    this.open();
  }

  close(): void {
    this.cut();
    this.#closed = true;
    this.#onClose();
  }

  #send(seat: string, delivery: Delivery): void {
    const forThis = !delivery.to || delivery.to.some((to) => toBase64url(to) === seat);
    const { seq, transient } = delivery;
    const range = transient ? { from: 1, to: 0 } : { from: seq, to: seq };
    this.#handlers.batch(encodeBatch({ ...range, deliveries: forThis ? [delivery] : [] }));
  }

  #replay(room: MemoryRoom, since: number): void {
    for (const delivery of room.log.slice(since)) this.#send(this.#seat as string, delivery);
  }

  #announce(room: MemoryRoom, change: SeatPresence): void {
    for (const { connection } of room.seats.values()) connection?.deliver(() => connection.#handlers.presence(change));
  }

  #note(event: string, content: unknown): void {
    this.#relay.seen.push({ event, content });
  }
}
