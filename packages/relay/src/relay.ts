import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RelayLimits } from '@qsec2/sdk/wire';
import type Koa from 'koa';
import { type Logger, pino } from 'pino';
import { Blobs } from './blobs/blobs.ts';
import { defaultSettings, type RelaySettings, SettingError } from './config/settings.ts';
import { EventRecorder } from './events/recorder.ts';
import { Gateway } from './gateway/gateway.ts';
import { Hasher, keptPepper } from './hashes.ts';
import { createApp } from './http/app.ts';
import { Health } from './http/health.ts';
import { Hub } from './hub/hub.ts';
import { Rooms } from './hub/rooms.ts';
import { openStorage } from './storage.ts';

/** Frames and bytes a member may have pushed without an acknowledgement. */
const IN_FLIGHT_FRAMES = 512;
const IN_FLIGHT_BYTES = 1024 * 1024;

/** A client that takes its time over the head of a request is cut; these are looked at every few seconds. */
const HTTP_LIMITS = { requestTimeout: 10_000, headersTimeout: 10_000, maxHeaderSize: 16_384, connectionsCheckingInterval: 5000 };

export interface RelayOptions extends Partial<RelaySettings> {
  /** Shorthand for `demoDir`. */
  demo?: { dir: string };
  /** How long a dropped connection is not yet shown as away, milliseconds. Default: 5000. */
  awayAfterMs?: number;
  /** Default: pino to standard output at `logLevel`. */
  logger?: Logger;
}

/** A running relay, with or without a server of its own. */
export interface Relay {
  /** What the relay serves over plain HTTP, to be mounted in another Koa application or served by `app.callback()`. */
  readonly app: Koa;
  readonly settings: RelaySettings;
  /** Takes WebSocket connections of a server that exists already, at the path of the wire contract. */
  attach(server: HttpServer): void;
  /** Starts a server of its own. @returns its address, such as `http://localhost:5000`. */
  listen(): Promise<string>;
  /** Stops taking requests, stores and acknowledges what was taken, tells clients to come back, closes. */
  close(): Promise<void>;
}

/**
 * Opens the data and makes a relay of it.
 *
 * @example
 * ```ts
 * const relay = await createRelay({ port: 5000, databaseUrl: 'sqlite:./data/relay.db' });
 * console.log(await relay.listen());
 * ```
 */
export async function createRelay({ demo, logger, awayAfterMs = 5000, ...options }: RelayOptions = {}): Promise<Relay> {
  const settings: RelaySettings = { ...defaultSettings(), ...(demo && { demoDir: demo.dir }), ...options };
  const log = logger ?? pino({ level: settings.logLevel, base: null });
  const onError = (error: unknown) => log.error({ reason: describe(error) }, 'failed');
  const hasher = new Hasher(pepperOf(settings));
  const storage = await openStorage(settings, {
    failed: onError,
    ended: (room, reason) => {
      events.record({ kind: `room-${reason}`, room });
      blobs.endRoom(room);
    },
    gone: (room, seat) => events.record({ kind: 'member-gone', room, actor: hasher.name('actor', seat) }),
  });
  const { store, eventLog, clock, node } = storage;
  const events = new EventRecorder(eventLog, clock, onError);
  const blobs = await Blobs.open({ settings, clock, store, onError });
  const limits: RelayLimits = {
    frameBytes: settings.frameBytes,
    inFlightFrames: IN_FLIGHT_FRAMES,
    inFlightBytes: IN_FLIGHT_BYTES,
    retentionMs: settings.retentionMs,
    blobs: blobs.limits,
  };
  const hub = new Hub({ store, clock, hasher, events, limits, awayAfterMs, onError });
  const health = new Health(store, onError);
  const rooms = new Rooms(store, hasher, events);
  const gateway = new Gateway({ settings, node, limits, hub, rooms, blobs, clock, onError, draining: () => health.draining });
  const app = createApp({ health, demoDir: settings.demoDir, onError });
  events.record({ kind: 'relay-started' });

  let server: HttpServer | undefined;
  let closing: Promise<void> | undefined;

  async function listen(): Promise<string> {
    const own = createServer(HTTP_LIMITS, app.callback());
    server = own;
    gateway.attach(own);
    await new Promise<void>((resolve, reject) => {
      own.once('error', reject);
      own.listen(settings.port, settings.host, resolve);
    });
    own.on('error', onError);
    return addressOf(own);
  }

  async function close(): Promise<void> {
    health.draining = true;
    server?.close();
    await hub.settle();
    gateway.sayBye();
    await hub.close();
    // Requests were answered; what is left are connections kept alive for another one.
    server?.closeIdleConnections();
    await gateway.close();
    events.record({ kind: 'relay-stopped' });
    await events.close();
    await blobs.close();
    await storage.close();
  }

  return {
    app,
    settings,
    attach: (existing) => gateway.attach(existing),
    listen,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** @throws {SettingError} when relays that share rooms would hash their names differently. */
function pepperOf({ pepper, redisUrl, databaseUrl, dataDir }: RelaySettings): string | Buffer {
  if (pepper !== undefined) return pepper;
  const shared = redisUrl !== undefined || databaseUrl.startsWith('postgres');
  if (shared) throw new SettingError('RELAY_PEPPER', 'one secret for all relays that share a database');
  try {
    return keptPepper(dataDir);
  } catch (cause) {
    throw new SettingError('RELAY_DATA_DIR', 'a folder that can be written, with the pepper of earlier starts if any', { cause });
  }
}

function addressOf(server: HttpServer): string {
  const { address, port } = server.address() as AddressInfo;
  const host = address === '0.0.0.0' || address === '::' ? 'localhost' : address.includes(':') ? `[${address}]` : address;
  return `http://${host}:${port}`;
}

/** What a log line may say about a failure: its class and code. Messages can quote what a client sent. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? error.name : `${error.name} ${code}`;
}
