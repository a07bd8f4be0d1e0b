import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { decodePairContent } from '../protocol/content.ts';
import { randomBytes } from '../protocol/random.ts';
import type { Bytes } from '../wire/index.ts';
import { OrderPost } from './order-post.ts';
import type { Peer } from './peer.ts';

/** Orders on their way to single members, apart from any room. */

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const person = (id: string) => ({ id }) as Peer;
const lock = (): { kind: 'lock'; order: Bytes } => ({ kind: 'lock', order: randomBytes(8) });
const policy = (): { kind: 'policy'; policy: Bytes } => ({ kind: 'policy', policy: randomBytes(8) });

function posted() {
  const sent: { to: Peer; kind: string }[] = [];
  const post = new OrderPost({
    sendToPeer: async (to, content) => void sent.push({ to, kind: decodePairContent(content).kind }),
    enqueue: (task) => void task(),
  });
  /** What was sent since this was asked last. */
  const since = () => sent.splice(0).map(({ to, kind }) => [to, kind]);
  return { post, since };
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe('an order', () => {
  it('is repeated after pauses that double up to a minute, until it is confirmed', async () => {
    const { post, since } = posted();
    const bo = person('bo');
    const name = await post.send(bo, lock());
    since();
    const at: number[] = [];
    for (let second = 1; second <= 300; second++) {
      await pass(1_000);
      if (since().length > 0) at.push(second);
    }
    expect(at.map((time, i) => time - (at[i - 1] ?? 0))).toEqual([3, 6, 12, 24, 48, 60, 60, 60]);
    post.confirmed(bo, [name]);
    await pass(600_000);
    expect(since()).toEqual([]);
  });

  it('is confirmed by its receiver, under its own name', async () => {
    const { post, since } = posted();
    const [bo, cy] = [person('bo'), person('cy')];
    const order = lock();
    const name = await post.send(bo, order);
    expect(await post.send(cy, order)).toEqual(name);
    post.confirmed(bo, [randomBytes(16)]);
    post.confirmed(person('di'), [name]);
    since();
    await pass(3_000);
    expect(since()).toEqual([
      [bo, 'lock'],
      [cy, 'lock'],
    ]);
    // A later session of the same member may confirm it.
    post.confirmed(person('bo'), [randomBytes(16), name]);
    await pass(6_000);
    expect(since()).toEqual([[cy, 'lock']]);
  });

  it('takes the place of an earlier one of its kind to the same member, and of nothing else', async () => {
    const { post, since } = posted();
    const [bo, cy] = [person('bo'), person('cy')];
    await post.send(bo, lock());
    await post.send(bo, policy());
    await post.send(cy, lock());
    await pass(1_000);
    const name = await post.send(bo, lock());
    since();
    await pass(2_000);
    expect(since()).toEqual([
      [bo, 'policy'],
      [cy, 'lock'],
    ]);
    await pass(1_000);
    expect(since()).toEqual([[bo, 'lock']]);
    post.confirmed(bo, [name]);
    post.superseded('lock');
    await pass(10_000);
    expect(since()).toEqual([[bo, 'policy']]);
  });

  it('goes out at once to a member that is here under new keys, to those and from the first pause on', async () => {
    const { post, since } = posted();
    const [bo, cy] = [person('bo'), person('cy')];
    await post.send(bo, lock());
    await post.send(cy, lock());
    await pass(4_000);
    since();
    await post.welcome(bo);
    expect(since()).toEqual([]);
    const again = person('bo');
    await post.welcome(again);
    expect(since()).toEqual([[again, 'lock']]);
    await pass(3_000);
    expect(since()).toEqual([[again, 'lock']]);
    await pass(3_000);
    // The one to the earlier session is repeated no more.
    expect(since()).toEqual([[cy, 'lock']]);
  });

  it('is repeated no more to who is gone, nor after the room was left', async () => {
    const { post, since } = posted();
    const [bo, cy] = [person('bo'), person('cy')];
    await post.send(bo, lock());
    await post.send(cy, lock());
    since();
    post.forget(person('bo'));
    await pass(3_000);
    expect(since()).toEqual([[cy, 'lock']]);
    post.close();
    await pass(600_000);
    expect(since()).toEqual([]);
  });

  it('that was replaced while its repetition waited for its turn is not repeated', async () => {
    const tasks: (() => Promise<void>)[] = [];
    let sent = 0;
    const post = new OrderPost({ sendToPeer: async () => void sent++, enqueue: (task) => void tasks.push(task) });
    const bo = person('bo');
    const name = await post.send(bo, lock());
    await pass(3_000);
    post.confirmed(bo, [name]);
    for (const task of tasks) await task();
    await pass(600_000);
    expect([sent, tasks.length]).toEqual([1, 1]);
  });
});
