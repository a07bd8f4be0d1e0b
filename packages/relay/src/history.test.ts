import { describe, expect, it } from 'vitest';
import { postgresFolder, redisBinary, startPostgres, startRedis } from './testing/engines.ts';
import { cluster, oneRelay, relaysOn } from './testing/history/deployment.ts';
import {
  clockFaults,
  clusterFaults,
  killedHalfway,
  mutants,
  networkFaults,
  postgresReadOnly,
  processFaults,
  redisReadOnly,
} from './testing/history/faults.ts';
import { type Outcome, runScenario } from './testing/history/scenario.ts';
import { afterThisTest, temporaryFolder } from './testing/relay-fixture.ts';

/** The short versions; `npm run soak -- relay` runs the long ones. */

function expectKept({ violations, acknowledged, sent }: Outcome, atLeast: number): void {
  expect(violations.slice(0, 10)).toEqual([]);
  expect(acknowledged).toBe(sent);
  expect(sent).toBeGreaterThan(atLeast);
}

describe('the history of a room at one relay', { timeout: 120_000 }, () => {
  const { killed, stopped } = processFaults;

  it('holds every promise through kills, stops and a bad network', async () => {
    const faults = [killed, ...Object.values(networkFaults), killed, stopped, killed];
    const outcome = await runScenario(oneRelay({ dataDir: temporaryFolder() }), faults);
    expectKept(outcome, 500);
    expect(outcome.connects).toBeGreaterThan(4 * 5);
  });

  it('holds them with members who push twice, in another order, and what was acknowledged long ago', async () => {
    const faults = [killed, networkFaults.cut, networkFaults.slowed];
    expectKept(await runScenario(oneRelay({ dataDir: temporaryFolder() }), faults, { unruly: true }), 200);
  });

  it('holds them when the clock jumps by an hour, ahead and back', async () => {
    const running = oneRelay({ dataDir: temporaryFolder() });
    const outcome = await runScenario(running, [clockFaults['while the relay runs']], { rate: 100 });
    expectKept(outcome, 300);
    // Nobody was told of frames that were given up as too old.
    expect(outcome.gaps).toBe(0);
    const restarted = oneRelay({ dataDir: temporaryFolder() });
    expectKept(await runScenario(restarted, [clockFaults['while it is stopped']], { rate: 100 }), 50);
  });

  it.each(mutants)('shows when the relay breaks one: $name', async (mutant) => {
    const outcome = await runScenario(oneRelay({ dataDir: temporaryFolder(), mutant }), [killed, killed]);
    expect(outcome.violations).not.toEqual([]);
  });
});

const available = { redis: redisBinary(), postgres: postgresFolder() };

describe.each(['redis', 'postgres'] as const)(
  'the history of a room at two relays on one %s',
  { timeout: 120_000 },
  (database) => {
    it.skipIf(!available[database])('holds every promise while relays and the database are killed and restarted', async () => {
      const outcome = await runScenario(cluster(database, 2), Object.values(clusterFaults), { rate: 200, unruly: true });
      expectKept(outcome, 200);
      for (const name of ['relay-1', 'relay-2', database]) expect(outcome.relayOutput).toContain(`${name}  ended with`);
    });

    it.skipIf(!available[database])('is the same for everyone when many send at once and a relay is killed', async () => {
      const outcome = await runScenario(cluster(database, 2), [killedHalfway], { burst: 1000 });
      expectKept(outcome, 999);
      expect(outcome.connects).toBeGreaterThan(4);
    });
  },
);

const engines = {
  redis: { start: startRedis, readOnly: redisReadOnly },
  postgres: { start: startPostgres, readOnly: postgresReadOnly },
};

describe.each(['redis', 'postgres'] as const)(
  'the history of a room while a %s is read-only',
  { timeout: 60_000 },
  (database) => {
    it.skipIf(!available[database])('has refusals, and no losses', async () => {
      const { start, readOnly } = engines[database];
      const engine = await start();
      afterThisTest(() => engine.dispose());
      const fault = readOnly(engine.url);
      const outcome = await runScenario(relaysOn(engine, 2, temporaryFolder()), [fault, fault]);
      expectKept(outcome, 100);
      expect(outcome.refused).toBeGreaterThan(10);
    });
  },
);
