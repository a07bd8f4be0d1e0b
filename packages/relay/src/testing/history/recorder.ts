import { randomBytes } from 'node:crypto';
import type { Ack, Batch, Joined, Reply } from '@qsec2/sdk/wire';
import { type RoomSecrets, TestClient } from '../client.ts';

const RETRY_MS = 50;
const RECEIPT_EVERY = 200;
/** An unruly member repeats some of its latest frames. */
const MUDDLED_OVER = 100;

interface Sent {
  cid: Buffer;
  body: Buffer;
  /** Place told by the acknowledgement, and the epoch in which it was told. */
  seq: number | undefined;
  epoch: string | undefined;
}

/** Something a member was sent, or told it will not be sent. */
export type Told =
  | { kind: 'frame'; epoch: string; seq: number; cid: string }
  | { kind: 'gap'; epoch: string; from: number; to: number };

export interface RecorderOptions {
  /** Relays to connect to: the next one when a connection ends or is refused. */
  urls: readonly string[];
  room: RoomSecrets;
  capacity: number;
  /** Pushes again what was acknowledged, pushes twice, and in another order. */
  unruly: boolean;
  /** Frames pushed and not yet acknowledged, at most. */
  window: number;
}

/** A member that behaves as the contract says, over connections that come and go, and writes down everything. */
export class Recorder {
  readonly #identity: TestClient;
  readonly #options: RecorderOptions;
  /** Pushes to be made. */
  #outbox: Sent[] = [];
  /** Pushes of this connection without an answer, in their order. */
  #flight: Sent[] = [];
  readonly sent = new Map<string, Sent>();
  readonly told: Told[] = [];
  /** Violations seen while it happened: batches that do not continue where the last one ended. */
  readonly broken: string[] = [];
  epochs: string[] = [];
  connects = 0;
  /** Pushes the relay would not take. */
  refused = 0;
  #session: TestClient | undefined;
  #seq = 0;
  #confirmed = 0;
  #joined = false;
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#identity = new TestClient(options.urls[0]!, { autoConnect: false });
  }

  /** Shown to the relay when a seat is taken. */
  get seatSecret(): string {
    return this.#identity.seatSecret;
  }

  start(): void {
    this.#running = this.#run();
  }

  send(body: Buffer): void {
    const sent: Sent = { cid: randomBytes(16), body, seq: undefined, epoch: undefined };
    this.sent.set(sent.cid.toString('hex'), sent);
    this.#outbox.push(sent);
    this.#flush();
  }

  /** Pushes without an acknowledgement. */
  get waiting(): number {
    return this.#outbox.length + this.#flight.filter(({ seq }) => seq === undefined).length;
  }

  /** The highest place an acknowledgement told in this epoch. */
  acknowledgedUpTo = 0;

  get joined(): boolean {
    return this.#joined;
  }

  get seq(): number {
    return this.#seq;
  }

  get epoch(): string | undefined {
    return this.epochs.at(-1);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#session?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let attempt = 0; !this.#stopped; attempt++) {
      const { urls } = this.#options;
      const session = new TestClient(urls[attempt % urls.length]!, { identity: this.#identity });
      this.#session = session;
      session.onBatch = (batch) => this.#batch(batch);
      session.onAck = (ack) => this.#acknowledged(ack);
      session.onGap = ({ from, to }) => this.#gap(from, to);
      if ((await session.admitted()) && (await this.#join(session))) {
        this.connects++;
        this.#joined = true;
        this.#flush();
        await session.until(() => session.socket.disconnected);
        this.#joined = false;
        // What had no answer is pushed again: the relay knows what it has taken.
        this.#outbox.unshift(...new Set(this.#flight.filter(({ seq }) => seq === undefined)));
        this.#flight = [];
      }
      session.close();
      this.#session = undefined;
      if (!this.#stopped) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  async #join(session: TestClient): Promise<boolean> {
    try {
      const { epoch } = this;
      const since = epoch === undefined ? undefined : { epoch, seq: this.#seq };
      const asked = session.socket.timeout(5000);
      const { room, token } = this.#options.room;
      const { seat, seatSecret } = this.#identity;
      const request = { room, token, seat, seatSecret, ...(since && { since }) };
      // A callback, not a promise: the first batch may come in the same turn of the event loop as the answer.
      const reply = await new Promise<Reply<Joined>>((resolve, reject) => {
        asked.emit('join', request, (error: Error | null, reply: Reply<Joined>) => {
          if (error) reject(error);
          else resolve(reply);
          if (reply?.ok) this.#entered(reply.ok, since !== undefined);
        });
      });
      if (reply.error?.code === 'NO_ROOM') await this.#create(asked);
      return reply.ok !== undefined;
    } catch {
      // The connection broke before the answer: another one is made.
      return false;
    }
  }

  #entered({ epoch, head, gap }: Joined, resuming: boolean): void {
    if (epoch !== this.epoch) {
      this.epochs.push(epoch);
      this.acknowledgedUpTo = 0;
      this.#seq = resuming ? 0 : head;
    }
    if (gap) this.#gap(gap.from, gap.to);
  }

  async #create(asked: Pick<TestClient['socket'], 'emitWithAck'>): Promise<void> {
    await asked.emitWithAck('create', { ...this.#options.room, capacity: this.#options.capacity });
  }

  #flush(): void {
    const session = this.#session;
    if (!session || !this.#joined) return;
    const pushes = this.#outbox.splice(0, this.#options.window - this.#flight.length);
    if (pushes.length === 0) return;
    const made = this.#options.unruly ? this.#muddled(pushes) : pushes;
    this.#flight.push(...made);
    for (const { cid, body } of made) session.push({ cid, body });
  }

  /** The pushes in another order, some of them twice, and some that were acknowledged long ago, though not confirmed as received. */
  #muddled(pushes: readonly Sent[]): Sent[] {
    const old = [...this.sent.values()].slice(-MUDDLED_OVER).filter(({ seq = 0 }) => seq > this.#confirmed);
    const again = [...pushes, ...old].filter(() => Math.random() < 0.1);
    return [...pushes, ...again].sort(() => Math.random() - 0.5);
  }

  #acknowledged({ seq }: Ack): void {
    let refused = false;
    for (const place of seq) {
      const sent = this.#flight.shift()!;
      if (place > 0) this.#placed(sent, place);
      else {
        refused = true;
        this.refused++;
        if (sent.seq === undefined && !this.#flight.includes(sent)) this.#outbox.push(sent);
      }
    }
    if (refused) setTimeout(() => this.#flush(), RETRY_MS);
    else this.#flush();
  }

  #placed(sent: Sent, place: number): void {
    if (sent.epoch === this.epoch && sent.seq !== place) this.broken.push(`acknowledged as ${sent.seq} and as ${place}`);
    sent.seq = place;
    sent.epoch = this.epoch;
    this.acknowledgedUpTo = Math.max(this.acknowledgedUpTo, place);
  }

  #batch({ from, to, deliveries }: Batch): void {
    if (from > to) return;
    if (from !== this.#seq + 1) this.broken.push(`a batch from ${from} after ${this.#seq}`);
    for (const { seq, cid } of deliveries) {
      this.told.push({ kind: 'frame', epoch: this.epoch ?? '', seq, cid: Buffer.from(cid).toString('hex') });
    }
    this.#seq = to;
    if (this.#seq - this.#confirmed >= RECEIPT_EVERY || this.#seq < this.#confirmed) {
      this.#confirmed = this.#seq;
      this.#session?.socket.emit('recv', { upTo: this.#seq });
    }
  }

  #gap(from: number, to: number): void {
    this.told.push({ kind: 'gap', epoch: this.epoch ?? '', from, to });
    this.#seq = Math.max(this.#seq, to);
  }
}
