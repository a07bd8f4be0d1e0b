import { setImmediate as turn } from 'node:timers/promises';
import type { RelayLimits } from '@qsec2/sdk/wire';
import { expect, it } from 'vitest';
import { steadyClock } from '../clock.ts';
import type { EventRecorder } from '../events/recorder.ts';
import { Hasher } from '../hashes.ts';
import { Metrics } from '../metrics.ts';
import { CONTRACT_LIMITS } from '../store/contract.ts';
import { LocalStore } from '../store/local/local-store.ts';
import { MemoryJournal } from '../store/local/memory-journal.ts';
import type { Watcher } from '../store/store.ts';
import { newRoom, random16, random32 } from '../testing/client.ts';
import { recordingObserver } from '../testing/observer.ts';
import { frameOf, RecordedLink } from '../testing/recorded-link.ts';
import { Hub } from './hub.ts';

const seat = random16();
const hasher = new Hasher('a pepper for these tests');
const clock = steadyClock();
const events = { joined() {}, record() {}, relayed() {} } as unknown as EventRecorder;

/** A store that others write to as well: what it does while a hub begins to watch is for the test to say. */
class SharedStore extends LocalStore {
  watcher: Watcher | undefined;
  meanwhile: () => Promise<void> = async () => {};

  override async watch(room: string, watcher: Watcher): Promise<{ head: number }> {
    this.watcher = watcher;
    const answer = await super.watch(room, watcher);
    await this.meanwhile();
    return answer;
  }
}

const frame = (seq = 0) => frameOf(seq, {}, seat);

async function room() {
  const store = new SharedStore(new MemoryJournal(), clock, CONTRACT_LIMITS, recordingObserver().observer);
  const limits = { frameBytes: 1000, inFlightFrames: 10, inFlightBytes: 10_000 } as RelayLimits;
  const failed = (error: unknown) => {
    throw error;
  };
  const hub = new Hub({
    store,
    clock,
    hasher,
    events,
    metrics: new Metrics(),
    limits,
    awayAfterMs: 0,
    onError: failed,
    onCutLate: failed,
  });
  const secrets = newRoom();
  const key = hasher.name('room', secrets.room);
  const terms = { tokenHash: hasher.secret('token', secrets.token), endTokenHash: Buffer.alloc(32), capacity: 2 };
  const { epoch } = (await store.create(key, terms)) as { epoch: string };
  await store.takeSeat(key, { seat, secretHash: Buffer.alloc(32), holder: 'elsewhere.1' });
  const link = new RecordedLink();
  const join = async () => {
    const request = { ...secrets, seat: random16(), seatSecret: random32(), since: { epoch, seq: 0 } };
    const joined = await hub.join(link, request);
    if ('code' in joined) throw new Error(joined.code);
    await joined.member.start();
  };
  return { store, key, link, join, append: () => store.append([{ room: key, frame: frame() }]) };
}

it('a member is sent what others placed while the relay began to watch the room', async () => {
  const { store, link, join, append } = await room();
  store.meanwhile = async () => {
    await append();
    await append();
    await turn();
    await turn();
  };
  await join();
  await append();
  await turn();
  await turn();
  expect(link.seqs).toEqual([1, 2, 3]);
  expect(link.gaps).toEqual([]);
});

it('a member is told of places that were given up before the relay had read them', async () => {
  const { store, link, join, append } = await room();
  await join();
  await append();
  store.watcher!.frames([frame(5), frame(6)]);
  await turn();
  await turn();
  expect(link.seqs).toEqual([1, 5, 6]);
  expect(link.gaps).toEqual([{ from: 2, to: 4 }]);
  expect(link.batches.map(({ from, to }) => [from, to])).toEqual([
    [1, 1],
    [5, 6],
  ]);
});
