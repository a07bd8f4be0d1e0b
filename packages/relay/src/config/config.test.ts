import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../testing/relay-fixture.ts';
import { loadSettings, printSettings } from './load.ts';
import { defaultSettings, SETTINGS, SettingError, withDefaults } from './settings.ts';

/** For each variable a value that is taken, what it means, and one that is refused. */
const EXAMPLES: { [K in keyof typeof SETTINGS]: [good: string, value: unknown, bad: string] } = {
  port: ['8080', 8080, '70000'],
  host: ['127.0.0.1', '127.0.0.1', 'not a host'],
  databaseUrl: ['sqlite:/tmp/x.db', 'sqlite:/tmp/x.db', 'mysql://x'],
  redisUrl: ['redis://127.0.0.1:6379', 'redis://127.0.0.1:6379', 'localhost'],
  dataDir: ['/not/yet/there', '/not/yet/there', process.execPath],
  durability: ['fsync', 'fsync', 'maybe'],
  retentionMs: ['90s', 90_000, '10'],
  eventRetentionMs: ['1d', 86_400_000, 'week'],
  origins: ['https://a.example, https://b.example', ['https://a.example', 'https://b.example'], 'a.example'],
  operatorSecret: ['sixteen-characters', 'sixteen-characters', 'short'],
  pepper: ['sixteen-characters', 'sixteen-characters', 'short'],
  trustedProxies: ['10.0.0.0/8,::1', ['10.0.0.0/8', '::1'], '10.0.0.0/99'],
  opsPort: ['9100', 9100, '-1'],
  logLevel: ['warn', 'warn', 'loud'],
  otlpEndpoint: ['http://collector:4318', 'http://collector:4318', 'collector:4318'],
  otlpHeaders: ['authorization=Bearer%20x, x-tenant=a', { authorization: 'Bearer x', 'x-tenant': 'a' }, 'no pair'],
  otlpIntervalMs: ['5000', 5000, '5s'],
  otlpServiceName: ['my-relay', 'my-relay', 'x'.repeat(256)],
  demoDir: ['/', '/', process.execPath],
  maxRooms: ['10', 10, '0'],
  maxConnections: ['10', 10, 'many'],
  maxPerAddress: ['10', 10, '1.5'],
  frameBytes: ['64KiB', 65_536, '1GiB'],
  roomBytes: ['128MiB', 134_217_728, '1'],
  roomFrames: ['1000', 1000, '1'],
  blobRoomBytes: ['2GiB', 2 * 2 ** 30, '1'],
  blobTotalBytes: ['100GiB', 100 * 2 ** 30, 'much'],
  blobRetentionMs: ['1h', 3_600_000, '1 hour'],
  rateConnections: ['10', 10, '0'],
  rateControl: ['10', 10, '0'],
  rateRequests: ['10', 10, '0'],
  rateFrames: ['10', 10, '0'],
  rateBytes: ['1MiB', 1_048_576, '1'],
};

describe('settings', () => {
  it.each(Object.entries(EXAMPLES))(
    '%s is read from its variable; a wrong value is an error naming it',
    (key, [good, value, bad]) => {
      const { env } = SETTINGS[key as keyof typeof SETTINGS];
      expect(loadSettings({ [env]: good })[key as keyof typeof SETTINGS]).toEqual(value);
      // An empty variable counts as none.
      if (bad !== '') expect(() => loadSettings({ [env]: bad })).toThrow(new RegExp(`^${env}: expected `));
    },
  );

  it('have the defaults of the documentation when nothing is set', () => {
    expect(loadSettings({ UNRELATED: 'x' })).toEqual(defaultSettings());
  });

  it('put the database into the data folder, unless it is said where it is', () => {
    const url = (env: Record<string, string>) => loadSettings(env).databaseUrl;
    expect(url({})).toBe('sqlite:./data/relay.db');
    expect(url({ RELAY_DATA_DIR: '/var/lib/relay' })).toBe('sqlite:/var/lib/relay/relay.db');
    expect(url({ RELAY_DATA_DIR: '/var/lib/relay', RELAY_DATABASE_URL: '' })).toBe('sqlite:/var/lib/relay/relay.db');
    expect(url({ RELAY_DATA_DIR: '/var/lib/relay', RELAY_DATABASE_URL: 'sqlite:/srv/x.db' })).toBe('sqlite:/srv/x.db');
    expect(withDefaults({ dataDir: 'a', port: undefined as never })).toMatchObject({
      databaseUrl: 'sqlite:a/relay.db',
      port: 5000,
    });
    expect(printSettings(loadSettings({ RELAY_DATA_DIR: '/d' }))).toContain('RELAY_DATABASE_URL=sqlite:/d/relay.db');
  });

  it('stand in the documentation, each of them and no other, with their defaults', () => {
    const page = readFileSync(new URL('../../../../docs/operations.md', import.meta.url), 'utf8');
    const [, table = ''] = /## Settings\n([\s\S]*?)\n## /.exec(page) ?? [];
    const rows = [...table.matchAll(/^\| `(\w+)` \| (.*?) \|/gm)].map(
      ([, env, value]) => [env!, value!.replaceAll('`', '')] as const,
    );
    expect(rows.map(([env]) => env).sort()).toEqual(
      Object.values(SETTINGS)
        .map(({ env }) => env)
        .sort(),
    );
    for (const [env, value] of rows) {
      const setting = Object.values(SETTINGS).find((candidate) => candidate.env === env)!;
      const nothing = ['–', 'none', 'made at the first start'].includes(value);
      if (nothing) expect([undefined, [], {}], env).toContainEqual(setting.fallback);
      else expect(setting.parse(value), env).toEqual(setting.fallback);
    }
    // Nor is any other named elsewhere on the page.
    const known = Object.values(SETTINGS).flatMap(({ env, secret }) => (secret ? [env, `${env}_FILE`] : [env]));
    for (const [name] of page.matchAll(/\bRELAY_[A-Z_]+[A-Z]\b/g)) expect(known).toContain(name);
  });

  it('refuse a variable that does not exist', () => {
    expect(() => loadSettings({ RELAY_RETENTON: '5m' })).toThrow(SettingError);
    expect(() => loadSettings({ RELAY_RETENTON: '5m' })).toThrow('RELAY_RETENTON');
  });

  it('read a secret from a file, and refuse a missing file and two sources', () => {
    const file = join(temporaryFolder(), 'pepper');
    writeFileSync(file, 'a pepper from a file\n');
    expect(loadSettings({ RELAY_PEPPER_FILE: file }).pepper).toBe('a pepper from a file');
    expect(() => loadSettings({ RELAY_PEPPER_FILE: `${file}x` })).toThrow('RELAY_PEPPER_FILE');
    expect(() => loadSettings({ RELAY_PEPPER_FILE: file, RELAY_PEPPER: 'a pepper from here' })).toThrow('RELAY_PEPPER');
  });

  it('are printed without secrets', () => {
    const printed = printSettings(
      loadSettings({ RELAY_PEPPER: 'sixteen-characters', RELAY_DATABASE_URL: 'postgres://u:pw@h/d' }),
    );
    expect(printed).not.toMatch(/sixteen|pw@h/);
    expect(printed).toContain('RELAY_DATABASE_URL=postgres://(hidden)@h/d');
    expect(printed).toContain('RELAY_RETENTION=600000ms');
    // What is printed can be set.
    expect(loadSettings({ RELAY_RETENTION: '600000ms' })).toEqual(defaultSettings());
  });
});
