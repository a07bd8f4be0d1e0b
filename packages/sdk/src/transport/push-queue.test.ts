import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { QsecError } from '../errors.ts';
import { decodePushes, type RelayErrorCode, toBase64url } from '../wire/index.ts';
import { PushQueue } from './push-queue.ts';

const LIMITS = { frameBytes: 65_536, inFlightFrames: 64, inFlightBytes: 1_048_576, retentionMs: 60_000 };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A queue, and what a relay at its other end was pushed. */
function queue(limits = LIMITS) {
  const pushed: { cid: string; body: number }[] = [];
  const faults: QsecError[] = [];
  const pushes = new PushQueue({
    relay: new URL('http://relay.test'),
    send: (frames) => {
      for (const { cid, body } of decodePushes(frames, LIMITS.frameBytes))
        pushed.push({ cid: toBase64url(cid), body: body[0] as number });
    },
    refused: (error) => void faults.push(error),
    unanswered: (error) => void faults.push(error),
  });
  let answered = 0;
  const refuse = (code: RelayErrorCode, retryAfterMs?: number) => ({
    code,
    message: '',
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
  return {
    pushes,
    pushed,
    faults,
    bodies: () => pushed.map(({ body }) => body),
    /** Begins a connection. */
    connect: () => {
      answered = 0;
      pushes.start(limits);
    },
    push: (body: number, options = {}) => {
      const settled: { value?: string } = {};
      pushes.push(new Uint8Array([body]), options).then(
        () => (settled.value = 'safe'),
        (error: QsecError) => (settled.value = error.code),
      );
      return settled;
    },
    accept: (count = 1) => {
      answered += count;
      pushes.acknowledge({ upTo: answered, seq: Array(count).fill(1) });
    },
    refuse: (code: RelayErrorCode, retryAfterMs?: number, count = 1) => {
      const first = answered + 1;
      answered += count;
      const refused = Array.from({ length: count }, (_, i) => ({ push: first + i, error: refuse(code, retryAfterMs) }));
      pushes.acknowledge({ upTo: answered, seq: Array(count).fill(-1), refused });
    },
  };
}

const turn = () => vi.advanceTimersByTimeAsync(0);

describe('a push that the relay refuses', () => {
  it.each(['RATE_LIMITED', 'UNAVAILABLE'] as const)(
    'for now (%s) goes out again as the same frame, after the time advised',
    async (code) => {
      const { push, pushed, connect, refuse, accept, faults } = queue();
      connect();
      const frame = push(7);
      await turn();
      refuse(code, 3000);
      await vi.advanceTimersByTimeAsync(2900);
      expect([pushed.length, frame.value]).toEqual([1, undefined]);
      await vi.advanceTimersByTimeAsync(100);
      expect(pushed[1]).toEqual(pushed[0]);
      // Told once, not each time.
      refuse(code, 3000);
      await vi.advanceTimersByTimeAsync(3000);
      accept();
      await turn();
      expect([pushed.length, frame.value, faults.length]).toEqual([3, 'safe', 1]);
    },
  );

  it('goes before what was handed over after it, whatever was refused first', async () => {
    const { push, bodies, connect, refuse } = queue({ ...LIMITS, inFlightFrames: 2 });
    connect();
    for (const body of [1, 2, 3]) push(body);
    await turn();
    refuse('UNAVAILABLE', 1000);
    push(4);
    refuse('UNAVAILABLE', 1000);
    await vi.advanceTimersByTimeAsync(1000);
    expect(bodies()).toEqual([1, 2, 1, 2]);
  });

  it('for good is told to who pushed it, and the others go on', async () => {
    const { push, bodies, connect, refuse, accept, faults } = queue();
    connect();
    const [first, second] = [push(1), push(2)];
    await turn();
    refuse('TOO_LARGE');
    accept();
    await turn();
    expect([first.value, second.value, bodies(), faults]).toEqual(['MESSAGE_TOO_LARGE', 'safe', [1, 2], []]);
  });

  it('is not pushed again when it is no longer wanted, or was of use only then', async () => {
    const { push, bodies, connect, refuse } = queue();
    connect();
    let wanted = true;
    const [unwanted, passing] = [push(1, { wanted: () => wanted }), push(2, { transient: true })];
    await turn();
    refuse('RATE_LIMITED', 1000, 2);
    wanted = false;
    await vi.advanceTimersByTimeAsync(1000);
    expect([unwanted.value, passing.value, bodies()]).toEqual(['safe', 'safe', [1, 2]]);
  });

  it('waits for some time though the relay says none, and not for ever though it says so', async () => {
    const { push, pushed, connect, refuse } = queue();
    connect();
    push(1);
    for (const [advice, atLeast, atMost] of [
      [undefined, 999, 1000],
      [0, 99, 100],
      [Number.MAX_SAFE_INTEGER, 29_999, 30_000],
    ] as const) {
      await turn();
      const before = pushed.length;
      refuse('UNAVAILABLE', advice);
      await vi.advanceTimersByTimeAsync(atLeast);
      expect(pushed.length).toBe(before);
      await vi.advanceTimersByTimeAsync(atMost - atLeast);
      expect(pushed.length).toBe(before + 1);
    }
  });

  it('does not hold back what comes later because a clock was set back', async () => {
    const { push, bodies, connect, refuse } = queue();
    connect();
    push(1);
    await turn();
    refuse('UNAVAILABLE', 1000);
    vi.setSystemTime(Date.now() - 3_600_000);
    await vi.advanceTimersByTimeAsync(1000);
    expect(bodies()).toEqual([1, 1]);
  });
});

describe('a queue of pushes', () => {
  it('hands every frame over, the oldest first, through refusals, pauses and connections that end', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant('push' as const) },
      { weight: 3, arbitrary: fc.constant('accept' as const) },
      { weight: 2, arbitrary: fc.constant('refuse' as const) },
      ...(['lose', 'pause', 'wait'] as const).map((arbitrary) => ({ weight: 1, arbitrary: fc.constant(arbitrary) })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
        const relay = queue({ ...LIMITS, inFlightFrames: 5 });
        const taken = new Map<number, string>();
        let seen = 0;
        let waiting: number[] = [];
        let count = 0;
        const look = () => {
          const fresh = relay.pushed.slice(seen);
          seen = relay.pushed.length;
          // What goes out in one go stands in the order in which it was handed over.
          expect(fresh.map(({ body }) => body)).toEqual(fresh.map(({ body }) => body).sort((a, b) => a - b));
          for (const { body, cid } of fresh) {
            expect(taken.get(body) ?? cid).toBe(cid);
            taken.set(body, cid);
            waiting.push(body);
          }
          expect(waiting.length).toBeLessThanOrEqual(5);
        };
        const settled: { value?: string }[] = [];
        const safe = new Set<number>();
        relay.connect();
        const act: Record<(typeof steps)[number], () => unknown> = {
          push: () => settled.push(relay.push(count++)),
          accept: () => {
            const body = waiting.shift();
            if (body === undefined) return;
            safe.add(body);
            relay.accept();
          },
          refuse: () => waiting.shift() !== undefined && relay.refuse('UNAVAILABLE', 500),
          lose: () => {
            relay.pushes.stop();
            waiting = [];
            relay.connect();
          },
          pause: () => relay.pushes.pause(300),
          wait: () => vi.advanceTimersByTimeAsync(500),
        };
        for (const name of steps) {
          await act[name]();
          await turn();
          look();
        }
        while (relay.pushes.length > 0) {
          if (waiting.length > 0) act.accept();
          else await act.wait();
          await turn();
          look();
        }
        expect(settled.map(({ value }) => value)).toEqual(settled.map(() => 'safe'));
        expect(safe.size).toBe(count);
      }),
    );
  });
});

