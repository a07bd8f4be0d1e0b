import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { buildLab, type Edit, type Lab } from './support/lab.ts';
import { enter, gather, pair, textsAt, until } from './support/people.ts';

/** The relay drops what it likes and numbers the rest without a hole. */

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], shouldAdvanceTime: true });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets seconds pass; cryptography runs on other threads and knows no false clock, so that it is given turns in between. */
async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    await vi.advanceTimersByTimeAsync(1_000);
    for (let turn = 0; turn < 12; turn++) await crypto.subtle.digest('SHA-256', new Uint8Array(1));
  }
}

/** Two heartbeats, their spread, and some more. */
const LONG_ENOUGH = 60;

const DEAF: Edit = {
  file: 'room/heartbeats.ts',
  find: 'async receive(from: Peer, { heads, roster }: Heartbeat): Promise<void> {',
  put: 'async receive(from: Peer, { heads, roster }: Heartbeat): Promise<void> { if (true) return;',
};

/** Ana writes to Bo; the relay loses the frame, and the first `repetitions` of it. What Bo shows after some heartbeats. */
async function dropMessage(lab: Lab, repetitions = 0): Promise<string[]> {
  const relay = new lab.testing.HostileRelay();
  const { ana, bo } = await pair(lab, relay);
  await pass(2);
  const atBo = textsAt(bo);
  const [anas = ''] = relay.seatsOf(relay.rooms[0] as string);
  let left = repetitions;
  relay.attack({
    tamper: (frame) => {
      const type = lab.testing.outerType(frame.body);
      // Nothing else goes from Ana to Bo alone while nobody comes, goes or writes.
      const repetition = type === 'pair' && frame.from === anas && left > 0 && left-- > 0;
      return (type === 'group' && !frame.transient) || repetition ? [] : [frame];
    },
  });
  await ana.send('dropped on the way');
  for (let waited = 0; waited < LONG_ENOUGH * (1 + repetitions) && atBo.length === 0; waited += 5) await pass(5);
  return atBo;
}

describe('a message that the relay drops', () => {
  it('comes again within two heartbeats', async () => {
    expect(await dropMessage(await buildLab())).toEqual(['dropped on the way']);
  });

  it('comes again once more when its repetition is dropped, too', async () => {
    expect(await dropMessage(await buildLab(), 1)).toEqual(['dropped on the way']);
  });

  it('would be gone without a trace, if nobody listened to heartbeats', async () => {
    expect(await dropMessage(await buildLab({ edits: [DEAF] }))).toEqual([]);
  });
});

/** The relay cuts Ana off from Cy, who still hears Bo; the gaps that Cy is told of. */
async function partition(lab: Lab): Promise<number[]> {
  const relay = new lab.testing.HostileRelay();
  const rooms = await gather(lab, relay, ['Ana', 'Bo', 'Cy']);
  const [ana, bo, cy] = rooms;
  if (!ana || !bo || !cy) throw new Error('three are in the room');
  await pass(2);
  const gaps: number[] = [];
  cy.on('gap', ({ missing }) => gaps.push(missing));
  const [anas = '', , cys = ''] = relay.seatsOf(relay.rooms[0] as string);
  relay.attack({ tamper: (frame) => (frame.from === anas && frame.to === cys ? [] : [frame]) });
  const atBo = bo.once('message');
  await ana.send('not for Cy');
  await atBo;
  for (let waited = 0; waited < 2 * LONG_ENOUGH && gaps.length === 0; waited += 5) await pass(5);
  return gaps;
}

describe('a member whom the relay cuts off from another', () => {
  it('learns that it misses something', async () => {
    expect(await partition(await buildLab())).toEqual([1]);
  });

  it('would not, if nobody listened to heartbeats', async () => {
    expect(await partition(await buildLab({ edits: [DEAF] }))).toEqual([]);
  });
});

/** Ana lets Bo in; the relay loses the frame that says so. Whether Bo ever gets in. */
async function dropAdmission(lab: Lab): Promise<boolean> {
  const relay = new lab.testing.HostileRelay();
  const ana = await enter(lab, relay, { name: 'Ana', capacity: 3, join: 'approve' });
  const bo = await enter(lab, relay, { name: 'Bo', invite: ana.invite });
  await until(ana, () => ana.members.length === 1);
  let left = 1;
  const [anas = ''] = relay.seatsOf(relay.rooms[0] as string);
  relay.attack({
    tamper: (frame) => {
      const lost = frame.from === anas && lab.testing.outerType(frame.body) === 'pair' && left-- > 0;
      return lost ? [] : [frame];
    },
  });
  const [newcomer] = ana.members;
  if (newcomer) await ana.approve(newcomer);
  for (let waited = 0; waited < LONG_ENOUGH && bo.state !== 'secure'; waited += 5) await pass(5);
  return bo.state === 'secure';
}

describe('an admission that the relay drops', () => {
  it('comes again', async () => {
    expect(await dropAdmission(await buildLab())).toBe(true);
  });

  it('would leave the newcomer outside, if nobody waited for an answer', async () => {
    const edit: Edit = {
      file: 'room/order-post.ts',
      find: 'if (this.#waiting.get(key) !== waiting) return;',
      put: 'if (true) return;',
    };
    expect(await dropAdmission(await buildLab({ edits: [edit] }))).toBe(false);
  });
});
