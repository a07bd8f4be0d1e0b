import type {
  Ack,
  BlobChunk,
  BlobDropRequest,
  BlobGetRequest,
  BlobProgress,
  BlobPutRequest,
  Bye,
  Created,
  CreateRequest,
  Ended,
  EndRequest,
  Joined,
  JoinRequest,
  Range,
  RecvRequest,
  RelayError,
  Reply,
  ReportRequest,
  SeatPresence,
  Slow,
} from '../wire/index.ts';

/** What one connection to a relay reports, in order. Several may come in one turn of the event loop, also right behind an answer. */
export interface TransportHandlers {
  /** Connected, the first time or again: join now. */
  open(): void;
  /** The connection dropped; the transport goes on trying by itself. */
  close(reason: string): void;
  /** An attempt failed; `final` when trying again is of no use (the relay refuses this page). */
  unreachable(cause: unknown, final: boolean): void;
  batch(bytes: Uint8Array): void;
  ack(ack: Ack): void;
  presence(change: SeatPresence): void;
  gap(range: Range): void;
  slow(slow: Slow): void;
  bye(bye: Bye): void;
  ended(ended: Ended): void;
  error(error: RelayError): void;
}

/** The port to a relay. It reconnects by itself, with back-off and jitter, until closed. */
export interface Transport {
  create(request: CreateRequest): Promise<Reply<Created>>;
  join(request: JoinRequest): Promise<Reply<Joined>>;
  leave(): Promise<Reply<true>>;
  end(request: EndRequest): Promise<Reply<true>>;
  push(frames: Uint8Array): void;
  recv(request: RecvRequest): void;
  report(request: ReportRequest): void;
  /** Try now instead of after the back-off. */
  reconnect(): void;
  close(): void;
  /** Absent: files cannot go this way. */
  readonly blobs?: BlobTransport;
}

/** Requests about sealed files. They reject while there is no connection. */
export interface BlobTransport {
  put(request: BlobPutRequest, chunk: Uint8Array): Promise<Reply<BlobProgress>>;
  get(request: BlobGetRequest): Promise<Reply<BlobChunk>>;
  drop(request: BlobDropRequest): Promise<Reply<true>>;
}

export type TransportFactory = (url: URL, handlers: TransportHandlers) => Transport;
