import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attacks } from '../attacks/soak.ts';
import type { Shared } from '../child-cluster.ts';
import { type Engine, postgresFolder, redisBinary, startPostgres, startPostgresIn, startRedis } from '../engines.ts';
import { smallDisk } from '../small-disk.ts';
import { cluster, type Deployment, oneRelay, relaysOn } from './deployment.ts';
import {
  clockFaults,
  clusterFaults,
  databaseDiskFull,
  diskFull,
  killedHalfway,
  mutants,
  networkFaults,
  postgresDiskFull,
  postgresReadOnly,
  processFaults,
  redisReadOnly,
  redisWentBack,
} from './faults.ts';
import { type Fault, runScenario, type ScenarioOptions } from './scenario.ts';

const KILLS = 50;
const SENDS_AT_ONCE = 4000;

const PARTS: Record<string, () => Promise<void>> = {
  alone,
  disk: onSmallDisk,
  mutants: async () => {
    for (const mutant of mutants) await caught(mutant);
  },
  shared: async () => {
    for (const [database, found] of [
      ['redis', redisBinary()],
      ['postgres', postgresFolder()],
    ] as const) {
      if (found) await shared(database);
      else console.log(`skipped   everything with ${database}, which is not installed`);
    }
  },
  readOnly,
  forgetting,
  ...attacks,
};

/**
 * Runs all parts, or those named. Throws at the first promise that is broken.
 *
 * @param names comma-separated, such as `fuzz,cycles`
 */
export async function soak(names = Object.keys(PARTS).join()): Promise<void> {
  for (const name of names.split(',')) {
    const part = PARTS[name];
    if (!part) throw new Error(`there is no part "${name}" of it, only ${Object.keys(PARTS).join(', ')}`);
    const began = performance.now();
    await part();
    console.log(`part ${name}: ${Math.round((performance.now() - began) / 1000)} s`);
  }
}

async function alone(): Promise<void> {
  const { killed, stopped } = processFaults;
  await onSqlite(`${KILLS} kills and ${KILLS} stops in mid-stream`, times(KILLS, [killed, stopped]));
  await onSqlite('kills and stops that wait for the disk', times(5, [killed, stopped]), {}, { RELAY_DURABILITY: 'fsync' });
  await onSqlite('a bad network', times(4, Object.values<Fault>(networkFaults)));
  await onSqlite('a clock that jumps by an hour', times(5, Object.values<Fault>(clockFaults)));
  await onSqlite('repeated and reordered pushes', times(5, [killed, networkFaults.cut, networkFaults.slowed]), { unruly: true });
}

/** A disk that is full at times, while the relay waits for it and while it does not. */
async function onSmallDisk(): Promise<void> {
  for (const durability of ['wal', 'fsync']) {
    const disk = smallDisk(32);
    if ('reason' in disk) {
      console.log(`skipped   a full disk: ${disk.reason}`);
      return;
    }
    try {
      const relay = oneRelay({ dataDir: disk.folder, env: { RELAY_DURABILITY: durability } });
      await holds(`a full disk, ${durability}`, relay, times(5, [diskFull(disk)]));
    } finally {
      disk.dispose();
    }
  }
  if (redisBinary()) await redisOnSmallDisk();
  if (postgresFolder()) await postgresOnSmallDisk();
}

async function redisOnSmallDisk(): Promise<void> {
  const disk = smallDisk(16);
  if ('reason' in disk) return;
  const redis = await startRedis('--dir', disk.folder);
  try {
    const relays = (folder: string) => relaysOn(redis, 2, folder);
    await inFolder((folder) => holds('a full disk under Redis', relays(folder), times(5, [databaseDiskFull(disk)])));
  } finally {
    await redis.dispose();
    disk.dispose();
  }
}

/** A PostgreSQL whose disk is full at times: refused until there is room; where it ends itself, until it is started again. */
async function postgresOnSmallDisk(): Promise<void> {
  const disk = smallDisk(160);
  if ('reason' in disk) return;
  const postgres = await startPostgresIn(disk.folder, '-c', 'max_wal_size=48MB', '-c', 'min_wal_size=32MB');
  const full = [false, true].map((log) => postgresDiskFull(postgres.url, disk, log));
  try {
    await inFolder((folder) => holds('a full disk under PostgreSQL', relaysOn(postgres, 2, folder), times(5, full)));
  } finally {
    await postgres.dispose();
    disk.dispose();
  }
}

