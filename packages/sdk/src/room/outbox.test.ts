import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { KeptOutgoing } from '../storage/kept.ts';
import { Outbox } from './outbox.ts';

const content = new Uint8Array(1);

describe('outbox', () => {
  it('says that a message is delivered when everyone confirmed it', async () => {
    const outbox = new Outbox();
    const delivered = outbox.add('m', content, ['bo', 'cy'], 60_000);
    expect(outbox.confirm('m', 'bo')).toBe(false);
    expect(outbox.unconfirmed('cy')).toEqual([content]);
    expect(outbox.confirm('m', 'cy')).toBe(true);
    expect(await delivered).toEqual({ to: ['bo', 'cy'], pending: [], expired: false });
  });

  it('does not take the word of a relay that somebody is gone for a receipt', async () => {
    const outbox = new Outbox();
    const alone = outbox.add('m', content, ['bo'], 60_000);
    const both = outbox.add('n', content, ['bo', 'cy'], 60_000);
    outbox.forgetMember('bo');
    expect(await alone).toEqual({ to: ['bo'], pending: ['bo'], expired: false });
    expect(outbox.confirm('n', 'cy')).toBe(false);
    expect(await both).toEqual({ to: ['bo', 'cy'], pending: ['bo'], expired: false });
  });

  it('settles what is left when it closes', async () => {
    const outbox = new Outbox();
    const delivered = outbox.add('m', content, ['bo'], 60_000);
    outbox.close();
    expect(await delivered).toEqual({ to: ['bo'], pending: ['bo'], expired: true });
  });

  it('sends what is blank in the place of what was withdrawn, and of what changes it, and waits for nobody', async () => {
    const outbox = new Outbox();
    const delivered = outbox.add('m', content, ['bo'], 60_000);
    outbox.add('edit of m', content, ['bo'], 60_000, 'm');
    outbox.add('other', content, ['bo'], 60_000);
    const blank = new Uint8Array(2);
    const withdrawn = outbox.withdraw('m', () => blank);
    expect(withdrawn.map(({ id }) => id)).toEqual(['m', 'edit of m']);
    expect(await delivered).toEqual({ to: ['bo'], pending: ['bo'], expired: true });
    expect(outbox.unconfirmed('bo')).toEqual([blank, blank, content]);
    expect(outbox.withdraw('m', () => content)).toEqual([]);
  });

  it('tells what to keep of each message, and goes on with it elsewhere', () => {
    const kept = new Map<string, KeptOutgoing | undefined>();
    const outbox = new Outbox((id, outgoing) => kept.set(id, outgoing));
    outbox.add('m', content, ['bo', 'cy'], 60_000);
    outbox.add('n', content, ['bo'], 60_000);
    outbox.confirm('m', 'bo');
    outbox.confirm('n', 'bo');
    expect([...kept]).toMatchObject([
      ['m', { pending: ['cy'], to: ['bo', 'cy'] }],
      ['n', undefined],
    ]);
    const later = new Outbox();
    later.restore(kept.get('m') as KeptOutgoing);
    expect([later.unconfirmed('bo'), later.unconfirmed('cy')]).toEqual([[], [content]]);
    expect(later.confirm('m', 'cy')).toBe(true);
    outbox.close();
    expect(kept.get('m')).toBeDefined();
  });
});

/** An outbox that records what it says of messages. */
function outbox() {
  const told: string[] = [];
  const box = new Outbox(undefined, (id, status) => told.push(`${id} ${status}`));
  return { box, told };
}

/** What a promise came to so far. */
async function soFar<T>(promise: Promise<T>): Promise<T | 'waiting'> {
  return Promise.race([promise, Promise.resolve().then(() => 'waiting' as const)]);
}