describe('what waits for a relay that is away', () => {
  it('is bounded, and more is taken once the relay has some of it', async () => {
    const { push, connect, accept } = queue();
    for (let i = 0; i < 16_384; i++) push(1);
    const refused = push(2);
    await turn();
    expect(refused.value).toBe('RATE_LIMITED');
    connect();
    accept();
    const taken = push(3);
    await turn();
    expect(taken.value).toBeUndefined();
  });

  it('is bounded in bytes, too', async () => {
    const { pushes } = queue();
    const megabyte = new Uint8Array(1_048_576);
    const waiting = Array.from({ length: 64 }, () => pushes.push(megabyte, {}));
    await expect(pushes.push(new Uint8Array(1), {})).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    pushes.close(new QsecError('CLOSED', 'closed'));
    for (const each of waiting) await expect(each).rejects.toMatchObject({ code: 'CLOSED' });
    pushes.push(megabyte, {}).catch(() => undefined);
  });
});

describe('a relay that takes pushes and does not answer', () => {
  it('is told of once in 30 s, until it answers and falls silent again', async () => {
    const { connect, push, accept, faults } = queue();
    connect();
    push(1);
    push(2);
    await vi.advanceTimersByTimeAsync(29_000);
    expect(faults).toEqual([]);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(faults.map(({ code }) => code)).toEqual(['TIMEOUT']);
    accept(1);
    await vi.advanceTimersByTimeAsync(31_000);
    expect(faults.map(({ code }) => code)).toEqual(['TIMEOUT', 'TIMEOUT']);
  });

  it('is not blamed for time without a connection, nor where nothing waits', async () => {
    const { pushes, connect, push, accept, faults } = queue();
    connect();
    push(1);
    await vi.advanceTimersByTimeAsync(20_000);
    pushes.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    connect();
    await vi.advanceTimersByTimeAsync(20_000);
    accept(1);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(faults).toEqual([]);
  });
});
