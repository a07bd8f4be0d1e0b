import { describe, expect, it } from 'vitest';
import { Admission } from './admission.ts';
import { FlowMeter } from './flow-meter.ts';
import { type PauseReason, Reading } from './reading.ts';
import { TokenBucket } from './token-bucket.ts';

describe('a token bucket', () => {
  it('fills at its rate, up to its burst', () => {
    const bucket = new TokenBucket(10, 20, 1000);
    expect(bucket.take(20, 1000)).toBe(true);
    expect(bucket.take(1, 1000)).toBe(false);
    expect(bucket.take(1, 1099)).toBe(false);
    expect(bucket.take(1, 1100)).toBe(true);
    expect(bucket.take(20, 3099)).toBe(false);
    expect(bucket.take(20, 3100)).toBe(true);
    // However long nothing is taken.
    expect(bucket.take(21, 1e9)).toBe(false);
    expect(bucket.take(20, 1e9)).toBe(true);
  });

  it('tells how long a debt takes to pay off, and takes nothing until then', () => {
    const bucket = new TokenBucket(10, 20, 0);
    expect([bucket.spend(20, 0), bucket.spend(1, 0), bucket.spend(9, 0)]).toEqual([0, 100, 1000]);
    expect(bucket.spend(0, 500)).toBe(500);
    expect(bucket.take(1, 1000)).toBe(false);
    expect(bucket.spend(0, 1000)).toBe(0);
    // Rounded up: who comes back then has paid.
    expect(new TokenBucket(3, 0, 0).spend(1, 0)).toBe(334);
  });

  it('is as good as new once it is full again', () => {
    const bucket = new TokenBucket(10, 20, 0);
    expect(bucket.full(0)).toBe(true);
    bucket.spend(20, 0);
    expect(bucket.full(1999)).toBe(false);
    expect(bucket.full(2000)).toBe(true);
  });
});

describe('a flow meter', () => {
  it('allows two seconds at once of frames and of bytes, and then waits for whichever is behind', () => {
    const meter = () => new FlowMeter({ rateFrames: 10, rateBytes: 1000 }, 0);
    expect([meter().count(20, 2000, 0), meter().count(21, 0, 0), meter().count(0, 2001, 0)]).toEqual([0, 100, 1]);
    expect(meter().count(25, 2100, 0)).toBe(500);
    expect(meter().count(21, 3000, 0)).toBe(1000);
  });

  it('never waits for longer than heartbeats may', () => {
    const meter = new FlowMeter({ rateFrames: 10, rateBytes: 1000 }, 0);
    expect(meter.count(70, 0, 0)).toBe(5000);
    expect(meter.count(1000, 1e9, 0)).toBe(5000);
  });
});

