import { setImmediate as turn } from 'node:timers/promises';
import type { RelayLimits } from '@qsec2/sdk/wire';
import { describe, expect, it, vi } from 'vitest';
import { EncodedBatch } from '../frames/encoded-batch.ts';
import type { Frame } from '../frames/item.ts';
import { Metrics } from '../metrics.ts';
import type { Page, Store } from '../store/store.ts';
import { random16 } from '../testing/client.ts';
import { frameOf, RecordedLink } from '../testing/recorded-link.ts';
import { refusals } from './errors.ts';
import { batchFor, Member } from './member.ts';
import type { HubRoom } from './room.ts';

const MIB = 2 ** 20;
const seat = random16();

/** A member of a room whose log is a list of frames. */
function member({ log = [], cursor = 0 }: { log?: Frame[]; cursor?: number } = {}) {
  const link = new RecordedLink();
  const reads: [number, number][] = [];
  const page = { floor: 0, epoch: undefined as string | undefined, fails: undefined as Error | undefined };
  const store = {
    async read(_: string, after: number, bytes: number): Promise<Page> {
      reads.push([after, bytes]);
      if (page.fails) throw page.fails;
      let size = 0;
      const kept = log.filter(({ seq }) => seq > after && seq > page.floor);
      const frames = kept.filter(({ item }, i) => {
        size += item.length;
        return i === 0 || size <= bytes;
      });
      return { frames, floor: page.floor, head: log.length, ...(page.epoch && { epoch: page.epoch }) };
    },
  } as Store;
  const room = { key: 'room', delivered: log.length, metrics: new Metrics(), relieved: vi.fn(), report: vi.fn() };
  const made = new Member(link, room as unknown as HubRoom, seat, cursor, 'e', store);
  return { member: made, link, room, reads, page, log };
}

const frames = (count: number, bytes = 10) =>
  Array.from({ length: count }, (_, i) => frameOf(i + 1, { body: Buffer.alloc(bytes) }));
const limits = { inFlightFrames: 2, inFlightBytes: 100 } as RelayLimits;

describe('pushes without an acknowledgement', () => {
  it('are twice as many as were announced, and no more until a tick answered them', () => {
    const { member: ana } = member();
    for (let i = 0; i < 4; i++) expect(ana.admit(1, limits)).toBeUndefined();
    expect(ana.admit(1, limits)).toBe(refusals.tooManyInFlight);
    ana.answer(1);
    ana.sendAck();
    expect(ana.admit(1, limits)).toBeUndefined();
  });

  it('are twice as many bytes as were announced', () => {
    const { member: ana } = member();
    expect(ana.admit(199, limits)).toBeUndefined();
    expect(ana.admit(1, limits)).toBeUndefined();
    expect(ana.admit(0, limits)).toBe(refusals.tooManyInFlight);
    ana.answer(1);
    ana.sendAck();
    expect(ana.admit(1000, limits)).toBeUndefined();
  });
});

describe('an acknowledgement', () => {
  it('counts the pushes of the connection, with the place of each, and says which were refused and why', () => {
    const { member: ana, link } = member();
    ana.answer(7);
    ana.answer(0);
    ana.sendAck();
    ana.answer(refusals.tooLarge);
    ana.answer(8);
    ana.answer(refusals.mailboxFull);
    ana.sendAck();
    expect(link.acks).toEqual([
      { upTo: 2, seq: [7, 0] },
      {
        upTo: 5,
        seq: [-1, 8, -1],
        refused: [
          { push: 3, error: refusals.tooLarge },
          { push: 5, error: refusals.mailboxFull },
        ],
      },
    ]);
  });

  it('is not sent for nothing, nor to who is gone', () => {
    const { member: ana, link } = member();
    ana.sendAck();
    ana.answer(1);
    ana.close();
    ana.sendAck();
    expect(link.acks).toEqual([]);
  });
});

