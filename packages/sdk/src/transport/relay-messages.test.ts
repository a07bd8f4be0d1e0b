import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Joined, toBase64url } from '../wire/index.ts';
import { checkedHandlers, checkReply, isJoined } from './relay-messages.ts';
import { RelaySession } from './relay-session.ts';
import type { TransportHandlers } from './transport.ts';

const seat = toBase64url(new Uint8Array(16).fill(200));
const limits = { frameBytes: 1, inFlightFrames: 1, inFlightBytes: 1, retentionMs: 1 };
const joined: Joined = {
  epoch: 'e',
  head: 0,
  floor: 0,
  members: [{ seat, presence: 'present' as const }],
  limits,
  durability: 'wal' as const,
};

function collect() {
  const heard: unknown[] = [];
  const wrong: string[] = [];
  const hear = (value?: unknown) => void heard.push(value);
  const handlers = Object.fromEntries(
    ['open', 'close', 'unreachable', 'batch', 'ack', 'presence', 'gap', 'slow', 'bye', 'ended', 'error'].map((name) => [
      name,
      hear,
    ]),
  ) as unknown as TransportHandlers;
  return { heard, wrong, handlers: checkedHandlers(handlers, (event) => wrong.push(event)) };
}

describe('what a relay says', () => {
  it('is passed on when it has its shape', () => {
    const { heard, wrong, handlers } = collect();
    handlers.ack({ upTo: 2, seq: [1, -1], refused: [{ push: 2, error: { code: 'TOO_LARGE', message: '' } }] });
    handlers.presence({ seat, presence: 'away' });
    handlers.gap({ from: 1, to: 1 });
    handlers.slow({ pauseMs: 10 });
    handlers.bye({ retryAfterMs: 1, jitterMs: 0 });
    handlers.ended({ reason: 'ended' });
    handlers.error({ code: 'UNAVAILABLE', message: '', retryAfterMs: 5 });
    expect([heard.length, wrong]).toEqual([7, []]);
    expect(checkReply({ ok: joined }, isJoined)).toEqual({ ok: joined });
  });

  it('is refused by name in any other shape', () => {
    fc.assert(
      fc.property(fc.anything(), (said) => {
        const { heard, wrong, handlers } = collect();
        for (const name of ['ack', 'presence', 'gap', 'slow', 'bye', 'error'] as const) handlers[name](said as never);
        expect(heard).toEqual([]);
        expect(wrong).toHaveLength(6);
        expect(() => checkReply(said as never, isJoined)).toThrow(expect.objectContaining({ code: 'RELAY_REFUSED' }));
      }),
      {
        examples: [[undefined], [null], [{ seat: 7, presence: 'gone' }], [{ from: 3, to: 2 }], [{ upTo: 1 }], [{ pauseMs: -1 }]],
      },
    );
    expect(() => checkReply({ ok: { ...joined, members: [{ seat: 'x', presence: 'present' }] } } as never, isJoined)).toThrow();
  });

  it('ends the first join with a typed error when it makes no sense', async () => {
    const session = new RelaySession({
      url: new URL('http://relay.test'),
      room: new Uint8Array(16),
      token: new Uint8Array(32),
      seat: new Uint8Array(16),
      seatSecret: new Uint8Array(32),
      capacity: () => 2,
      create: false,
      transport: (_, handlers) => {
        queueMicrotask(() => handlers.open());
        return { join: async () => ({ ok: { members: 'all' } }), close: () => undefined } as never;
      },
    });
    const refusal = await session.once('refused');
    expect(refusal).toMatchObject({ code: 'RELAY_REFUSED' });
  });
});
