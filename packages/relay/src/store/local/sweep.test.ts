import { randomBytes } from 'node:crypto';
import { encodePushes } from '@qsec2/sdk/wire';
import { expect, it } from 'vitest';
import { frameFromPush } from '../../frames/item.ts';
import { parsePushes } from '../../frames/parse-pushes.ts';
import { movableClock, recordingObserver } from '../../testing/observer.ts';
import { afterThisTest } from '../../testing/relay-fixture.ts';
import { CONTRACT_LIMITS } from '../contract.ts';
import type { Watcher } from '../store.ts';
import { LocalStore } from './local-store.ts';
import { MemoryJournal } from './memory-journal.ts';

const ROOMS = 40;
const random = () => randomBytes(16).toString('base64url');

const watcher: Watcher = {
  lowestCursor: () => Number.POSITIVE_INFINITY,
  frames: () => {},
  transient: () => {},
  seatsChanged: () => {},
  renewed: () => {},
  ended: () => {},
};

/** Counts commits, and refuses those that touch one room. */
class Watched extends MemoryJournal {
  commits = 0;
  refused: string | undefined;

  override commit(changes: () => void): void {
    this.commits++;
    super.commit(changes);
  }

  override saveRoom(...args: Parameters<MemoryJournal['saveRoom']>): void {
    if (args[0].key === this.refused) throw new Error('this room cannot be written');
    super.saveRoom(...args);
  }
}

/** Rooms in use, each with a frame that everyone has received. */
async function busyRooms() {
  const journal = new Watched();
  const { observer } = recordingObserver();
  const failures: unknown[] = [];
  observer.failed = (error) => failures.push(error);
  const store = new LocalStore(journal, movableClock(), { ...CONTRACT_LIMITS, maxRooms: ROOMS }, observer);
  afterThisTest(() => store.close());
  const rooms = Array.from({ length: ROOMS }, random);
  for (const room of rooms) {
    await store.create(room, { tokenHash: randomBytes(32), endTokenHash: randomBytes(32), capacity: 2 });
    await store.watch(room, watcher);
    const seat = random();
    await store.takeSeat(room, { seat, secretHash: randomBytes(32), holder: 'node.1' });
    const bytes = Buffer.from(encodePushes([{ cid: randomBytes(16), body: Buffer.from('text') }]));
    const frame = frameFromPush(bytes, parsePushes(bytes)![0]!, Buffer.from(seat, 'base64url'), seat, 0);
    await store.append([{ room, frame }]);
    store.received(room, seat, 1);
  }
  const kept = async () => {
    let frames = 0;
    for (const room of rooms) frames += (await store.read(room, 0, 1000)).frames.length;
    return frames;
  };
  return { journal, store, rooms, failures, kept };
}

it('many rooms are swept in few commits, and frames get their turn in between', async () => {
  const { journal, store, kept } = await busyRooms();
  const before = journal.commits;
  let turns = 0;
  const turn = () => {
    turns++;
    timer = setImmediate(turn);
  };
  let timer = setImmediate(turn);
  afterThisTest(() => clearImmediate(timer));
  await store.sweep();
  expect(await kept()).toBe(0);
  expect(journal.commits - before).toBeLessThan(ROOMS);
  expect(turns).toBeGreaterThan(2);
});

it('a room that cannot be written keeps none of the others from being swept', async () => {
  const { journal, store, rooms, failures, kept } = await busyRooms();
  journal.refused = rooms[3];
  const saved: string[] = [];
  const { saveRoom } = journal;
  journal.saveRoom = (room, due) => {
    saveRoom.call(journal, room, due);
    saved.push(room.key);
  };
  await store.sweep();
  expect(failures).toHaveLength(1);
  expect(new Set(saved)).toEqual(new Set(rooms.filter((room) => room !== rooms[3])));
  journal.refused = undefined;
  expect(await kept()).toBe(0);
});
