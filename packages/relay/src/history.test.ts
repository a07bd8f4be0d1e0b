import { describe, expect, it } from 'vitest';
import { faults, mutants } from './testing/history/faults.ts';
import { runScenario } from './testing/history/scenario.ts';
import { temporaryFolder } from './testing/relay-fixture.ts';

/** The short version; `npm run soak -- relay` runs the long one. */
describe('the history of a room', () => {
  it('holds every promise through kills, stops and a bad network', { timeout: 120_000 }, async () => {
    const { killed, stopped, ...network } = faults;
    const outcome = await runScenario({ dataDir: temporaryFolder() }, [
      killed,
      ...Object.values(network),
      killed,
      stopped,
      killed,
    ]);
    expect(outcome.violations.slice(0, 10)).toEqual([]);
    expect(outcome.acknowledged).toBe(outcome.sent);
    expect(outcome.sent).toBeGreaterThan(500);
    expect(outcome.connects).toBeGreaterThan(4 * 5);
  });

  it.each(mutants)('shows when the relay breaks one: $name', { timeout: 120_000 }, async (mutant) => {
    const { killed } = faults;
    const outcome = await runScenario({ dataDir: temporaryFolder(), mutant }, [killed, killed]);
    expect(outcome.violations).not.toEqual([]);
  });
});