describe('a replay', () => {
  it('begins when the member starts, in batches of 256 KiB, and makes it live', async () => {
    const { member: ana, link, reads, room } = member({ log: frames(20, 60_000), cursor: 2 });
    expect(ana.live).toBe(false);
    link.drain();
    expect(reads).toEqual([]);
    await ana.start();
    expect(link.seqs).toEqual(Array.from({ length: 18 }, (_, i) => i + 3));
    expect(reads[0]).toEqual([2, 256 * 1024]);
    expect(link.batches[0]).toMatchObject({ from: 3, to: 6 });
    expect(link.batches.at(-1)).toMatchObject({ to: 20 });
    expect([ana.live, ana.cursor, ana.closed]).toEqual([true, 20, false]);
    expect(room.metrics.batchesSent).toBe(link.batches.length);
    expect(room.metrics.bytesSent).toBe(link.encoded.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(room.relieved).toHaveBeenCalled();
  });

  it('pauses at a MiB that was not taken, and goes on at half of it', async () => {
    const { member: ana, link, reads } = member({ log: frames(80, 60_000) });
    link.holding = true;
    await ana.start();
    expect(link.pending).toBeGreaterThan(MIB);
    expect(link.pending).toBeLessThan(MIB + 300 * 1024);
    expect(ana.live).toBe(false);
    const before = reads.length;
    link.drain(MIB / 2 + 1);
    await turn();
    expect(reads).toHaveLength(before);
    link.drain(MIB / 2);
    await turn();
    expect(reads.length).toBeGreaterThan(before);
    while (!ana.live) {
      link.drain();
      await turn();
    }
    expect(link.seqs).toEqual(Array.from({ length: 80 }, (_, i) => i + 1));
    const done = reads.length;
    link.drain();
    await turn();
    expect(reads).toHaveLength(done);
  });

  it('is sent what came meanwhile from the log as well', async () => {
    const { member: ana, link, room, log } = member({ log: frames(3) });
    const started = ana.start();
    log.push(frameOf(4));
    room.delivered = 4;
    await started;
    expect(link.seqs).toEqual([1, 2, 3, 4]);
    expect(ana.live).toBe(true);
  });

  it('tells of places that are no longer kept', async () => {
    const { member: ana, link, page, room } = member({ log: frames(5), cursor: 1 });
    page.floor = 3;
    await ana.start();
    expect(link.gaps).toEqual([{ from: 2, to: 3 }]);
    expect(link.seqs).toEqual([4, 5]);
    expect(room.metrics.gaps).toBe(1);
    page.floor = 5;
    ana.skip(5);
    expect(link.gaps).toHaveLength(1);
  });

  it('that everything is gone of is a gap alone', async () => {
    const { member: ana, link, page } = member({ log: frames(5) });
    page.floor = 5;
    await ana.start();
    expect([link.gaps, link.batches, ana.live]).toEqual([[{ from: 1, to: 5 }], [], true]);
  });

  it.each([
    ['cannot be read', ({ page }: ReturnType<typeof member>) => Object.assign(page, { fails: new Error('torn') }), 'torn'],
    [
      'ends too soon',
      ({ log }: ReturnType<typeof member>) => void log.splice(1),
      'the log ends before the place the room has reached',
    ],
    [
      'has lost everything',
      ({ log }: ReturnType<typeof member>) => void log.splice(0),
      'the log ends before the place the room has reached',
    ],
    [
      'has lost what follows on the place that the member has reached',
      ({ log, page }: ReturnType<typeof member>) => {
        log.splice(1);
        page.floor = 1;
      },
      'the log ends before the place the room has reached',
    ],
    [
      'has another epoch',
      ({ page }: ReturnType<typeof member>) => Object.assign(page, { epoch: 'f' }),
      'the room has a new epoch',
    ],
  ])('of a log that %s ends the connection, with a reason', async (_, harm, message) => {
    const running = member({ log: frames(3) });
    harm(running);
    await running.member.start();
    expect(running.room.report).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ message }));
    expect(running.link.of('error')).toEqual([refusals.unreadable]);
    expect(running.link.did).toEqual(['close']);
    expect(running.member.live).toBe(false);
  });

  it('of the same epoch goes on', async () => {
    const running = member({ log: frames(3) });
    running.page.epoch = 'e';
    await running.member.start();
    expect(running.link.seqs).toEqual([1, 2, 3]);
  });

  it('sends nothing to a member who left meanwhile', async () => {
    const { member: ana, link } = member({ log: frames(3) });
    const started = ana.start();
    ana.close();
    await started;
    expect([link.batches, ana.live, ana.closed]).toEqual([[], false, true]);
    link.drain();
    await ana.start();
    expect(link.batches).toEqual([]);
  });

  it('is done once at a time', async () => {
    const { member: ana, link, reads } = member({ log: frames(3) });
    await Promise.all([ana.start(), ana.start()]);
    link.drain();
    expect(reads).toHaveLength(1);
    expect(link.seqs).toEqual([1, 2, 3]);
  });
});

describe('a member that is behind', () => {
  it('counts what it has yet to be sent, and nothing before it started or while it is live', async () => {
    const { member: ana, link, room, log } = member({ log: frames(60, 60_000) });
    ana.missed(100);
    expect(ana.behindBytes).toBe(0);
    link.holding = true;
    await ana.start();
    ana.missed(5 * MIB);
    const sent = link.pending;
    expect(ana.behindBytes).toBe(5 * MIB);
    link.drain();
    await turn();
    expect(link.pending).toBeGreaterThan(MIB);
    expect(ana.behindBytes).toBe(5 * MIB - link.pending);
    expect(sent).toBeGreaterThan(MIB);
    while (!ana.live) {
      link.drain();
      await turn();
    }
    expect(ana.behindBytes).toBe(0);
    // Behind again, it counts from nothing.
    const large = new EncodedBatch(61, 61, 1, Buffer.alloc(MIB + 1));
    link.sendBatch = () => {
      link.pending = MIB + 1;
    };
    ana.deliver(large, 61);
    expect(ana.live).toBe(false);
    ana.missed(10);
    expect(ana.behindBytes).toBe(10);
    expect([room.delivered, log.length]).toEqual([60, 60]);
  });

  it('is no longer sent to as the log grows once a MiB waits for it, and not at exactly that', async () => {
    const { member: ana, link } = member();
    await ana.start();
    link.sendBatch = () => {};
    link.pending = MIB;
    ana.deliver(new EncodedBatch(1, 1, 1, Buffer.alloc(1)), 1);
    expect([ana.live, ana.cursor]).toEqual([true, 1]);
    link.pending = MIB + 1;
    ana.deliver(new EncodedBatch(2, 2, 1, Buffer.alloc(1)), 2);
    expect([ana.live, ana.cursor]).toEqual([false, 2]);
  });
});

it('a batch for one member holds what is for everyone, and what is for it', () => {
  const other = random16();
  const to = (...seats: string[]) => ({ to: seats.map((text) => Buffer.from(text, 'base64url')) });
  const all = [frameOf(1), frameOf(2, to(other)), frameOf(3, to(other, seat)), frameOf(4, to(seat))];
  const link = new RecordedLink();
  link.sendBatch(batchFor(seat, 1, 4, all));
  expect(link.batches).toMatchObject([{ from: 1, to: 4 }]);
  expect(link.seqs).toEqual([1, 3, 4]);
});
