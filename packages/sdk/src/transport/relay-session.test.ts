import { describe, expect, it } from 'vitest';
import { encodeBatch, type Joined, type Reply } from '../wire/index.ts';
import { RelaySession } from './relay-session.ts';
import type { TransportHandlers } from './transport.ts';

const SEAT = new Uint8Array(16).fill(7);
const LIMITS = { frameBytes: 65_536, inFlightFrames: 64, inFlightBytes: 1_048_576, retentionMs: 60_000 };

const frame = (seq: number) =>
  encodeBatch({
    from: seq,
    to: seq,
    deliveries: [{ seq, time: 1, from: SEAT, cid: new Uint8Array(16).fill(seq), body: new Uint8Array([seq]), transient: false }],
  });

/** A relay that answers when the test says so. */
function sessionOf(since?: { epoch: string; seq: number }) {
  const told: string[] = [];
  let handlers: TransportHandlers | undefined;
  let answer: ((reply: Reply<Joined>) => void) | undefined;
  const session = new RelaySession({
    url: new URL('http://relay.test'),
    room: new Uint8Array(16),
    token: new Uint8Array(32),
    seat: SEAT,
    seatSecret: new Uint8Array(32),
    capacity: () => 2,
    create: false,
    ...(since && { since }),
    transport: (_, given) => {
      handlers = given;
      return {
        create: async () => ({ ok: { created: true } as never }),
        join: () =>
          new Promise((resolve) => {
            answer = resolve;
          }),
        leave: async () => {
          told.push('leave');
          return { ok: true };
        },
        end: async () => ({ ok: true }),
        push: () => void told.push('push'),
        recv: () => undefined,
        report: () => undefined,
        reconnect: () => undefined,
        close: () => undefined,
      };
    },
  });
  const up = new Promise<void>((resolve) =>
    session.on('up', () => {
      told.push('up');
      resolve();
    }),
  );
  session.on('frame', ({ seq }) => told.push(`frame ${seq}`));
  session.on('gap', ({ from, to }) => told.push(`gap ${from}-${to}`));
  session.on('presence', () => told.push('presence'));
  if (!handlers) throw new Error('the session uses its transport');
  const connected = handlers;
  connected.open();
  return {
    session,
    told,
    up,
    connected,
    joined: (joined: Partial<Joined>) =>
      answer?.({ ok: { epoch: 'AAAA', head: 0, floor: 0, members: [], limits: LIMITS, durability: 'wal', ...joined } }),
  };
}

describe('what comes right behind the answer to a join, in the same turn', () => {
  it('is no gap for a newcomer', async () => {
    const { told, up, connected, joined } = sessionOf();
    joined({ head: 41 });
    connected.batch(frame(42));
    connected.presence({ seat: 'BwcHBwcHBwcHBwcHBwcHBw', presence: 'present' });
    await up;
    expect(told).toEqual(['up', 'frame 42', 'presence']);
  });

  it('is no loss of what a room that the relay had forgotten begins with', async () => {
    const { told, up, connected, joined } = sessionOf({ epoch: 'old', seq: 90 });
    joined({ epoch: 'new', head: 1 });
    connected.batch(frame(1));
    await up;
    expect(told).toEqual(['up', 'frame 1']);
  });

  it('still tells a gap that is one', async () => {
    const { told, up, connected, joined } = sessionOf({ epoch: 'AAAA', seq: 5 });
    joined({ head: 9 });
    connected.batch(frame(8));
    await up;
    expect(told).toEqual(['up', 'gap 6-7', 'frame 8']);
  });

  it('is kept within bounds when the answer does not come, and what was dropped shows as a gap', async () => {
    const { told, up, connected, joined } = sessionOf({ epoch: 'AAAA', seq: 0 });
    for (let i = 0; i < 100_000; i++) connected.presence({ seat: 'BwcHBwcHBwcHBwcHBwcHBw', presence: 'present' });
    connected.batch(frame(1));
    joined({ head: 2 });
    await up;
    connected.batch(frame(2));
    expect(told.filter((what) => what === 'presence')).toHaveLength(256);
    expect(told.slice(-2)).toEqual(['gap 1-1', 'frame 2']);
  });
});

describe('a seat that is given up', () => {
  it('sends first what was handed over in the same turn, and nothing after it', async () => {
    const { told, up, joined, session } = sessionOf();
    joined({});
    await up;
    session.push(new Uint8Array([1]), {}).catch(() => undefined);
    const left = session.leave();
    session.push(new Uint8Array([2]), {}).catch(() => undefined);
    await left;
    expect(told).toEqual(['up', 'push', 'leave']);
  });
});
