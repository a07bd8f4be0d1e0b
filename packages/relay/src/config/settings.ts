import { existsSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { MAX_FRAME_BYTES } from '@qsec2/sdk/wire';
import { StartError } from '../start-error.ts';
import { parseDuration, parseInteger, parseList, parseSize } from './units.ts';

/** One setting: where it comes from, what it means, how it reads. */
interface Setting<T> {
  env: string;
  /** For the documentation and `--print-config`. */
  about: string;
  fallback: T;
  /** What a value has to look like, for the error. */
  expects: string;
  /** Undefined: not a valid value. */
  parse(text: string): T | undefined;
  /** May also be read from the file named by `<env>_FILE`; never printed, unless {@link Setting.print} knows how. */
  secret?: true;
  /** How the value is written, where it is not just its text. */
  print?(value: NonNullable<T>): string;
}

type Values<S> = { [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

const setting = <T>(value: Setting<T>): Setting<T> => value;

const count = (env: string, about: string, fallback: number, min = 1, max = 1e9) =>
  setting<number>({
    env,
    about,
    fallback,
    expects: `a whole number from ${min} to ${max}`,
    parse: within(parseInteger, min, max),
  });

const size = (env: string, about: string, fallback: number, min: number, max: number) =>
  setting<number>({
    env,
    about,
    fallback,
    expects: `bytes, such as ${fallback} or 64MiB, from ${min} to ${max}`,
    parse: within(parseSize, min, max),
  });

const duration = (env: string, about: string, fallback: number, example: string, max = 30 * 86_400_000) =>
  setting<number>({
    env,
    about,
    fallback,
    expects: `a time such as ${example}`,
    parse: within(parseDuration, 1000, max),
    print: (value) => `${value}ms`,
  });

const secret = (env: string, about: string) =>
  setting<string | undefined>({
    env,
    about,
    fallback: undefined,
    expects: 'at least 16 characters',
    parse: (text) => (text.length >= 16 ? text : undefined),
    secret: true,
  });

const choice = <T extends string>(env: string, about: string, fallback: T, values: readonly T[]) =>
  setting<T>({ env, about, fallback, expects: values.join(', '), parse: (text) => values.find((value) => value === text) });

const port = within(parseInteger, 0, 65535);

/** Every setting of the relay. The keys are the options of `createRelay`; the variables are what an operator sets. */
export const SETTINGS = {
  port: setting<number>({ env: 'PORT', about: 'Port to listen on.', fallback: 5000, expects: 'a port, 0–65535', parse: port }),
  host: setting<string>({
    env: 'RELAY_HOST',
    about: 'Address to listen on.',
    fallback: '0.0.0.0',
    expects: 'an IP address or a host name',
    parse: (text) => (/^[\w.:-]{1,253}$/.test(text) ? text : undefined),
  }),
  databaseUrl: setting<string>({
    env: 'RELAY_DATABASE_URL',
    about:
      'Rooms, mailboxes and the event log: `sqlite:<file>` or `postgres://…`. Where it is not set, relay.db in the data folder.',
    fallback: 'sqlite:./data/relay.db',
    expects: 'sqlite:<file> or postgres://…',
    parse: (text) => (/^sqlite:.+|^postgres(ql)?:\/\/.+/.test(text) ? text : undefined),
    secret: true,
    print: withoutPassword,
  }),
  redisUrl: setting<string | undefined>({
    env: 'RELAY_REDIS_URL',
    about: 'Set: rooms are sequenced in Redis Streams, and several relays serve them together.',
    fallback: undefined,
    expects: 'redis://… or rediss://…',
    parse: (text) => (/^rediss?:\/\/.+/.test(text) ? text : undefined),
    secret: true,
    print: withoutPassword,
  }),
  dataDir: setting<string>({
    env: 'RELAY_DATA_DIR',
    about: 'Folder for everything the relay keeps.',
    fallback: './data',
    expects: 'a folder, or where one can be made',
    // It is made at the first start; what is there already must not be a file.
    parse: (text) => (!existsSync(text) || isFolder(text) ? text : undefined),
  }),
  durability: choice('RELAY_DURABILITY', 'What an acknowledged frame survives: nothing, the process, or power loss.', 'wal', [
    'memory',
    'wal',
    'fsync',
  ] as const),
  retentionMs: duration('RELAY_RETENTION', 'How long mailboxes, away members and empty rooms are kept.', 600_000, '10m'),
  eventRetentionMs: duration('RELAY_EVENT_RETENTION', 'How long the event log is kept.', 7 * 86_400_000, '7d', 3650 * 86_400_000),
  origins: setting<'*' | readonly string[]>({
    env: 'RELAY_ORIGINS',
    about: 'Pages that may connect: `*`, or a list of origins.',
    fallback: '*',
    expects: '* or a list such as https://a.example,https://b.example',
    parse: parseOrigins,
  }),
  operatorSecret: secret('RELAY_OPERATOR_SECRET', "Set: creating a room needs an operator's token (`qsec2-relay token`)."),
  pepper: secret(
    'RELAY_PEPPER',
    'Key of the hashes the relay keeps. Made at the first start and kept in the data folder when not set.',
  ),
  trustedProxies: setting<readonly string[]>({
    env: 'RELAY_TRUSTED_PROXIES',
    about: 'Addresses or networks whose X-Forwarded-For is believed.',
    fallback: [],
    expects: 'a list of addresses or networks such as 10.0.0.0/8',
    parse: (text) => (parseList(text).every(isNetwork) ? parseList(text) : undefined),
  }),
  opsPort: setting<number | undefined>({
    env: 'RELAY_OPS_PORT',
    about: 'Set: /metrics and the status page are served there instead of on the main port.',
    fallback: undefined,
    expects: 'a port, 0–65535',
    parse: port,
  }),
  logLevel: choice('RELAY_LOG_LEVEL', 'Least severe log line written.', 'info', [
    'trace',
    'debug',
    'info',
    'warn',
    'error',
    'fatal',
    'silent',
  ] as const),
  otlpEndpoint: setting<string | undefined>({
    env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    about: 'Set: metrics are sent to this OpenTelemetry collector, by OTLP over HTTP.',
    fallback: undefined,
    expects: 'http://… or https://…',
    parse: (text) => (/^https?:\/\//.test(text) && URL.canParse(text) ? text : undefined),
    print: withoutPassword,
  }),
  otlpHeaders: setting<Readonly<Record<string, string>>>({
    env: 'OTEL_EXPORTER_OTLP_HEADERS',
    about: 'Headers the collector asks for, such as a token.',
    fallback: {},
    expects: 'a list such as authorization=Bearer%20…,x-tenant=a',
    parse: parseHeaders,
    secret: true,
  }),
  otlpIntervalMs: setting<number>({
    env: 'OTEL_METRIC_EXPORT_INTERVAL',
    about: 'How often metrics are sent to the collector, milliseconds.',
    fallback: 60_000,
    expects: 'whole milliseconds, at least 100',
    parse: within(parseInteger, 100, 86_400_000),
  }),
  otlpServiceName: setting<string>({
    env: 'OTEL_SERVICE_NAME',
    about: 'What the relay calls itself at the collector.',
    fallback: 'qsec2-relay',
    expects: 'a name of at most 255 characters',
    parse: (text) => (text.length <= 255 ? text : undefined),
  }),
  demoDir: setting<string | undefined>({
    env: 'RELAY_DEMO_DIR',
    about: 'Folder served at /, for a page with the widget.',
    fallback: undefined,
    expects: 'a folder that exists',
    parse: (text) => (isFolder(text) ? text : undefined),
  }),
  maxRooms: count('RELAY_MAX_ROOMS', 'Rooms kept at a time.', 100_000),
  maxConnections: count('RELAY_MAX_CONNECTIONS', 'Connections open at a time.', 20_000),
  maxPerAddress: count('RELAY_MAX_PER_ADDRESS', 'Connections open at a time from one address.', 256),
  frameBytes: size('RELAY_FRAME_BYTES', 'Largest body of one frame.', MAX_FRAME_BYTES, 1024, MAX_FRAME_BYTES),
  roomBytes: size('RELAY_ROOM_BYTES', 'Most bytes kept in the mailbox of a room.', 32 * 2 ** 20, 2 ** 20, 2 ** 40),
  roomFrames: count('RELAY_ROOM_FRAMES', 'Most frames kept in the mailbox of a room.', 65_536, 16),
  // 1 GiB of content, and what sealing adds to it.
  blobRoomBytes: size('RELAY_BLOB_ROOM_BYTES', 'Most bytes of sealed files kept for a room.', 1025 * 2 ** 20, 2 ** 20, 2 ** 44),
  blobTotalBytes: size('RELAY_BLOB_BYTES', 'Most bytes of sealed files kept at a time.', 64 * 2 ** 30, 2 ** 20, 2 ** 50),
  blobRetentionMs: duration('RELAY_BLOB_RETENTION', 'How long sealed files are kept.', 86_400_000, '24h'),
  rateConnections: count('RELAY_RATE_CONNECTIONS', 'Connections a second from one address.', 50),
  rateControl: count('RELAY_RATE_CONTROL', 'Rooms created or joined a second from one address.', 50),
  rateRequests: count('RELAY_RATE_REQUESTS', 'Requests over HTTP a second from one address, ten times as many at once.', 100),
  rateFrames: count('RELAY_RATE_FRAMES', 'Frames a second from one connection.', 2000),
  rateBytes: size('RELAY_RATE_BYTES', 'Bytes a second from one connection.', 16 * 2 ** 20, 1024, 2 ** 40),
};

/** The relay's settings after parsing. */
export type RelaySettings = Values<typeof SETTINGS>;

/** A setting that cannot be used. The message names its variable. */
export class SettingError extends StartError {
  readonly env: string;

  constructor(env: string, expects: string, options?: ErrorOptions) {
    super(`${env}: expected ${expects}`, options);
    this.name = 'SettingError';
    this.env = env;
  }
}

/** Settings that were given, and for all others their defaults. The database is in the data folder unless it is said where. */
export function withDefaults(options: Partial<RelaySettings>): RelaySettings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<RelaySettings>;
  const defaults = Object.fromEntries(Object.entries(SETTINGS).map(([key, { fallback }]) => [key, fallback])) as RelaySettings;
  const { dataDir = defaults.dataDir } = given;
  return { ...defaults, databaseUrl: `sqlite:${dataDir}/relay.db`, ...given };
}

export const defaultSettings = (): RelaySettings => withDefaults({});

const isFolder = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//(hidden)@');
}

function within(parse: (text: string) => number | undefined, min: number, max: number) {
  return (text: string) => {
    const value = parse(text);
    return value !== undefined && value >= min && value <= max ? value : undefined;
  };
}

/** `key=value,key=value`, values in percent encoding, as OpenTelemetry has it. */
function parseHeaders(text: string): Record<string, string> | undefined {
  try {
    const pairs = parseList(text).map((part) => {
      const [, key = '', value = ''] = /^([\w-]+)=(.*)$/.exec(part) ?? [];
      return [key, decodeURIComponent(value)] as const;
    });
    new Headers(pairs.map(([key, value]) => [key, value]));
    return Object.fromEntries(pairs);
  } catch {
    return undefined;
  }
}

function parseOrigins(text: string): '*' | string[] | undefined {
  if (text === '*') return '*';
  const origins = parseList(text);
  return origins.length > 0 && origins.every((origin) => URL.canParse(origin) && new URL(origin).origin === origin)
    ? origins
    : undefined;
}

/** An address, or a network such as 10.0.0.0/8. */
function isNetwork(text: string): boolean {
  const [address = '', prefix] = text.split('/');
  const family = isIP(address);
  if (family === 0) return false;
  const bits = prefix === undefined ? 0 : parseInteger(prefix);
  return bits !== undefined && bits <= (family === 4 ? 32 : 128);
}
