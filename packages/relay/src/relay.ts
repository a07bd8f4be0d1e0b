import { existsSync } from 'node:fs';
import type { Server as HttpServer } from 'node:http';
import { RELAY_PATH, type RelayLimits } from '@qsec2/sdk/wire';
import type Koa from 'koa';
import { type Logger, pino } from 'pino';
import { Blobs } from './blobs/blobs.ts';
import { type RelaySettings, withDefaults } from './config/settings.ts';
import { usableDataDir } from './data-dir.ts';
import { EventRecorder } from './events/recorder.ts';
import { Faults } from './faults.ts';
import { Gateway } from './gateway/gateway.ts';
import { Hasher } from './hashes.ts';
import { createApp, createOperationsApp } from './http/app.ts';
import { atMostEvery } from './http/at-most-every.ts';
import { boundedServer } from './http/bounded-server.ts';
import { Health } from './http/health.ts';
import { addressOf, listening } from './http/listening.ts';
import { Hub } from './hub/hub.ts';
import { Rooms } from './hub/rooms.ts';
import { Metrics, readings } from './metrics.ts';
import { checkNode } from './node-version.ts';
import { OperatorWatch } from './operator/watch.ts';
import { OtlpExporter } from './otlp.ts';
import { WIDGET_FILES } from './package-files.ts';
import { pepperOf } from './pepper.ts';
import { ProxyWatch } from './proxy-watch.ts';
import { openStorage } from './storage.ts';
import { StorageWatch } from './storage-watch.ts';

/** Frames and bytes a member may have pushed without an acknowledgement. */
const IN_FLIGHT_FRAMES = 512;
const IN_FLIGHT_BYTES = 1024 * 1024;
/** The database is asked whether it can be written, and how many rooms and seats it has, no more often, whoever wants to know. */
const ASK_EVERY_MS = 1000;

