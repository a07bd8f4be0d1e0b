import { setTimeout as sleep } from 'node:timers/promises';
import { newRoom, type RoomSecrets } from '../client.ts';
import { type Forbidden, findLeaks } from '../leaks.ts';
import { checkHistory } from './check.ts';
import type { Deployment } from './deployment.ts';
import { CLIENTS_FROM } from './network.ts';
import { Recorder } from './recorder.ts';

/** Longest wait for members to get somewhere. */
const GIVE_UP_MS = 10_000;
/** Pushes a member has on their way at a time; in a burst, as many as the relay's limits allow. */
const WINDOW = 64;
const BURST_WINDOW = 512;
/** What members write, so that it can be looked for. */
const WORDS = 'behind the old mill';

export interface ScenarioOptions {
  members?: number;
  /** Sends a second, all members together. */
  rate?: number;
  /** Instead: so many sends at once. */
  burst?: number;
  /** Members push again what was acknowledged, push twice, and in another order. */
  unruly?: boolean;
  /** The relays promise less than to survive this: a new epoch is allowed to announce a loss. */
  mayForget?: boolean;
}

/** What a fault can do. */
export interface Stage extends Omit<Deployment, 'close' | 'output' | 'traces'> {
  recorders: readonly Recorder[];
  /** Lets members go on for so long. */
  go(ms: number): Promise<void>;
  /** Lets members go on until something was seen. Gives up in the end: what it means is for the checker to say. */
  until(condition: () => boolean): Promise<void>;
}

export type Fault = (stage: Stage) => Promise<void>;

export interface Outcome {
  violations: string[];
  sent: number;
  acknowledged: number;
  /** Pushes that were answered with a refusal, and pushed again. */
  refused: number;
  connects: number;
  /** Times a member was told that frames were lost to it. */
  gaps: number;
  epochs: number;
  relayOutput: string;
}

/** Runs members against real relays while faults happen, lets everything settle, and checks what was written down. */
export async function runScenario(
  starting: Promise<Deployment>,
  faults: readonly Fault[],
  { members = 4, rate = 400, burst, unruly = false, mayForget = false }: ScenarioOptions = {},
): Promise<Outcome> {
  const deployment = await starting;
  const { networks } = deployment;
  const urls = networks.map(({ url }) => url);
  const room = newRoom();
  const recorders = Array.from({ length: members }, (_, i) => {
    // Spread over the relays; each goes on to the next when its own is gone.
    const own = urls.map((_, at) => urls[(i + at) % urls.length]!);
    const window = burst === undefined ? WINDOW : BURST_WINDOW;
    return new Recorder({ urls: own, room, capacity: members, unruly, window });
  });
  // A promise that is broken stays broken: nothing is gained by waiting.
  const broken = () => recorders.some(({ broken, epochs }) => broken.length > 0 || (!mayForget && epochs.length > 1));
  const until = (condition: () => boolean) => waitFor(() => condition() || broken());
  let leaks: string[] = [];
  try {
    // One after the other: a member who joins later was not there for what came before.
    for (const recorder of recorders) {
      recorder.start();
      await until(() => recorder.epoch !== undefined);
    }
    const sending = burst === undefined ? send(recorders, rate) : sendAtOnce(recorders, burst);
    for (const fault of faults) {
      // Else the next one would come before anyone noticed the last.
      await until(() => recorders.every(({ joined }) => joined));
      await fault({ ...deployment, recorders, until, go: (ms) => sleep(ms) });
    }
    sending.stop();
    for (const network of networks) network.calm();
    await settle(recorders, broken);
    leaks = await findLeaks(await deployment.traces(), forbidden(room, recorders));
  } finally {
    await Promise.all(recorders.map((recorder) => recorder.stop()));
    await deployment.close();
  }
  const all = recorders.flatMap(({ sent }) => [...sent.values()]);
  const sum = (count: (recorder: Recorder) => number) => recorders.reduce((total, recorder) => total + count(recorder), 0);
  const acknowledged = all.filter(({ seq }) => seq !== undefined).length;
  const violations = [...checkHistory(recorders, { mayForget }), ...leaks];
  if (acknowledged < all.length) violations.push(`${all.length - acknowledged} pushes were never acknowledged`);
  return {
    violations,
    sent: all.length,
    acknowledged,
    refused: sum(({ refused }) => refused),
    connects: sum(({ connects }) => connects),
    gaps: sum(({ told }) => told.filter(({ kind }) => kind === 'gap').length),
    epochs: new Set(recorders.flatMap(({ epochs }) => epochs)).size,
    relayOutput: deployment.output(),
  };
}

/** What the relays were shown, and are to have forgotten. */
function forbidden({ room, token, endToken }: RoomSecrets, recorders: readonly Recorder[]): Forbidden {
  const shown = {
    room,
    token,
    endToken,
    ...Object.fromEntries(recorders.map(({ seatSecret }, i) => [`secret of seat ${i}`, seatSecret])),
  };
  const anywhere = new Map<string, Uint8Array>([['address of the members', Buffer.from(CLIENTS_FROM)]]);
  for (const [name, text] of Object.entries(shown)) {
    anywhere.set(name, Buffer.from(text, 'base64url'));
    anywhere.set(`${name}, as text`, Buffer.from(text));
  }
  return { anywhere, outsideBodies: new Map([['what members wrote', Buffer.from(WORDS)]]) };
}

function send(recorders: readonly Recorder[], rate: number) {
  let count = 0;
  const began = performance.now();
  const timer = setInterval(() => {
    while (count < ((performance.now() - began) * rate) / 1000) sendOne(recorders, count++);
  }, 5);
  return { stop: () => clearInterval(timer) };
}

function sendAtOnce(recorders: readonly Recorder[], burst: number) {
  for (let count = 0; count < burst; count++) sendOne(recorders, count);
  return { stop: () => {} };
}

function sendOne(recorders: readonly Recorder[], count: number): void {
  recorders[count % recorders.length]!.send(Buffer.from(`${WORDS} ${count}`.padEnd(100 + (count % 400))));
}

/** Everything sent is acknowledged, and everyone is where everyone else is. Gives up when nothing moves any more. */
async function settle(recorders: readonly Recorder[], broken: () => boolean): Promise<void> {
  const state = () => JSON.stringify(recorders.map(({ waiting, seq, epoch }) => [waiting, seq, epoch]));
  // Acknowledgements come first: a frame may be safe and still on its way.
  const head = () => Math.max(...recorders.map(({ acknowledgedUpTo }) => acknowledgedUpTo));
  const together = () => new Set(recorders.map(({ epoch }) => epoch)).size === 1;
  const settled = () => together() && recorders.every(({ waiting, seq }) => waiting === 0 && seq >= head());
  let before = state();
  const began = performance.now();
  let since = began;
  // A broken relay may keep its members busy for ever.
  while (!settled() && !broken() && performance.now() - began < 3 * GIVE_UP_MS) {
    await sleep(20);
    const now = state();
    if (now !== before) since = performance.now();
    else if (performance.now() - since > GIVE_UP_MS) return;
    before = now;
  }
}

async function waitFor(condition: () => boolean): Promise<void> {
  const began = performance.now();
  while (!condition() && performance.now() - began < GIVE_UP_MS) await sleep(5);
}
