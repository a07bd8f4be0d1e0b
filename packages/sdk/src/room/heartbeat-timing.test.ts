import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Emitter } from '../events.ts';
import type { RoomContext } from './context.ts';
import { Heads } from './heads.ts';
import { Heartbeats } from './heartbeats.ts';
import type { Membership } from './membership.ts';
import type { Peer } from './peer.ts';
import { hex } from './text.ts';
import type { RoomEvents } from './types.ts';

/** Heartbeats apart from any room: when they are sent, and what those of others are taken for. */

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const ROSTER = new Uint8Array(32);
const OTHER_ROSTER = new Uint8Array(32).fill(1);
const OWN = new Uint8Array(16);

const person = (number: number): Peer => {
  const fingerprint = new Uint8Array(16).fill(number);
  return { fingerprint, id: hex(fingerprint), epoch: 1, presence: 'present', trusted: true } as unknown as Peer;
};

function room() {
  const [bo, cleo] = [person(1), person(2)];
  const heads = new Map([bo, cleo].map(({ id }) => [id, new Heads()]));
  for (const each of heads.values()) each.begin(0);
  const log = { beats: 0, announced: [] as string[], told: [] as string[], gaps: [] as unknown[], resent: [] as unknown[] };
  const events = new Emitter<RoomEvents>();
  events.on('gap', (gap) => log.gaps.push(gap));
  const state = { lacking: false, rosterChangedAt: 0, epoch: 7, startedAt: new Date(0) };
  const membership = {
    peers: [bo, cleo],
    audience: [bo, cleo],
    ownFingerprint: OWN,
    rosterHash: () => ROSTER,
    get rosterChangedAt() {
      return state.rosterChangedAt;
    },
    epochs: {
      get number() {
        return state.epoch;
      },
      get startedAt() {
        return state.startedAt;
      },
      current: async () => ({ epoch: state.epoch, seal: async () => new Uint8Array(1) }),
    },
    announceAgain: async ({ id }: Peer) => void log.announced.push(id),
    tell: (kind: string, { id }: Peer) => log.told.push(`${kind} ${id}`),
  };
  const context = { events, enqueue: (task: () => Promise<void>) => void task(), push: () => void log.beats++ };
  const heartbeats = new Heartbeats(context as unknown as RoomContext, membership as unknown as Membership, {
    sent: () => 0,
    heads: (member) => heads.get(member) ?? new Heads(),
    overdue: (member) => [new Uint8Array([Number.parseInt(member.slice(0, 2), 16)])],
    resend: async ({ id }, contents) => void log.resent.push([id, contents.length]),
    lacking: () => state.lacking,
  });
  const hear = (from: Peer, about: Uint8Array<ArrayBuffer>, next: number, { epoch = 7, roster = ROSTER } = {}) =>
    heartbeats.receive(from, { kind: 'heartbeat', heads: [{ member: about, next, epoch }], roster });
  return { bo, cleo, log, state, heartbeats, hear };
}

describe('a heartbeat is sent', () => {
  it('every quarter of a minute while there is talk, give or take a fifth, and every minute without', async () => {
    const { log, heartbeats } = room();
    heartbeats.activity();
    for (let minute = 0; minute < 30; minute++) {
      heartbeats.activity();
      await vi.advanceTimersByTimeAsync(10_000);
    }
    expect(log.beats).toBeGreaterThanOrEqual(16);
    expect(log.beats).toBeLessThanOrEqual(25);
    await vi.advanceTimersByTimeAsync(120_000);
    const idle = log.beats;
    await vi.advanceTimersByTimeAsync(600_000);
    expect(log.beats - idle).toBeGreaterThanOrEqual(8);
    expect(log.beats - idle).toBeLessThanOrEqual(13);
    heartbeats.close();
    const end = log.beats;
    await vi.advanceTimersByTimeAsync(600_000);
    expect(log.beats).toBe(end);
  });

  it('sooner by who lacks something, less and less often, and no more once it came', async () => {
    const { log, state, heartbeats } = room();
    state.lacking = true;
    heartbeats.hurry();
    const at: number[] = [];
    for (let second = 1; second <= 31; second++) {
      const before = log.beats;
      await vi.advanceTimersByTimeAsync(1_000);
      if (log.beats > before) at.push(second);
    }
    expect(at).toEqual([1, 3, 7, 15, 30]);
    state.lacking = false;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(log.beats).toBe(5);
  });
});

describe('a heartbeat of another member', () => {
  it('that names an old epoch of ours gets our keys again, and what it should have confirmed', async () => {
    const { bo, log, hear } = room();
    await hear(bo, OWN, 0, { epoch: 7 });
    expect(log.announced).toEqual([]);
    await hear(bo, OWN, 0, { epoch: 6 });
    expect(log.announced).toEqual([bo.id]);
    expect(log.resent).toEqual([
      [bo.id, 1],
      [bo.id, 1],
    ]);
  });

  it('that never comes, where it is here, gets our keys again with ours, but not before it had the time to name them', async () => {
    const { bo, cleo, log, hear, state, heartbeats } = room();
    state.startedAt = new Date();
    await hear(bo, OWN, 0);
    await vi.advanceTimersByTimeAsync(17_900);
    await heartbeats.beat();
    expect(log.announced).toEqual([]);
    await vi.advanceTimersByTimeAsync(100);
    await heartbeats.beat();
    expect(log.announced).toEqual([cleo.id]);
  });

  it('that has more than we have, twice in a row, is a loss of who wrote it', async () => {
    const { bo, cleo, log, hear } = room();
    await hear(bo, cleo.fingerprint as Uint8Array<ArrayBuffer>, 2);
    expect(log.gaps).toEqual([]);
    await hear(bo, cleo.fingerprint as Uint8Array<ArrayBuffer>, 2);
    expect(log.gaps).toEqual([{ member: cleo, missing: 2 }]);
    await hear(bo, cleo.fingerprint as Uint8Array<ArrayBuffer>, 2);
    expect(log.gaps).toHaveLength(1);
    await hear(bo, new Uint8Array(16).fill(9), 5);
    await hear(bo, new Uint8Array(16).fill(9), 5);
    expect(log.gaps).toHaveLength(1);
  });

  it('that shows another room is told of once it lasts half a minute, once, and not while members come and go', async () => {
    const { bo, log, hear, state } = room();
    const differs = () => hear(bo, OWN, 0, { roster: OTHER_ROSTER });
    state.rosterChangedAt = Date.now();
    await differs();
    await vi.advanceTimersByTimeAsync(29_000);
    await differs();
    expect(log.told).toEqual([]);
    // Somebody came: from here on it counts anew.
    state.rosterChangedAt = Date.now();
    await vi.advanceTimersByTimeAsync(29_000);
    await differs();
    expect(log.told).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    await differs();
    expect(log.told).toEqual([`roster-inconsistent ${bo.id}`]);
    await vi.advanceTimersByTimeAsync(600_000);
    await differs();
    expect(log.told).toHaveLength(1);
    // Once it agrees, the next difference is a new one.
    await hear(bo, OWN, 0);
    await differs();
    await vi.advanceTimersByTimeAsync(30_000);
    await differs();
    expect(log.told).toHaveLength(2);
  });
});