describe('the bounds of an outbox', () => {
  it('are no matter of how much was sent and confirmed before', () => {
    const { box } = outbox();
    const quarter = new Uint8Array(2 ** 18);
    for (let i = 0; i < 68; i++) {
      box.assertRoom();
      box.add(String(i), quarter, ['bo'], 60_000);
      box.confirm(String(i), 'bo');
    }
    for (let i = 0; i < 68; i++) {
      box.add(`gone ${i}`, quarter, ['bo'], 60_000);
      box.forgetMember('bo');
    }
    expect(() => box.assertRoom()).not.toThrow();
  });

  it('are 4096 messages, or 16 MiB, that members are waited for', () => {
    const { box } = outbox();
    for (let i = 0; i < 4096; i++) {
      expect(() => box.assertRoom()).not.toThrow();
      box.add(String(i), content, ['bo'], 60_000);
    }
    expect(() => box.assertRoom()).toThrow(
      expect.objectContaining({ code: 'RATE_LIMITED', details: { waiting: 4096, bytes: 4096 } }),
    );
    box.confirm('7', 'bo');
    expect(() => box.assertRoom()).not.toThrow();

    const { box: large } = outbox();
    large.add('m', new Uint8Array(2 ** 24 - 1), ['bo'], 60_000);
    expect(() => large.assertRoom()).not.toThrow();
    large.add('n', content, ['bo'], 60_000);
    expect(() => large.assertRoom()).toThrow(expect.objectContaining({ code: 'RATE_LIMITED' }));
    large.withdraw('m', () => content);
    expect(() => large.assertRoom()).not.toThrow();
  });

  it('let go of the oldest that nobody is waited for', () => {
    const { box } = outbox();
    for (let i = 0; i < 4097; i++) box.add(String(i), content, [], 60_000);
    expect(box.retry('0', { members: ['bo'], seats: new Map() }, 60_000)).toBeUndefined();
    expect(box.retry('1', { members: ['bo'], seats: new Map() }, 60_000)).toBeDefined();
    expect(() => box.assertRoom()).not.toThrow();
  });
});

describe('a message whose time runs out', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('is expired then and not before, also after weeks, and goes out again to a member who comes back', async () => {
    const { box, told } = outbox();
    const weeks = 40 * 86_400_000;
    const delivered = box.add('m', content, ['bo', 'cy'], weeks);
    box.confirm('m', 'cy');
    await vi.advanceTimersByTimeAsync(weeks - 1);
    expect(told).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(told).toEqual(['m expired']);
    expect(await delivered).toEqual({ to: ['bo', 'cy'], pending: ['bo'], expired: true });
    box.revive('cy', 60_000);
    expect(told).toEqual(['m expired']);
    box.revive('bo', 60_000);
    expect(told).toEqual(['m expired', 'm sent']);
    expect([box.unconfirmed('bo'), box.unconfirmed('cy')]).toEqual([[content], []]);
    expect(box.confirm('m', 'bo')).toBe(true);
    expect(box.unconfirmed('bo')).toEqual([]);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(told).toEqual(['m expired', 'm sent']);
  });

  it('counts as delivered where the receipt comes late', async () => {
    const { box } = outbox();
    box.add('m', content, ['bo'], 1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(box.confirm('m', 'bo')).toBe(true);
    expect(box.confirm('m', 'bo')).toBe(false);
  });

  it('is expired at once where it ran out while the room was closed', () => {
    const { box, told } = outbox();
    const kept = { id: 'm', about: 'm', content, to: ['bo'], pending: ['bo'], lost: [], order: 3 };
    box.restore({ ...kept, until: Date.now() });
    box.restore({ ...kept, id: 'n', until: Date.now() + 1 });
    expect(told).toEqual(['m expired']);
  });

  it('is asked for by heartbeats: every second one of who has not confirmed it', () => {
    const { box } = outbox();
    box.add('m', content, ['bo'], 60_000);
    expect([1, 2, 3, 4].map(() => box.overdue('bo').length)).toEqual([0, 1, 0, 1]);
    expect(box.overdue('cy')).toEqual([]);
  });
});

