import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChildRelay } from '../child-relay.ts';
import type { RoomSecrets } from '../client.ts';
import { CLIENTS_FROM } from '../history/network.ts';
import { type Forbidden, findLeaks } from '../leaks.ts';
import { inMiB, type Memory, measured, memoryAtRest } from '../memory.ts';
import { busy, Cycles } from './cycles.ts';
import { Fuzz, fuzzed } from './fuzz.ts';

const INPUTS = 1_000_000;
const CYCLES = 100_000;
/** So many before the memory is looked at for the first time: code is compiled, caches are full. */
const WARM_UP = 0.1;
/** Looked at so many times from then on. */
const READINGS = 4;
/** What is kept may be so much more at the end than after the warm-up, and what is resident than half-way. */
const MAY_GROW = 1.1;

const WORDS = ['Ana of the lighthouse', 'Forged line\r\n{"level":30,"msg":"all is well"}', '\u001b[2Jbehind the old mill'];

/** The long versions of the attacks on a relay process. */
export const attacks = { fuzz, cycles };

async function fuzz(): Promise<void> {
  const seed = randomInt(2 ** 31);
  console.log(`          fuzzing with seed ${seed}`);
  await withRelay(fuzzed, async (relay, folder) => {
    const campaign = new Fuzz(relay, { seed, words: WORDS, localAddress: CLIENTS_FROM });
    const memory = await readings(relay, INPUTS, (until) => campaign.run(until));
    const { inputs, connections, conversations } = campaign;
    const served = `${inputs} inputs over ${connections} connections, meanwhile ${conversations} conversations of an honest pair`;
    await report(relay, folder, served, memory, campaign.rooms);
  });
}

async function cycles(): Promise<void> {
  await withRelay(busy, async (relay, folder) => {
    const visits = new Cycles(relay, { localAddress: CLIENTS_FROM });
    await visits.open();
    const memory = await readings(relay, CYCLES, (until) => visits.run(until));
    await report(relay, folder, `${visits.count} times connected and left`, memory, visits.rooms);
    visits.close();
  });
}

/** The memory after the warm-up, and at as many points until all are over. */
async function readings(relay: ChildRelay, total: number, run: (until: number) => Promise<void>): Promise<Memory[]> {
  const memory: Memory[] = [];
  for (let reading = 0; reading <= READINGS; reading++) {
    await run(total * (WARM_UP + reading / READINGS));
    memory.push(await memoryAtRest(relay));
  }
  return memory;
}

async function withRelay(env: Record<string, string>, work: (relay: ChildRelay, folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'qsec2-soak-'));
  const relay = await ChildRelay.start(folder, { ...env, ...measured });
  try {
    await work(relay, folder);
  } finally {
    await relay.stop('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Nothing grew, nothing is known, and the relay stops in good order. */
async function report(
  relay: ChildRelay,
  folder: string,
  what: string,
  memory: readonly Memory[],
  rooms: readonly RoomSecrets[],
): Promise<void> {
  const leaks = await findLeaks({ folders: [folder], said: await relay.said() }, forbidden(rooms[0]!));
  if (leaks.length > 0) throw new Error(`${what}: ${leaks.slice(0, 5).join('; ')}`);
  const [first, half, last] = [memory[0]!, memory[READINGS / 2]!, memory[READINGS]!];
  const course = memory.map(inMiB).join(' → ');
  if (last.heap > first.heap * MAY_GROW || last.rss > half.rss * MAY_GROW) throw new Error(`${what}: memory grew, ${course}`);
  const code = await relay.stop('SIGTERM');
  if (code !== 0) throw new Error(`${what}: the relay ended with ${code}`);
  console.log(`holds     ${what}: ${course}; no payload, secret or address in what it has`);
}

function forbidden(shown: RoomSecrets): Forbidden {
  const secrets = Object.entries(shown).map(([name, text]): [string, Buffer] => [name, Buffer.from(text, 'base64url')]);
  return {
    anywhere: new Map([['address of the clients', Buffer.from(CLIENTS_FROM)], ...secrets]),
    outsideBodies: new Map(WORDS.map((words) => [JSON.stringify(words), Buffer.from(words)])),
  };
}
