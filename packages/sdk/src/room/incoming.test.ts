import { describe, expect, it } from 'vitest';
import { messageId } from '../protocol/message-id.ts';
import type { KeptSeen } from '../storage/kept.ts';
import { Incoming } from './incoming.ts';
import type { Peer } from './peer.ts';
import { hex } from './text.ts';

const bo = { id: 'bo', identityKey: new Uint8Array(32).fill(2) } as unknown as Peer;
const random = (number: number) => new Uint8Array(16).fill(number);
const name = (number: number) => hex(messageId(bo.identityKey, random(number)));

/** What a page has of Bo's messages, and what it remembers of those it handed over. */
function page(seen: readonly KeptSeen[] = []) {
  const log = { handed: [] as string[], confirmed: [] as string[], stored: [] as KeptSeen[], lacking: 0 };
  const incoming = new Incoming({
    present: (member) => (member === bo.id ? bo : undefined),
    reachable: () => true,
    handed: (id, { id: author }, index, done) => {
      log.stored.push({ id, author, index, until: 0 });
      done();
    },
    forgotten: () => undefined,
    confirm: (_, id) => log.confirmed.push(hex(id)),
    lacking: () => log.lacking++,
  });
  for (const each of seen) incoming.restore(each);
  const receive = (index: number) =>
    incoming.receive(bo, { id: random(index), index, sentAt: 0 }, 1, (id) => log.handed.push(id));
  return { incoming, receive, log };
}

describe('messages of before a reload', () => {
  it('that their author repeats, for want of a receipt, are confirmed and not shown a second time', () => {
    const before = page();
    before.incoming.begin('bo', 0);
    before.receive(0);
    before.receive(1);
    const after = page(before.log.stored);
    after.receive(1);
    expect([after.log.handed, after.log.confirmed]).toEqual([[], [name(1)]]);
  });

  it('are no loss: what comes next is handed over at once, and what is really missing is seen', () => {
    const before = page();
    before.incoming.begin('bo', 0);
    for (const index of [0, 1, 2]) before.receive(index);
    const after = page(before.log.stored);
    after.incoming.begin('bo', 0);
    expect(after.incoming.heads('bo').next).toBe(3);
    after.receive(3);
    expect([after.log.handed, after.log.lacking]).toEqual([[name(3)], 0]);
    after.receive(5);
    expect([after.log.handed, after.log.lacking, after.incoming.holding]).toEqual([[name(3)], 1, true]);
    expect(after.incoming.heads('bo').missing(6)).toBe(1);
  });
});

describe('a message', () => {
  it('that comes twice while it waits for one in front of it is handed over once', () => {
    const { incoming, receive, log } = page();
    incoming.begin('bo', 0);
    receive(1);
    receive(1);
    expect([log.handed, log.confirmed]).toEqual([[], []]);
    receive(0);
    expect([log.handed, log.confirmed]).toEqual([
      [name(0), name(1)],
      [name(0), name(1)],
    ]);
    receive(1);
    expect([log.handed.length, log.confirmed.length]).toEqual([2, 3]);
  });

  it('waits no longer for one that its author says it will not send, or when its author is gone', () => {
    const { incoming, receive, log } = page();
    incoming.begin('bo', 0);
    receive(2);
    incoming.begin('bo', 2);
    expect(log.handed).toEqual([name(2)]);
    receive(4);
    incoming.forget('bo');
    expect(log.handed).toEqual([name(2), name(4)]);
  });
});
