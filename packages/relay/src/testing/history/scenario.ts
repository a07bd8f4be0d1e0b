import { setTimeout as sleep } from 'node:timers/promises';
import { ChildRelay, type Mutant } from '../child-relay.ts';
import { newRoom } from '../client.ts';
import { checkHistory } from './check.ts';
import { FaultyNetwork } from './network.ts';
import { Recorder } from './recorder.ts';

/** Longest wait for members to get somewhere. */
const GIVE_UP_MS = 10_000;

export interface ScenarioOptions {
  dataDir: string;
  members?: number;
  /** Sends a second, all members together. */
  rate?: number;
  env?: Record<string, string>;
  mutant?: Mutant;
}

/** What a fault can do. */
export interface Stage {
  network: FaultyNetwork;
  /** Ends the relay by a signal and starts another one on the same data. */
  restart(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Lets members go on for so long. */
  go(ms: number): Promise<void>;
}

export type Fault = (stage: Stage) => Promise<void>;

export interface Outcome {
  violations: string[];
  sent: number;
  acknowledged: number;
  connects: number;
  relayOutput: string;
}

/** Runs members against a real relay while faults happen, lets everything settle, and checks what was written down. */
export async function runScenario(options: ScenarioOptions, faults: readonly Fault[]): Promise<Outcome> {
  const { dataDir, members = 4, rate = 400, env = {}, mutant } = options;
  const generous = { RELAY_RATE_CONNECTIONS: '100000', RELAY_RATE_CONTROL: '100000', RELAY_RATE_FRAMES: '100000' };
  const start = () => ChildRelay.start(dataDir, { ...generous, ...env }, mutant);
  const output: string[] = [];
  let relay = await start();
  const network = await FaultyNetwork.open();
  const restart = async (signal: 'SIGKILL' | 'SIGTERM') => {
    await relay.stop(signal);
    output.push(...relay.output);
    relay = await start();
    network.target = Number(new URL(relay.url).port);
  };
  network.target = Number(new URL(relay.url).port);
  const room = newRoom();
  const recorders = Array.from({ length: members }, () => new Recorder(network.url, room, members));
  try {
    // One after the other: a member who joins later was not there for what came before.
    for (const recorder of recorders) {
      recorder.start();
      await until(() => recorder.epoch !== undefined);
    }
    const sending = send(recorders, rate);
    for (const fault of faults) {
      // Else the next one would come before anyone noticed the last. A relay that is broken may never get there.
      await until(() => recorders.every(({ joined }) => joined));
      await fault({ network, restart, go: (ms) => sleep(ms) });
    }
    sending.stop();
    network.weather = 'fair';
    network.hold(false);
    await settle(recorders);
  } finally {
    await Promise.all(recorders.map((recorder) => recorder.stop()));
    network.close();
    await relay.stop('SIGKILL');
    output.push(...relay.output);
  }
  const all = recorders.flatMap(({ sent }) => [...sent.values()]);
  return {
    violations: checkHistory(recorders),
    sent: all.length,
    acknowledged: all.filter(({ seq }) => seq !== undefined).length,
    connects: recorders.reduce((sum, { connects }) => sum + connects, 0),
    relayOutput: output.join('\n'),
  };
}

function send(recorders: readonly Recorder[], rate: number) {
  let count = 0;
  const began = performance.now();
  const timer = setInterval(() => {
    while (count < ((performance.now() - began) * rate) / 1000) {
      recorders[count % recorders.length]!.send(Buffer.from(`frame ${count}`.padEnd(100 + (count % 400))));
      count++;
    }
  }, 5);
  return { stop: () => clearInterval(timer) };
}

/** Everything sent is acknowledged, and everyone is where everyone else is. Gives up when nothing moves any more. */
async function settle(recorders: readonly Recorder[]): Promise<void> {
  const state = () => JSON.stringify(recorders.map(({ waiting, seq, epoch }) => [waiting, seq, epoch]));
  // Acknowledgements come first: a frame may be safe and still on its way.
  const head = () => Math.max(...recorders.map(({ acknowledgedUpTo }) => acknowledgedUpTo));
  const settled = () => recorders.every(({ waiting, seq }) => waiting === 0 && seq >= head());
  let before = state();
  const began = performance.now();
  let since = began;
  // A broken relay may keep its members busy for ever.
  while (!settled() && performance.now() - began < 3 * GIVE_UP_MS) {
    await sleep(20);
    const now = state();
    if (now !== before) since = performance.now();
    else if (performance.now() - since > GIVE_UP_MS) return;
    before = now;
  }
}

async function until(condition: () => boolean): Promise<void> {
  const began = performance.now();
  while (!condition() && performance.now() - began < GIVE_UP_MS) await sleep(5);
}
