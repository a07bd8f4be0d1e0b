import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ChildCluster, type Shared } from '../child-cluster.ts';
import { ChildRelay, type Mutant, packageDir } from '../child-relay.ts';
import type { Engine } from '../engines.ts';
import type { Traces } from '../leaks.ts';
import { FaultyNetwork } from './network.ts';

/** Relays under test, each a process, each behind a network of its own whose address never changes. */
export interface Deployment {
  networks: readonly FaultyNetwork[];
  /** Ends a relay by a signal, and waits until it runs again on the same data. The first is 0. */
  restart(signal: NodeJS.Signals, relay?: number): Promise<void>;
  /** Kills the database that the relays share with -9, and waits until it runs again. `meanwhile` is done to what it left. */
  killDatabase(meanwhile?: () => void): Promise<void>;
  /** Sets the clock of the machine that the relays see so far ahead of the true time; restarts do not change it. */
  setClock(aheadMs: number): Promise<void>;
  /** What the relays wrote to the terminal. */
  output(): string;
  /** Everything they have. */
  traces(): Promise<Traces>;
  close(): Promise<void>;
}

const SHIFTED_CLOCK = join(packageDir, 'src/testing/shifted-clock.mjs');

/** So much is sent from one address that a relay would think of an attack. */
const GENEROUS = { RELAY_RATE_CONNECTIONS: '100000', RELAY_RATE_CONTROL: '100000', RELAY_RATE_FRAMES: '100000' };

interface Alone {
  dataDir: string;
  env?: Record<string, string>;
  mutant?: Mutant;
}

/** One relay on SQLite. */
export async function oneRelay({ dataDir, env = {}, mutant }: Alone): Promise<Deployment> {
  const clock = new ShiftedClock(dataDir);
  const start = () => ChildRelay.start(dataDir, { ...GENEROUS, ...clock.env, ...env }, mutant);
  const output: string[] = [];
  let relay = await start();
  const network = await FaultyNetwork.open(relay.url);
  return {
    networks: [network],
    async restart(signal) {
      await relay.stop(signal);
      output.push(...relay.output);
      relay = await start();
      network.leadTo(relay.url);
    },
    killDatabase: () => Promise.reject(new Error('the database is a part of the relay')),
    setClock: (aheadMs) => clock.set(aheadMs, [relay]),
    output: () => [...output, ...relay.output].join('\n'),
    traces: async () => ({ folders: [dataDir], said: [...output, ...(await relay.said())] }),
    async close() {
      network.close();
      await relay.stop('SIGKILL');
    },
  };
}

/** Relays that share a database, as a user starts them. */
export async function cluster(database: Shared, relays: number, env: Record<string, string> = {}): Promise<Deployment> {
  const running = await ChildCluster.start(database, relays, { ...GENEROUS, ...env });
  const networks = await Promise.all(running.urls.map((url) => FaultyNetwork.open(url)));
  return {
    networks,
    restart: (signal, relay = 0) => running.restart(relay, signal),
    killDatabase: () => running.killDatabase(),
    setClock: () => Promise.reject(new Error('the script starts relays that go by the true time')),
    output: () => running.output.join('\n'),
    traces: async () => ({ folders: [], database: running.databaseUrl, said: [...running.output] }),
    async close() {
      for (const network of networks) network.close();
      await running.close();
    },
  };
}

/** Relays on a database that is at hand, for what the script does not do: settings of its own, and harm to its data. */
export async function relaysOn(
  engine: Engine,
  relays: number,
  dataDir: string,
  env: Record<string, string> = {},
): Promise<Deployment> {
  const shared = engine.url.startsWith('redis:') ? { RELAY_REDIS_URL: engine.url } : { RELAY_DATABASE_URL: engine.url };
  const pepper = { RELAY_PEPPER: 'one pepper for all of these relays' };
  const clock = new ShiftedClock(dataDir);
  const settings = { ...GENEROUS, ...clock.env, ...pepper, ...shared, ...env };
  const start = (i: number) => ChildRelay.start(join(dataDir, `${i}`), settings);
  const output: string[] = [];
  const running = await Promise.all(Array.from({ length: relays }, (_, i) => start(i)));
  const networks = await Promise.all(running.map(({ url }) => FaultyNetwork.open(url)));
  return {
    networks,
    async restart(signal, relay = 0) {
      await running[relay]!.stop(signal);
      output.push(...running[relay]!.output);
      running[relay] = await start(relay);
      networks[relay]!.leadTo(running[relay].url);
    },
    async killDatabase(meanwhile = () => {}) {
      await engine.kill();
      meanwhile();
      await engine.start();
    },
    setClock: (aheadMs) => clock.set(aheadMs, running),
    output: () => [...output, ...running.flatMap((relay) => relay.output)].join('\n'),
    async traces() {
      const said = (await Promise.all(running.map((relay) => relay.said()))).flat();
      return { folders: [dataDir], database: engine.url, said: [...output, ...said] };
    },
    async close() {
      for (const network of networks) network.close();
      await Promise.all(running.map((relay) => relay.stop('SIGKILL')));
    },
  };
}

/** The clock of the machine, as relays see it that are started with its environment. */
class ShiftedClock {
  readonly #file: string;

  constructor(folder: string) {
    this.#file = join(folder, 'clock');
    writeFileSync(this.#file, '0');
  }

  get env(): Record<string, string> {
    return { NODE_OPTIONS: `--import ${SHIFTED_CLOCK}`, SHIFTED_CLOCK_FILE: this.#file };
  }

  async set(aheadMs: number, relays: readonly ChildRelay[]): Promise<void> {
    writeFileSync(this.#file, `${aheadMs}`);
    await Promise.all(relays.map((relay) => relay.signal('SIGUSR2', /^the clock shows/)));
  }
}