describe('admission', () => {
  const at = { now: 0 };
  const admission = (limits: Partial<ConstructorParameters<typeof Admission>[0]> = {}) => {
    at.now = 0;
    return new Admission(
      { maxConnections: 100, maxPerAddress: 100, rateConnections: 100, rateControl: 100, rateRequests: 100, ...limits },
      () => at.now,
    );
  };
  const times = (n: number, ask: () => boolean) => Array.from({ length: n }, ask);

  it('opens so many connections in all, and so many from one address', () => {
    const all = admission({ maxConnections: 2 });
    expect([all.opened('a'), all.opened('b'), all.opened('c')]).toEqual([true, true, false]);
    all.closed('a');
    expect([all.connections, all.opened('c'), all.connections]).toEqual([1, true, 2]);
    const each = admission({ maxPerAddress: 2 });
    expect([each.opened('a'), each.opened('a'), each.opened('a'), each.opened('b')]).toEqual([true, true, false, true]);
    each.closed('a');
    expect([each.opened('a'), each.opened('a')]).toEqual([true, false]);
  });

  it('counts nothing of an address it does not know', () => {
    const made = admission();
    made.closed('nobody');
    expect(made.connections).toBe(0);
  });

  it('opens ten seconds of connections at once, and then as the rate says; one refused by a cap costs nothing of it', () => {
    const made = admission({ rateConnections: 1 });
    expect(times(11, () => made.opened('a'))).toEqual([...Array(10).fill(true), false]);
    at.now = 999;
    expect(made.opened('a')).toBe(false);
    at.now = 1000;
    expect([made.opened('a'), made.opened('a')]).toEqual([true, false]);
    const capped = admission({ rateConnections: 0.1, maxPerAddress: 1 });
    expect([capped.opened('a'), capped.opened('a')]).toEqual([true, false]);
    capped.closed('a');
    at.now = 10_000;
    expect(capped.opened('a')).toBe(true);
  });

  it('lets an address ask as often as the rate says, ten seconds of it at once; a guess counts ten times', () => {
    const made = admission({ rateControl: 2 });
    expect(times(21, () => made.mayAsk('a'))).toEqual([...Array(20).fill(true), false]);
    expect(made.mayAsk('b')).toBe(true);
    made.guessed('b');
    expect(times(10, () => made.mayAsk('b'))).toEqual([...Array(9).fill(true), false]);
    at.now = 500;
    expect([made.mayAsk('b'), made.mayAsk('b')]).toEqual([true, false]);
  });

  it('answers requests over HTTP as often as the rate says, ten seconds of them at once, whatever else the address does', () => {
    const made = admission({ rateRequests: 1, rateControl: 1 });
    expect(times(11, () => made.mayRequest('a'))).toEqual([...Array(10).fill(true), false]);
    expect([made.mayAsk('a'), made.mayRequest('b')]).toEqual([true, true]);
    made.sweep();
    expect(made.mayRequest('a')).toBe(false);
    at.now = 1000;
    expect([made.mayRequest('a'), made.mayRequest('a')]).toEqual([true, false]);
  });

  it('forgets an address once it has nothing open and nothing to pay, and not before', () => {
    const made = admission({ rateControl: 1, rateConnections: 1 });
    for (let i = 0; i < 10; i++) made.mayAsk('a');
    made.sweep();
    expect(made.mayAsk('a')).toBe(false);
    at.now = 5000;
    made.sweep();
    expect(times(6, () => made.mayAsk('a'))).toEqual([true, true, true, true, true, false]);
    made.opened('b');
    at.now = 1e6;
    made.sweep();
    made.closed('b');
    expect(made.connections).toBe(0);
  });

  it('makes way for new addresses when it knows very many', () => {
    const made = admission();
    for (let i = 0; i < 100_000; i++) made.mayAsk(`${i}`);
    at.now = 60_000;
    // Forgets those that owe nothing; the newcomer has its whole share.
    expect(times(1001, () => made.mayAsk('new')).filter(Boolean)).toHaveLength(1000);
  });
});

describe('reading', () => {
  const observed = () => {
    const said: boolean[] = [];
    return { said, reading: new Reading((on) => said.push(on)) };
  };

  it('stops with the first reason and goes on when the last one is gone', () => {
    const { said, reading } = observed();
    const reasons: PauseReason[] = ['rate', 'stuck', 'room'];
    for (const reason of reasons) {
      reading.stop(reason);
      reading.stop(reason);
    }
    expect(said).toEqual([false]);
    reading.goOn('rate');
    reading.goOn('rate');
    reading.goOn('room');
    expect(said).toEqual([false]);
    reading.goOn('stuck');
    reading.goOn('stuck');
    expect(said).toEqual([false, true]);
  });

  it('goes on only for reasons it had', () => {
    const { said, reading } = observed();
    reading.goOn('rate');
    expect(said).toEqual([]);
    reading.stop('room');
    reading.goOn('stuck');
    expect(said).toEqual([false]);
  });

  it('goes on for good at the end', () => {
    const { said, reading } = observed();
    reading.stop('rate');
    reading.end();
    reading.stop('room');
    reading.goOn('rate');
    expect(said).toEqual([false, true]);
    const idle = observed();
    idle.reading.end();
    expect(idle.said).toEqual([]);
  });
});