describe('a message that is sent while keys are being agreed', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const until = (ms: number) => new Map([['seat', Date.now() + ms]]);

  it('waits, and is for who becomes a member at that seat', async () => {
    const { box, told } = outbox();
    const delivered = box.add('m', content, [], 60_000, 'm', until(60_000));
    expect(await soFar(delivered)).toBe('waiting');
    expect(box.claim('another seat', 'eve', 60_000)).toEqual([]);
    expect(box.claim('seat', 'bo', 60_000)).toEqual(['m']);
    expect(box.claim('seat', 'eve', 60_000)).toEqual([]);
    expect([told, box.unconfirmed('bo')]).toEqual([['m sent'], [content]]);
    expect(box.confirm('m', 'bo')).toBe(true);
    expect(await delivered).toEqual({ to: ['bo'], pending: [], expired: false });
  });

  it('was for nobody where the seat is given up, and has expired where that takes too long', async () => {
    const { box, told } = outbox();
    const left = box.add('m', content, [], 60_000, 'm', until(60_000));
    box.release('seat');
    expect(await left).toEqual({ to: [], pending: [], expired: false });
    const stalled = box.add('n', content, [], 60_000, 'n', until(60_000));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await stalled).toEqual({ to: [], pending: [], expired: true });
    expect(told).toEqual(['m unaddressed', 'n expired']);
  });

  it('is for each of several who come, but waits no longer than a minute for the others once one has it', async () => {
    const both = new Map([...until(600_000), ['seat of cy', Date.now() + 600_000] as const]);
    const { box } = outbox();
    const delivered = box.add('m', content, [], 600_000, 'm', both);
    box.claim('seat', 'bo', 600_000);
    expect(box.confirm('m', 'bo')).toBe(true);
    await vi.advanceTimersByTimeAsync(59_000);
    expect(await soFar(delivered)).toBe('waiting');
    expect(box.claim('seat of cy', 'cy', 600_000)).toEqual(['m']);
    box.confirm('m', 'cy');
    expect(await delivered).toEqual({ to: ['bo', 'cy'], pending: [], expired: false });

    const alone = box.add(
      'n',
      content,
      [],
      600_000,
      'n',
      new Map(Array.from(both.keys(), (seat) => [seat, Date.now() + 600_000])),
    );
    box.claim('seat', 'bo', 600_000);
    box.confirm('n', 'bo');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await alone).toEqual({ to: ['bo'], pending: [], expired: false });
    expect(box.claim('seat of cy', 'cy', 600_000)).toEqual([]);
  });

  it('is for nobody after a reload, which no handshake outlives, and can be sent again', () => {
    const kept = new Map<string, KeptOutgoing | undefined>();
    const before = new Outbox((id, outgoing) => kept.set(id, outgoing));
    void before.add('m', content, [], 60_000, 'm', until(60_000));
    const { box, told } = outbox();
    box.restore(kept.get('m') as KeptOutgoing);
    expect([told, box.claim('seat', 'bo', 60_000)]).toEqual([['m unaddressed'], []]);
    expect(box.retry('m', { members: ['bo'], seats: new Map() }, 60_000)).toBeDefined();
  });
});

describe('sending again', () => {
  const audience = (...members: string[]) => ({ members, seats: new Map<string, number>() });

  it('reaches who does not have it, with what changed it, and says how that ends', async () => {
    const { box, told } = outbox();
    expect(await box.add('m', content, [], 60_000)).toEqual({ to: [], pending: [], expired: false });
    const edit = new Uint8Array([2]);
    void box.add('edit', edit, [], 60_000, 'm');
    void box.add('another', content, [], 60_000);
    const retried = box.retry('m', audience('bo'), 60_000);
    expect(retried?.again).toEqual([
      { content, members: ['bo'] },
      { content: edit, members: ['bo'] },
    ]);
    expect(told).toEqual(['m unaddressed', 'edit unaddressed', 'another unaddressed', 'm sent', 'edit sent']);
    box.confirm('m', 'bo');
    expect(await retried?.delivered).toEqual({ to: ['bo'], pending: [], expired: false });
  });

  it('is not needed for what changes a message that somebody may come back to', () => {
    const { box } = outbox();
    void box.add('m', content, ['bo'], 60_000);
    box.forgetMember('bo');
    const edit = new Uint8Array([2]);
    void box.add('edit', edit, [], 60_000, 'm');
    box.revive('bo', 60_000);
    expect(box.unconfirmed('bo')).toEqual([content, edit]);
  });

  it('is for nobody who has it, and waits for nobody where nobody is here', async () => {
    const { box } = outbox();
    void box.add('m', content, ['bo', 'cy'], 60_000);
    box.confirm('m', 'bo');
    box.forgetMember('cy');
    expect(box.retry('m', audience('bo'), 60_000)?.again).toEqual([{ content, members: [] }]);
    expect(await box.retry('m', audience(), 60_000)?.delivered).toEqual({ to: ['bo', 'cy'], pending: ['cy'], expired: false });
    expect(box.retry('m', audience('bo', 'di'), 60_000)?.again).toEqual([{ content, members: ['di'] }]);
  });

  it('answers also who waits for the first time of sending', async () => {
    const { box } = outbox();
    const first = box.add('m', content, ['bo'], 60_000);
    const second = box.retry('m', audience('bo'), 60_000)?.delivered;
    box.confirm('m', 'bo');
    expect(await first).toEqual(await second);
  });
});
