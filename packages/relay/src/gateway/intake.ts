import type { RelaySettings } from '../config/settings.ts';
import { FlowMeter } from './flow-meter.ts';
import { Reading } from './reading.ts';

/** What Engine.IO's connection tells of what comes in. */
export interface EngineConnection {
  on(event: 'packet', listener: (packet: { type: string; data?: string | Buffer }) => void): unknown;
  transport: { socket?: WebSocketInternals };
}

export interface WebSocketInternals {
  terminate?(): void;
  pause?(): void;
  resume?(): void;
  on?(event: 'ping' | 'pong', listener: (data: Buffer) => void): unknown;
  _sender?: { sendFrame?: unknown };
}

/**
 * What comes in over one connection, counted from its first packet on, whatever it is: messages, heartbeats, control frames.
 * Nothing is read while it is too fast.
 */
export class Intake {
  readonly reading: Reading;
  readonly #meter: FlowMeter;
  #timer: NodeJS.Timeout | undefined;
  /** Told of each packet, and for how long none is read, milliseconds; 0 while the client keeps to its rate. */
  onPacket: (pauseMs: number) => void = () => {};

  constructor(conn: EngineConnection, settings: RelaySettings) {
    const { socket } = conn.transport;
    this.#meter = new FlowMeter(settings, performance.now());
    this.reading = new Reading((reading) => {
      if (reading) socket?.resume?.();
      else socket?.pause?.();
    });
    conn.on('packet', ({ data }) => {
      this.onPacket(this.count(typeof data === 'string' || data === undefined ? 1 : 0, data?.length ?? 0));
    });
    const control = (data: Buffer) => void this.count(1, data.length);
    socket?.on?.('ping', control);
    socket?.on?.('pong', control);
  }

  /** @returns for how long the connection is not read from because of that, milliseconds. */
  count(frames: number, bytes: number): number {
    const pauseMs = this.#meter.count(frames, bytes, performance.now());
    if (pauseMs === 0) return 0;
    clearTimeout(this.#timer);
    this.reading.stop('rate');
    // Nothing is lost when the connection, or the relay, ends before.
    this.#timer = setTimeout(() => this.reading.goOn('rate'), pauseMs).unref();
    return pauseMs;
  }
}
