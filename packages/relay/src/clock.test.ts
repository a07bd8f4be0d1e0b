import { describe, expect, it } from 'vitest';
import { sharedClock, steadyClock } from './clock.ts';
import { postgresFolder, startPostgres } from './testing/engines.ts';
import { relaysOn } from './testing/history/deployment.ts';
import { type Fault, runScenario } from './testing/history/scenario.ts';
import { query } from './testing/query.ts';
import { afterThisTest, temporaryFolder } from './testing/relay-fixture.ts';

const HOUR_MS = 3_600_000;

function expectNear(actual: number, time: number): void {
  expect(actual).toBeGreaterThan(time - 1000);
  expect(actual).toBeLessThan(time + HOUR_MS / 2);
}

describe('the clock of relays that share a database', () => {
  const server = Date.now();

  it('is the clock of the database for the first of them', async () => {
    expectNear((await sharedClock(server, async () => new Map())).now(), server);
  });

  it('is the clock of those who are there, when the clock of the database was set', async () => {
    const there = steadyClock(server - HOUR_MS);
    const beats = async () => new Map([['dead', server + 2 * HOUR_MS] as const, ['alive', there.now()] as const]);
    expectNear((await sharedClock(server, beats)).now(), server - HOUR_MS);
  });

  it('is the clock of the database when those who left a trace are dead', async () => {
    expectNear((await sharedClock(server, async () => new Map([['dead', server - HOUR_MS]]))).now(), server);
  });
});

describe.skipIf(!postgresFolder())('relays on a PostgreSQL whose clock jumps by an hour between their starts', () => {
  it('take each other neither for dead nor for late', { timeout: 60_000 }, async () => {
    const engine = await startPostgres();
    afterThisTest(() => engine.dispose());
    /** What every query of a relay sees as `now()`. */
    const set = (hours: number) =>
      query(
        engine.url,
        `CREATE OR REPLACE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql STABLE AS
         'SELECT pg_catalog.now() + interval ''${hours} hours'''`,
      );
    await set(0);
    await query(engine.url, 'ALTER ROLE relay SET search_path = public, pg_catalog');
    const jumps: Fault = async ({ go, recorders, restart, until }) => {
      for (const [relay, hours] of [1, -1].entries()) {
        await set(hours);
        await restart('SIGTERM', relay);
        await until(() => recorders.every(({ joined }) => joined));
        const before = recorders.map(({ connects }) => connects);
        // Long enough for each to look who is dead.
        await go(2500);
        expect(recorders.map(({ connects }) => connects)).toEqual(before);
      }
    };
    const outcome = await runScenario(relaysOn(engine, 2, temporaryFolder()), [jumps], { rate: 100 });
    expect(outcome.violations.slice(0, 10)).toEqual([]);
    expect(outcome.gaps).toBe(0);
  });
});
