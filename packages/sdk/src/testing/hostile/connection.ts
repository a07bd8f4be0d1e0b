import type { BlobTransport, Transport, TransportHandlers } from '../../transport/transport.ts';
import { decodeBatch, type JoinRequest, type Push, type SeatPresence, toBase64url } from '../../wire/index.ts';
import type { CarriedFrame } from './frame.ts';
import type { Mailbox } from './mailbox.ts';

/** What a connection asks of the relay it belongs to. */
export interface Host {
  mailbox(room: string, seat: string): Mailbox;
  /** A frame of the honest relay underneath is about to reach its receiver. */
  carry(frame: CarriedFrame): void;
  pushed(room: string, seat: string, frames: Uint8Array): void;
  /** What a joining member is told of who is there, in the place of the truth. */
  members(room: string, truth: SeatPresence[]): SeatPresence[];
  joined(room: string, seat: string, connection: HostileConnection): void;
}

export type CapturedPush = Push & { room: string; from: string };

/** A client's connection: requests go on to the honest relay, deliveries go through the hostile one. */
export class HostileConnection implements Transport {
  readonly #host: Host;
  /** The way to the honest relay underneath. */
  readonly inner: Transport;
  readonly handlers: TransportHandlers;
  readonly blobs?: BlobTransport;
  #place: { room: string; seat: string } | undefined;

  constructor(host: Host, handlers: TransportHandlers, connect: (handlers: TransportHandlers) => Transport) {
    this.#host = host;
    this.handlers = handlers;
    this.inner = connect({ ...handlers, batch: (bytes) => this.#batch(bytes), close: (reason) => this.#down(reason) });
    if (this.inner.blobs) this.blobs = this.inner.blobs;
  }

  create: Transport['create'] = (request) => this.inner.create(request);
  leave: Transport['leave'] = () => this.inner.leave();
  end: Transport['end'] = (request) => this.inner.end(request);
  recv: Transport['recv'] = () => undefined;
  report: Transport['report'] = (request) => this.inner.report(request);
  reconnect: Transport['reconnect'] = () => this.inner.reconnect();
  close: Transport['close'] = () => this.inner.close();

  async join(request: JoinRequest): ReturnType<Transport['join']> {
    const { room, seat } = request;
    const mailbox = this.#host.mailbox(room, seat);
    const { since, ...rest } = request;
    const upstream = since && { epoch: since.epoch, seq: mailbox.upstream };
    const reply = await this.inner.join({ ...rest, ...(upstream && { since: upstream }) });
    if (!reply.ok) return reply;
    this.#place = { room, seat };
    this.#host.joined(room, seat, this);
    const head = mailbox.head;
    mailbox.attach(this.handlers, since ? since.seq : head);
    return { ok: { ...reply.ok, head, members: this.#host.members(room, reply.ok.members) } };
  }

  push(frames: Uint8Array): void {
    if (this.#place) this.#host.pushed(this.#place.room, this.#place.seat, frames.slice());
    this.inner.push(frames);
  }

  #batch(bytes: Uint8Array): void {
    if (!this.#place) return;
    const { room, seat } = this.#place;
    const mailbox = this.#host.mailbox(room, seat);
    const { to, deliveries } = decodeBatch(bytes);
    mailbox.upstream = Math.max(mailbox.upstream, to);
    for (const { from, transient, body } of deliveries) {
      this.#host.carry({ room, from: toBase64url(from), to: seat, transient, body });
    }
  }

  #down(reason: string): void {
    if (this.#place) this.#host.mailbox(this.#place.room, this.#place.seat).detach();
    this.handlers.close(reason);
  }
}
