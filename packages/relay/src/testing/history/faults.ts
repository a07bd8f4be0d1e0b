import { readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Mutant } from '../child-relay.ts';
import { query } from '../query.ts';
import { makeImmutable, type SmallDisk } from '../small-disk.ts';
import type { Weather } from './network.ts';
import type { Fault, Stage } from './scenario.ts';

/** What happens to one relay, the first where there are several. */
export const processFaults = {
  killed: async ({ go, restart }) => {
    await go(150 + Math.random() * 150);
    await restart('SIGKILL');
  },
  stopped: async ({ go, restart }) => {
    await go(150 + Math.random() * 150);
    await restart('SIGTERM');
  },
} satisfies Record<string, Fault>;

/** What happens between members and relays. */
export const networkFaults = {
  cut: async ({ go, networks }) => {
    await go(150);
    for (const network of networks) network.cut();
  },
  'black hole': async ({ go, networks }) => {
    for (const network of networks) network.weather = 'black hole';
    await go(300);
    for (const network of networks) {
      network.weather = 'fair';
      // What fell into it is lost for good, so these connections are of no use any more.
      network.cut();
    }
  },
  slowed: (stage) => during(stage, 500, 'slow'),
  sliced: (stage) => during(stage, 300, 'sliced'),
  'readers paused': async ({ go, networks }) => {
    for (const network of networks) network.hold(true);
    await go(500);
    for (const network of networks) network.hold(false);
  },
} satisfies Record<string, Fault>;

async function during({ go, networks }: Stage, ms: number, weather: Weather): Promise<void> {
  for (const network of networks) network.weather = weather;
  await go(ms);
  for (const network of networks) network.weather = 'fair';
}

const HOUR_MS = 3_600_000;

/** The machine's clock jumps by an hour, ahead and back. */
export const clockFaults = {
  'while the relay runs': async ({ go, setClock }) => {
    for (const aheadMs of [HOUR_MS, -HOUR_MS, 0]) {
      await setClock(aheadMs);
      // Longer than the relay waits before it looks what is too old.
      await go(1200);
    }
  },
  'while it is stopped': async ({ go, setClock, restart }) => {
    for (const aheadMs of [HOUR_MS, -HOUR_MS, 0]) {
      await setClock(aheadMs);
      await restart('SIGTERM');
      await go(300);
    }
  },
} satisfies Record<string, Fault>;

/** What happens to relays that share a database. */
export const clusterFaults = {
  /** One relay after the other, as an upgrade does it. */
  'rolling restart': async ({ go, networks, restart }) => {
    for (const relay of networks.keys()) {
      await restart('SIGTERM', relay);
      await go(200);
    }
  },
  /** The others go on meanwhile. */
  'one killed': async ({ go, networks, restart }) => {
    await go(200);
    await restart('SIGKILL', Math.floor(Math.random() * networks.length));
  },
  'database killed': async ({ go, killDatabase }) => {
    await go(300);
    await killDatabase();
    await go(300);
  },
} satisfies Record<string, Fault>;

/** A relay is killed when half of what was sent is acknowledged. */
export const killedHalfway: Fault = async ({ recorders, until, restart }) => {
  const waiting = () => recorders.reduce((sum, recorder) => sum + recorder.waiting, 0);
  const half = waiting() / 2;
  await until(() => waiting() <= half);
  await restart('SIGKILL');
};

/** A Redis comes back without the last it had acknowledged, as after a power cut. */
export const redisWentBack =
  (folder: string): Fault =>
  async ({ go, killDatabase }) => {
    await go(500);
    await killDatabase(() => {
      const log = join(folder, 'appendonlydir');
      const file = join(log, readdirSync(log).find((name) => name.endsWith('.incr.aof'))!);
      truncateSync(file, statSync(file).size - 32 * 1024);
    });
    await go(500);
  };

/** Nothing can be written for a while; pushes are refused until it can. */
const refusing =
  (begin: () => unknown, end: () => unknown): Fault =>
  async ({ go, recorders, until }) => {
    await go(300);
    const refused = () => recorders.reduce((sum, recorder) => sum + recorder.refused, 0);
    const before = refused();
    await begin();
    await until(() => refused() > before + 10);
    await end();
    await go(300);
  };

export const diskFull = ({ fill, free }: SmallDisk): Fault => refusing(fill, free);

/** Files that cannot be written for a while. */
export const filesReadOnly = (files: () => readonly string[]): Fault =>
  refusing(
    () => setAll(files(), true),
    () => setAll(files(), false),
  );

const setAll = (files: readonly string[], immutable: boolean): void => {
  for (const file of files) makeImmutable(file, immutable);
};

/** The disk of the database is full for a while. A Redis that waits for the disk ends itself then, and has to be started again. */
export const databaseDiskFull =
  ({ fill, free }: SmallDisk): Fault =>
  (stage) => {
    const again = async () => {
      free();
      await stage.killDatabase();
    };
    return refusing(fill, again)(stage);
  };

/**
 * The disk of a PostgreSQL is full for a while: its tables cannot grow; with `log`, its write-ahead log neither, over which it ends itself and has
 * to be started again.
 */
export const postgresDiskFull = (url: string, { fill, free }: SmallDisk, log: boolean): Fault =>
  log
    ? (stage) => {
        const begin = async () => {
          fill();
          await writeLogUntilItEnds(url);
        };
        const again = async () => {
          free();
          await stage.killDatabase();
        };
        return refusing(begin, again)(stage);
      }
    : refusing(fill, free);

async function writeLogUntilItEnds(url: string): Promise<void> {
  const mebibyte = `SELECT pg_logical_emit_message(true, 'relay', repeat('x', ${2 ** 20}))`;
  for (let written = 0; written < 200; written++) {
    try {
      await query(url, mebibyte);
    } catch {
      return;
    }
  }
  throw new Error('the write-ahead log has more room than its disk');
}

/** A PostgreSQL that is read-only, as it is when another one takes over. */
export const postgresReadOnly = (url: string): Fault => {
  const set = async (value: string) => {
    await query(url, `ALTER SYSTEM SET default_transaction_read_only = ${value}`);
    await query(url, 'SELECT pg_reload_conf()');
  };
  return refusing(
    () => set('on'),
    () => set('off'),
  );
};

/** A Redis that takes no writes, because the replicas it is told to wait for are not there. */
export const redisReadOnly = (url: string): Fault => {
  const set = async (replicas: number) => {
    const redis = new Redis(url);
    await redis.config('SET', 'min-replicas-to-write', replicas);
    redis.disconnect();
  };
  return refusing(
    () => set(1),
    () => set(0),
  );
};

/** Relays that break a promise. The checker has to catch each. */
export const mutants: Mutant[] = [
  {
    name: 'commit skipped',
    edits: [
      {
        file: 'store/local/local-store.ts',
        from: 'for (const { room, items, segment } of written) this.#journal.insertSegment(room, segment, items);',
        to: 'void written;',
      },
    ],
  },
  {
    name: 'acknowledged early',
    edits: [
      {
        file: 'store/sqlite/sqlite-journal.ts',
        from: 'this.#sql.insertSegment.run(room.id, first, last, time, items);',
        to: 'setTimeout(() => this.#sql.insertSegment.run(room.id, first, last, time, items), 100);',
      },
    ],
  },
];