export interface RelayOptions extends Partial<RelaySettings> {
  /** Shorthand for `demoDir`. */
  demo?: { dir: string };
  /** Folder of the widget's files. Default: those of the package. */
  widgetFiles?: string;
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
  /** Where metrics and the status page are, when they have a port of their own and the relay listens. */
  readonly opsUrl: string | undefined;
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
export async function createRelay({
  demo,
  widgetFiles = existsSync(WIDGET_FILES) ? WIDGET_FILES : undefined,
  logger,
  awayAfterMs = 5000,
  ...options
}: RelayOptions = {}): Promise<Relay> {
  checkNode();
  const settings: RelaySettings = withDefaults({ ...(demo && { demoDir: demo.dir }), ...options });
  const log = logger ?? pino({ level: settings.logLevel, base: null });
  const metrics = new Metrics();
  const faults = new Faults(log);
  const onError = (error: unknown) => {
    metrics.failures++;
    faults.tell(describe(error));
  };
  const onCutLate = (members: number) =>
    log.error({ members }, 'members were cut: other relays took this one for dead, because its heartbeat was late');
  usableDataDir(settings.dataDir);
  const hasher = new Hasher(pepperOf(settings));
  const storage = await openStorage(settings, {
    failed: onError,
    ended: (room, reason) => {
      events.record({ kind: `room-${reason}`, room });
      blobs.endRoom(room);
    },
    gone: (room, seat) => events.record({ kind: 'member-gone', room, actor: hasher.name('actor', seat) }),
    heartbeatLate: (ms) => {
      metrics.heartbeatsLate++;
      log.error(
        { ms: Math.round(ms) },
        'the heartbeat is late: after ten seconds other relays take this one for dead and its members are cut',
      );
    },
    heartbeatBack: (ms) => log.warn({ ms: Math.round(ms) }, 'the heartbeat is back'),
    relayDied: (relay, rooms) => {
      metrics.relaysDied++;
      log.warn({ relay, rooms }, 'another relay has not been heard of for ten seconds: its members are away');
    },
  });
  const { store, eventLog, orders, clock, node } = storage;
  const events = new EventRecorder(eventLog, clock, onError);
  const blobs = await Blobs.open({ settings, clock, store, onError });
  const limits: RelayLimits = {
    frameBytes: settings.frameBytes,
    inFlightFrames: IN_FLIGHT_FRAMES,
    inFlightBytes: IN_FLIGHT_BYTES,
    retentionMs: settings.retentionMs,
    blobs: blobs.limits,
  };
  const hub = new Hub({ store, clock, hasher, events, metrics, limits, awayAfterMs, onError, onCutLate });
  const written = atMostEvery(ASK_EVERY_MS, () => store.check());
  const checks = {
    database: async () => {
      storage.inPlace();
      await written();
    },
    files: () => blobs.inPlace(),
  };
  const health = new Health({ checks, dataDir: settings.dataDir, onError });
  const watch = new StorageWatch({ database: () => storage.inPlace(), files: () => blobs.inPlace() }, log);
  const rooms = new Rooms(store, hasher, events);
  const { eventRetentionMs } = settings;
  const blocked = (isBlocked: (address: string) => boolean) => gateway.cutOff(isBlocked);
  const operator = new OperatorWatch({ orders, store, eventLog, hasher, clock, eventRetentionMs, blocked, onError });
  const gateway = new Gateway({
    settings,
    node,
    limits,
    hub,
    rooms,
    blobs,
    clock,
    metrics,
    onError,
    draining: () => health.draining,
    isBlocked: (address) => operator.isBlocked(address),
  });
  await operator.look();
  await operator.prune();
  const counts = atMostEvery(ASK_EVERY_MS, () => store.counts());
  const gauges = async () => ({
    ...(await counts()),
    connections: gateway.connections,
    forwardedNotBelieved: addresses.notBelieved,
    eventsDropped: events.dropped,
    draining: health.draining,
    uptimeSeconds: process.uptime(),
    blobs: blobs.figures(),
    heartbeatAgeSeconds: (store.heartbeatAge ?? 0) / 1000,
  });
  const exporter = OtlpExporter.of(settings, {
    instance: node,
    read: async () => readings(metrics, await gauges()),
    // A collector that is away is no fault of the relay.
    onError: (error) => log.warn({ reason: describe((error as Error).cause ?? error) }, 'metrics were not sent'),
  });
  const operations = { metrics, gauges, durability: store.durability };
  const separate = settings.opsPort !== undefined;
  const refused = () => void metrics.connectionsRefused++;
  const { addresses } = gateway;
  const app = createApp({
    health,
    fair: { admission: gateway.admission, addresses, refused },
    operations: separate ? undefined : operations,
    demoDir: settings.demoDir,
    widgetFiles,
    onError,
  });
  events.record({ kind: 'relay-started' });
  const proxies = new ProxyWatch(addresses, log, events);

  let server: HttpServer | undefined;
  let opsServer: HttpServer | undefined;
  let closing: Promise<void> | undefined;

  const bounds = { settings, addresses, refused };

  async function listen(): Promise<string> {
    server = boundedServer(app.callback(), { ...bounds, upgrades: (url) => url.startsWith(RELAY_PATH) });
    gateway.attach(server);
    await listening(server, { port: settings.port, host: settings.host, env: 'PORT' });
    server.on('error', onError);
    if (settings.opsPort !== undefined) {
      const opsApp = createOperationsApp(operations, health, onError);
      opsServer = boundedServer(opsApp.callback(), { ...bounds, upgrades: () => false });
      await listening(opsServer, { port: settings.opsPort, host: settings.host, env: 'RELAY_OPS_PORT' });
    }
    return addressOf(server);
  }

  async function close(): Promise<void> {
    health.draining = true;
    watch.close();
    proxies.close();
    server?.close();
    await operator.close();
    await hub.settle();
    gateway.sayBye();
    await hub.close();
    // Requests were answered; what is left are connections kept alive for another one.
    server?.closeIdleConnections();
    await gateway.close();
    opsServer?.close();
    opsServer?.closeAllConnections();
    events.record({ kind: 'relay-stopped' });
    await events.close();
    await exporter?.close();
    await blobs.close();
    await storage.close();
    faults.close();
  }

  return {
    app,
    settings,
    get opsUrl() {
      return opsServer && addressOf(opsServer);
    },
    attach: (existing) => gateway.attach(existing),
    listen,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

/** What a log line may say about a failure: its class and code. Messages can quote what a client sent. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? error.name : `${error.name} ${code}`;
}
