import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parsePushes } from '../../frames/parse-pushes.ts';
import { requests } from '../../gateway/requests.ts';
import { faults, mutants } from './faults.ts';
import { type Fault, runScenario, type ScenarioOptions } from './scenario.ts';

const KILLS = 50;
const INPUTS = 1_000_000;

/** Runs everything. Throws at the first promise that is broken. */
export async function soak(): Promise<void> {
  const { killed, stopped, ...network } = faults;
  const kills = Array.from({ length: KILLS }, (_, i) => (i % 2 ? stopped : killed));
  await holds(`${KILLS} kills and stops in mid-stream`, kills);
  await holds('kills and stops that wait for the disk', kills.slice(0, 10), { env: { RELAY_DURABILITY: 'fsync' } });
  const weather = Object.values<Fault>(network);
  await holds('a bad network', Array.from({ length: 4 }, () => weather).flat());
  for (const mutant of mutants) {
    const { violations } = await inFolder((dataDir) => runScenario({ dataDir, mutant }, [killed, killed, killed]));
    if (violations.length === 0) throw new Error(`the checker found nothing wrong with: ${mutant.name}`);
    console.log(`caught    ${mutant.name}`);
  }
  fuzz();
}

async function holds(name: string, faultsInTurn: readonly Fault[], options: Partial<ScenarioOptions> = {}): Promise<void> {
  const outcome = await inFolder((dataDir) => runScenario({ dataDir, ...options }, faultsInTurn));
  const { violations, sent, acknowledged, connects } = outcome;
  if (violations.length > 0) throw new Error(`${name}: ${violations.slice(0, 5).join('; ')}`);
  console.log(
    `holds     ${name}: ${sent} sent, ${acknowledged} acknowledged, ${connects} connections, nothing lost, nothing twice`,
  );
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'qsec2-soak-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A million inputs for the validators: every one is answered, none throws, and memory stays where it is. */
function fuzz(): void {
  const validators = Object.values(requests);
  const before = process.memoryUsage().heapUsed;
  let accepted = 0;
  for (let i = 0; i < INPUTS; i++) {
    const bytes = Buffer.allocUnsafe(i % 97);
    for (let at = 0; at < bytes.length; at++) bytes[at] = Math.random() < 0.5 ? 0 : Math.random() * 256;
    if (parsePushes(bytes)) accepted++;
    const value = { room: bytes.toString('latin1'), upTo: Math.random() < 0.5 ? i : bytes[0], kind: bytes[1], capacity: i % 20 };
    if (validators[i % validators.length]!(i % 7 === 0 ? bytes[0] : value)) accepted++;
  }
  const grown = (process.memoryUsage().heapUsed - before) / 2 ** 20;
  if (grown > 64) throw new Error(`memory grew by ${grown.toFixed(0)} MiB`);
  console.log(`holds     ${INPUTS} inputs: ${accepted} had the shape of a message, none did harm`);
}