/** Databases that take nothing for a while. */
async function readOnly(): Promise<void> {
  const engines = [
    { name: 'Redis', found: redisBinary(), start: () => startRedis(), fault: redisReadOnly },
    { name: 'PostgreSQL', found: postgresFolder(), start: () => startPostgres(), fault: postgresReadOnly },
  ];
  for (const { name, found, start, fault } of engines) {
    if (!found) continue;
    const engine = await start();
    const faults = times(10, [fault(engine.url)]);
    try {
      await inFolder((folder) => holds(`a ${name} that is read-only at times`, relaysOn(engine, 2, folder), faults));
    } finally {
      await engine.dispose();
    }
  }
}

/** Databases that lose the last they acknowledged, as they may where they do not wait for the disk. */
async function forgetting(): Promise<void> {
  if (redisBinary()) {
    const redis = await startRedis('--appendfsync', 'no');
    await wentBack('Redis', redis, redisWentBack(redis.folder), 'wal');
  }
  if (postgresFolder()) {
    // What was committed stays in its memory for longer than it takes to kill it.
    const postgres = await startPostgres('-c', 'wal_writer_delay=10000', '-c', 'wal_writer_flush_after=100MB');
    await wentBack('PostgreSQL', postgres, clusterFaults['database killed'], 'memory');
  }
}

async function wentBack(name: string, engine: Engine, fault: Fault, durability: string): Promise<void> {
  const relays = (folder: string) => relaysOn(engine, 3, folder, { RELAY_DURABILITY: durability });
  try {
    await inFolder((folder) => holds(`a ${name} that went back`, relays(folder), times(5, [fault]), { mayForget: true }));
  } finally {
    await engine.dispose();
  }
}

async function shared(database: Shared): Promise<void> {
  const { 'rolling restart': rolling, ...kills } = clusterFaults;
  const busy = { members: 6, rate: 1000 };
  const three = () => cluster(database, 3);
  await holds(`three relays on ${database}, restarted in turn at 1000 a second`, three(), times(5, [rolling]), busy);
  await holds(`three relays on ${database}, killed, as is the database`, three(), times(5, Object.values<Fault>(kills)), busy);
  await holds(`three relays on ${database}, a bad network`, three(), times(2, Object.values<Fault>(networkFaults)));
  const burst = { members: 8, burst: SENDS_AT_ONCE };
  for (let run = 1; run <= 3; run++) {
    const name = `${SENDS_AT_ONCE} sends at once at two relays on ${database}, one killed halfway (${run})`;
    await holds(name, cluster(database, 2), [killedHalfway], burst);
  }
}

const times = (n: number, faults: readonly Fault[]): Fault[] => Array.from({ length: n }, () => faults).flat();

async function onSqlite(name: string, faults: readonly Fault[], options: ScenarioOptions = {}, env: Record<string, string> = {}) {
  await inFolder((dataDir) => holds(name, oneRelay({ dataDir, env }), faults, options));
}

async function holds(
  name: string,
  deployment: Promise<Deployment>,
  faults: readonly Fault[],
  options: ScenarioOptions = {},
): Promise<void> {
  const began = performance.now();
  const { violations, sent, acknowledged, refused, connects, epochs } = await runScenario(deployment, faults, options);
  if (violations.length > 0) throw new Error(`${name}: ${violations.slice(0, 5).join('; ')}`);
  const seconds = Math.round((performance.now() - began) / 1000);
  const counts = `${sent} sent, ${acknowledged} acknowledged, ${refused} refused and sent again, ${connects} connections`;
  const lost = epochs > 1 ? `every loss announced (${epochs - 1} times)` : 'nothing lost';
  console.log(`holds     ${name}: ${counts}; ${lost}, nothing twice, one order (${seconds} s)`);
}

async function caught(mutant: (typeof mutants)[number]): Promise<void> {
  const { killed } = processFaults;
  const { violations } = await inFolder((dataDir) => runScenario(oneRelay({ dataDir, mutant }), [killed, killed, killed]));
  if (violations.length === 0) throw new Error(`the checker found nothing wrong with: ${mutant.name}`);
  console.log(`caught    ${mutant.name}: ${violations[0]}`);
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'qsec2-soak-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
