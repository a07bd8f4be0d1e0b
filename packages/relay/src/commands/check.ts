import { usableDataDir } from '../data-dir.ts';
import { EventLog } from '../events/event-log.ts';
import { freeBytes } from '../http/health.ts';
import { pepperOf } from '../pepper.ts';
import { UNNAMED_PROXY } from '../proxy-watch.ts';
import { openDatabase } from '../storage.ts';
import type { Command } from './run.ts';

/**
 * Looks at everything a relay needs to start, without starting one. What cannot be used is an error that names its variable.
 * Safe while a relay runs on the same data: rooms are not touched.
 */
export const check: Command = async (settings) => {
  usableDataDir(settings.dataDir);
  console.log('data      ok (can be written)');
  pepperOf(settings);
  console.log('pepper    ok');
  const database = await openDatabase(settings, () => {});
  await database.queries.deleteFrom('blocked').where('until', '<', 0).execute();
  const unnamed = await unnamedProxy(new EventLog(database.queries));
  await database.close();
  console.log(`database  ok (${database.kind}, can be written)`);
  if (settings.redisUrl !== undefined) {
    const { checkRedis } = await import('../store/redis/open.ts');
    console.log(`redis     ok (acknowledged frames survive: ${await checkRedis(settings.redisUrl, settings.durability)})`);
  }
  const free = await freeBytes(settings.dataDir);
  if (Number.isFinite(free)) console.log(`disk      ${Math.floor(free / 2 ** 20)} MiB free in the data folder`);
  if (unnamed) console.log(`proxy     ${UNNAMED_PROXY}`);
  return 0;
};

/** Whether the relay that was started last has heard from a proxy that nobody named. */
async function unnamedProxy(events: EventLog): Promise<boolean> {
  const kinds = (await events.read({})).map(({ kind }) => kind);
  return kinds.lastIndexOf('proxy-not-named') > kinds.lastIndexOf('relay-started');
}
