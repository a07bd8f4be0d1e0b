import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  type Ack,
  type Batch,
  type ClientToRelay,
  type Created,
  type CreateRequest,
  type Delivery,
  decodeBatch,
  encodePushes,
  type Joined,
  type JoinRequest,
  type Push,
  type Range,
  RELAY_PATH,
  type RelayError,
  type RelayToClient,
  type Reply,
  type SeatPresence,
} from '@qsec2/sdk/wire';
import { io, type Socket } from 'socket.io-client';

export const random16 = (): string => randomBytes(16).toString('base64url');
export const random32 = (): string => randomBytes(32).toString('base64url');

/** A room as those know it who share its link. */
export interface RoomSecrets {
  room: string;
  token: string;
  endToken: string;
}

export const newRoom = (): RoomSecrets => ({ room: random16(), token: random32(), endToken: random32() });

/** A relay's client with everything it was told, in order. For tests. */
export class TestClient {
  readonly socket: Socket<RelayToClient, ClientToRelay>;
  readonly seat = random16();
  seatSecret = random32();
  readonly deliveries: Delivery[] = [];
  readonly ranges: Range[] = [];
  readonly gaps: Range[] = [];
  readonly acks: Ack[] = [];
  readonly presences: SeatPresence[] = [];
  readonly errors: RelayError[] = [];
  /** Names of all events, in the order of their arrival. */
  readonly order: string[] = [];
  ended: string | undefined;
  said: string | undefined;
  slowed = 0;
  /** The end of the last range delivered. */
  cursor = 0;
  /** Told of each as it comes, for clients that act on them. */
  onBatch: (batch: Batch) => void = () => {};
  onAck: (ack: Ack) => void = () => {};
  onGap: (range: Range) => void = () => {};
  #wake: () => void = () => {};
  #closed: () => void = () => {};

  constructor(url: string, options: { headers?: Record<string, string>; identity?: TestClient; autoConnect?: boolean } = {}) {
    if (options.identity) {
      this.seat = options.identity.seat;
      this.seatSecret = options.identity.seatSecret;
    }
    this.socket = io(url, {
      path: RELAY_PATH,
      transports: ['websocket'],
      reconnection: false,
      forceNew: true,
      timeout: 3000,
      autoConnect: options.autoConnect ?? true,
      ...(options.headers && { extraHeaders: options.headers }),
    });
    this.#listen();
  }

  /** Resolves when `condition` holds; it is looked at whenever an event comes. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        const before = this.#wake;
        this.#wake = () => {
          before();
          resolve();
        };
      });
    }
  }

  async connected(): Promise<this> {
    if (!this.socket.connected) await once(this.socket as unknown as NodeJS.EventEmitter, 'connect');
    return this;
  }

  /** Whether the relay lets the connection in. */
  admitted(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#closed = () => resolve(false);
      this.socket.once('connect', () => resolve(true));
      this.socket.once('connect_error', () => resolve(false));
      // Closed between the handshake and the answer to it: the socket itself says nothing then.
      this.socket.io.once('close', () => resolve(false));
    });
  }

  create(room: RoomSecrets, terms: Partial<CreateRequest> = {}): Promise<Reply<Created>> {
    return this.socket.emitWithAck('create', { ...room, capacity: 2, ...terms });
  }

  async join({ room, token }: RoomSecrets, terms: Partial<JoinRequest> = {}): Promise<Reply<Joined>> {
    const { seat, seatSecret } = this;
    const reply = await this.socket.emitWithAck('join', { room, token, seat, seatSecret, ...terms });
    if (reply.ok) this.cursor = Math.max(this.cursor, terms.since ? 0 : reply.ok.head);
    return reply;
  }

  push(...pushes: (Partial<Push> & { text?: string })[]): void {
    this.socket.emit(
      'push',
      encodePushes(pushes.map(({ text = '', ...push }) => ({ cid: randomBytes(16), body: Buffer.from(text), ...push }))),
    );
  }

  get texts(): string[] {
    return this.deliveries.map(({ body }) => Buffer.from(body).toString());
  }

  get seqs(): number[] {
    return this.deliveries.map(({ seq }) => seq);
  }

  get acknowledged(): number[] {
    return this.acks.flatMap(({ seq }) => seq);
  }

  close(): void {
    this.#closed();
    this.socket.disconnect();
  }

  #listen(): void {
    const { socket } = this;
    socket.on('batch', (bytes) => {
      const batch = decodeBatch(new Uint8Array(bytes));
      const { from, to, deliveries } = batch;
      this.ranges.push({ from, to });
      this.deliveries.push(...deliveries);
      this.cursor = Math.max(this.cursor, to);
      this.onBatch(batch);
    });
    socket.on('ack', (ack) => {
      this.acks.push(ack);
      this.onAck(ack);
    });
    socket.on('presence', (change) => this.presences.push(change));
    socket.on('gap', (range) => {
      this.gaps.push(range);
      this.onGap(range);
    });
    socket.on('error', (error) => this.errors.push(error));
    socket.on('ended', ({ reason }) => {
      this.ended = reason;
    });
    socket.on('bye', () => {
      this.said = 'bye';
    });
    socket.on('slow', () => {
      this.slowed++;
    });
    socket.onAny((event: string) => {
      this.order.push(event);
      this.#wake();
    });
    socket.on('disconnect', () => this.#wake());
    socket.on('connect', () => this.#wake());
    socket.on('connect_error', () => this.#wake());
  }
}
