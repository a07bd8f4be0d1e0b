import { randomBytes } from 'node:crypto';
import type { Ack, Batch } from '@qsec2/sdk/wire';
import { type RoomSecrets, TestClient } from '../client.ts';

/** Frames pushed and not yet acknowledged, at most. */
const WINDOW = 64;
const RETRY_MS = 50;
const RECEIPT_EVERY = 200;

interface Sent {
  cid: Buffer;
  /** Place told by the acknowledgement. */
  seq: number | undefined;
}

/** Something a member was sent, or told it will not be sent. */
export type Told =
  | { kind: 'frame'; epoch: string; seq: number; cid: string }
  | { kind: 'gap'; epoch: string; from: number; to: number };

/** A member that behaves as the contract says, over connections that come and go, and writes down everything. */
export class Recorder {
  readonly #identity: TestClient;
  readonly #url: string;
  readonly #room: RoomSecrets;
  readonly #capacity: number;
  readonly #outbox: Sent[] = [];
  readonly #bodies = new Map<Sent, Buffer>();
  readonly sent = new Map<string, Sent>();
  readonly told: Told[] = [];
  /** Violations seen while it happened: batches that do not continue where the last one ended. */
  readonly broken: string[] = [];
  epochs: string[] = [];
  connects = 0;
  #session: TestClient | undefined;
  #inFlight = 0;
  #seq = 0;
  #confirmed = 0;
  #joined = false;
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(url: string, room: RoomSecrets, capacity: number) {
    this.#url = url;
    this.#room = room;
    this.#capacity = capacity;
    this.#identity = new TestClient(url, { autoConnect: false });
  }

  start(): void {
    this.#running = this.#run();
  }

  send(body: Buffer): void {
    const sent: Sent = { cid: randomBytes(16), seq: undefined };
    this.sent.set(sent.cid.toString('hex'), sent);
    this.#bodies.set(sent, body);
    this.#outbox.push(sent);
    this.#flush();
  }
  /** Pushes that were never acknowledged. */
  get waiting(): number {
    return this.#outbox.length;
  }

  /** The highest place an acknowledgement told. */
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
    while (!this.#stopped) {
      const session = new TestClient(this.#url, { identity: this.#identity });
      this.#session = session;
      session.onBatch = (batch) => this.#batch(batch);
      session.onAck = (ack) => this.#acknowledged(ack);
      session.onGap = ({ from, to }) => this.#gap(from, to);
      if ((await session.admitted()) && (await this.#join(session))) {
        this.connects++;
        this.#inFlight = 0;
        this.#joined = true;
        this.#flush();
        await session.until(() => session.socket.disconnected);
        this.#joined = false;
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
      const { room, token } = this.#room;
      const { seat, seatSecret } = this.#identity;
      const reply = await asked.emitWithAck('join', { room, token, seat, seatSecret, ...(since && { since }) });
      if (reply.error?.code === 'NO_ROOM') await asked.emitWithAck('create', { ...this.#room, capacity: this.#capacity });
      if (!reply.ok) return false;
      if (reply.ok.epoch !== epoch) {
        this.epochs.push(reply.ok.epoch);
        this.#seq = since ? 0 : reply.ok.head;
      }
      if (reply.ok.gap) this.#gap(reply.ok.gap.from, reply.ok.gap.to);
      return true;
    } catch {
      // The connection broke before the answer: another one is made.
      return false;
    }
  }

  #flush(): void {
    const session = this.#session;
    if (!session || !this.#joined) return;
    while (this.#inFlight < Math.min(WINDOW, this.#outbox.length)) {
      const sent = this.#outbox[this.#inFlight++]!;
      session.push({ cid: sent.cid, body: this.#bodies.get(sent)! });
    }
  }

  #acknowledged({ seq }: Ack): void {
    const retry: Sent[] = [];
    for (const place of seq) {
      const sent = this.#outbox.shift()!;
      this.#inFlight--;
      if (place > 0) {
        if (sent.seq !== undefined && sent.seq !== place) this.broken.push(`acknowledged as ${sent.seq} and as ${place}`);
        sent.seq = place;
        this.acknowledgedUpTo = Math.max(this.acknowledgedUpTo, place);
        this.#bodies.delete(sent);
      } else retry.push(sent);
    }
    this.#outbox.push(...retry);
    if (retry.length > 0) setTimeout(() => this.#flush(), RETRY_MS);
    else this.#flush();
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
