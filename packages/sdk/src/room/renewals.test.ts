import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { QsecError } from '../errors.ts';
import type { Peer } from './peer.ts';
import { Renewals } from './renewals.ts';

/** Which pairs are due for new keys, apart from any room and without any keys. */

beforeEach(() => {
  vi.useFakeTimers();
  // Pauses are neither longer nor shorter by chance.
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const person = (id: string, presence: 'present' | 'away' = 'present') =>
  ({ id, name: id, presence, heardAt: 0, channel: { epoch: 0 } }) as unknown as Peer & { channel: { epoch: number } };

function pairs(...peers: ReturnType<typeof person>[]) {
  const log = {
    asked: [] as unknown[],
    givenUp: [] as string[],
    failed: [] as { id: string; error: QsecError; asked: boolean }[],
    swept: 0,
  };
  const renewals = new Renewals({
    peers: () => peers,
    ask: async ({ id }, full) => void log.asked.push(full ? `${id} full` : id),
    giveUp: ({ id }) => void log.givenUp.push(id),
    enqueue: (task) => void task(),
    onFailed: ({ id }, error, asked) => log.failed.push({ id, error, asked }),
    onSwept: async () => void log.swept++,
  });
  /** A pair has a new root. */
  const renew = (peer: ReturnType<typeof person>) => {
    peer.channel.epoch++;
    return renewals.renewed(peer);
  };
  /** What was asked since this was asked last. */
  const asked = () => log.asked.splice(0);
  return { renewals, log, asked, renew };
}

const ended = async (done: Promise<void>) => {
  let state = 'open';
  done.then(
    () => {
      state = 'done';
    },
    () => {
      state = 'failed';
    },
  );
  await vi.advanceTimersByTimeAsync(0);
  return state;
};

describe('a sweep', () => {
  it('asks for every pair once, and ends with a new sender key after the last of them', async () => {
    const [bo, cy] = [person('Bo'), person('Cy')];
    const { renewals, log, asked, renew } = pairs(bo, cy);
    await renewals.sweep(false);
    await renewals.sweep(true);
    expect(asked()).toEqual(['Bo', 'Cy']);
    await renew(bo);
    expect(log.swept).toBe(0);
    await renew(cy);
    expect(log.swept).toBe(1);
    await vi.advanceTimersByTimeAsync(600_000);
    expect([asked(), log.givenUp, log.failed, log.swept]).toEqual([[], [], [], 1]);
  });

  it('leaves a pair that waits for its next try to wait', async () => {
    const { renewals, asked } = pairs(person('Bo'));
    await renewals.sweep(false);
    await vi.advanceTimersByTimeAsync(15_000);
    asked();
    await renewals.sweep(false);
    await vi.advanceTimersByTimeAsync(4_999);
    expect(asked()).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(asked()).toEqual(['Bo']);
  });

  it('that is over leaves the next new sender key to the next sweep', async () => {
    const [bo, cy] = [person('Bo'), person('Cy')];
    const { renewals, log, renew } = pairs(bo, cy);
    await renewals.sweep(false);
    await renew(bo);
    await renew(cy);
    await renew(bo);
    expect(log.swept).toBe(1);
  });

  it('of nobody is a new sender key at once', async () => {
    const { renewals, log } = pairs();
    await renewals.sweep(true);
    expect(log.swept).toBe(1);
  });

  it('goes on without who is gone', async () => {
    const [bo, cy] = [person('Bo'), person('Cy')];
    const { renewals, log, renew } = pairs(bo, cy);
    await renewals.sweep(false);
    await renew(bo);
    renewals.forget(cy);
    await vi.advanceTimersByTimeAsync(0);
    expect(log.swept).toBe(1);
    // Who was not waited for ends nothing by going.
    renewals.forget(person('Di'));
    await vi.advanceTimersByTimeAsync(600_000);
    expect([log.swept, log.givenUp]).toEqual([1, []]);
  });

  it('of the others is one for us, too, once every pair is new', async () => {
    const [bo, cy] = [person('Bo'), person('Cy')];
    const { log, renew, renewals } = pairs(bo, cy);
    await renew(bo);
    await renew(bo);
    expect(log.swept).toBe(0);
    await renew(cy);
    expect(log.swept).toBe(1);
    // From here on it counts anew.
    await renew(cy);
    renewals.forget(cy);
    await renew(bo);
    expect(log.swept).toBe(1);
    await renew(cy);
    expect(log.swept).toBe(2);
  });
});

describe('a pair whose keys are not renewed in time', () => {
  it('is given up for this time, told of once, and tried again after pauses that grow up to five minutes', async () => {
    const bo = person('Bo');
    const { renewals, log, asked } = pairs(bo);
    await renewals.sweep(false);
    const at: number[] = [];
    const begun = Date.now();
    asked();
    while (Date.now() - begun < 1_500_000) {
      await vi.advanceTimersByTimeAsync(1_000);
      if (asked().length > 0) at.push((Date.now() - begun) / 1_000);
    }
    const pauses = at.map((time, i) => time - (at[i - 1] ?? 0) - 15);
    expect(pauses).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300]);
    expect(log.givenUp.length).toBe(10);
    expect(log.failed.map(({ id, asked: by }) => [id, by])).toEqual([['Bo', false]]);
    expect(log.failed[0]?.error).toMatchObject({
      code: 'REKEY_FAILED',
      message: 'The keys with "Bo" could not be renewed: messages go on under the old ones.',
      details: { members: ['Bo'] },
    });
  });

  it('waits up to a quarter more or less', async () => {
    for (const [random, seconds] of [
      [0, 3.75],
      [1, 6.25],
    ] as const) {
      vi.mocked(Math.random).mockReturnValue(random);
      const { renewals, asked } = pairs(person('Bo'));
      await renewals.sweep(false);
      asked();
      await vi.advanceTimersByTimeAsync(15_000 + 1_000 * seconds - 1);
      expect(asked()).toEqual([]);
      await vi.advanceTimersByTimeAsync(1);
      expect(asked()).toEqual(['Bo']);
      renewals.close();
    }
  });

  it('is no fault while its member is away and silent; heard from since, or present, it is', async () => {
    const [silent, heard] = [person('Silent', 'away'), person('Heard', 'away')];
    const { renewals, log } = pairs(silent, heard);
    await renewals.sweep(false);
    heard.heardAt = Date.now() + 1;
    await vi.advanceTimersByTimeAsync(15_000);
    expect(log.failed.map(({ id }) => id)).toEqual(['Heard']);
    // Said before it was due, it is no sign that its member is there.
    silent.heardAt = Date.now() - 15_000;
    await vi.advanceTimersByTimeAsync(20_000);
    expect(log.failed).toHaveLength(1);
    silent.presence = 'present';
    await vi.advanceTimersByTimeAsync(120_000);
    expect(log.failed.map(({ id }) => id)).toEqual(['Heard', 'Silent']);
  });

  it('was renewed where the other side uses the new keys: only its last word was lost', async () => {
    const bo = person('Bo');
    const { renewals, log, asked } = pairs(bo);
    await renewals.sweep(false);
    bo.channel.epoch++;
    await vi.advanceTimersByTimeAsync(600_000);
    expect([log.givenUp, log.failed, log.swept, asked()]).toEqual([[], [], 1, ['Bo']]);
  });

  it('is tried again fully where one of those who waited for it wanted that', async () => {
    const bo = person('Bo');
    const { renewals, asked } = pairs(bo);
    await renewals.sweep(false);
    await renewals.call(true);
    expect(asked()).toEqual(['Bo']);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(asked()).toEqual(['Bo full']);
  });
});

describe('a try that waits for its turn', () => {
  it('is not made where its member went meanwhile', async () => {
    const tasks: (() => Promise<void>)[] = [];
    const asked: string[] = [];
    const bo = person('Bo');
    const renewals = new Renewals({
      peers: () => [bo],
      ask: async ({ id }) => void asked.push(id),
      giveUp: () => undefined,
      enqueue: (task) => void tasks.push(task),
      onFailed: () => undefined,
      onSwept: async () => undefined,
    });
    await renewals.sweep(false);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(tasks).toHaveLength(1);
    renewals.forget(bo);
    for (const task of tasks) await task();
    expect(asked).toEqual(['Bo']);
  });
});

describe('a member that comes back', () => {
  it('is asked at once where its absence held its pair up', async () => {
    const bo = person('Bo', 'away');
    const { renewals, asked } = pairs(bo);
    renewals.present(bo);
    await renewals.sweep(true);
    await vi.advanceTimersByTimeAsync(16_000);
    expect(asked()).toEqual(['Bo full']);
    renewals.present(bo);
    expect(asked()).toEqual(['Bo full']);
    // The pause that it waited for ended with that.
    await vi.advanceTimersByTimeAsync(14_000);
    expect(asked()).toEqual([]);
  });

  it('during an attempt is asked again right behind it, and the first failure is not told of', async () => {
    const bo = person('Bo');
    const { renewals, log, asked } = pairs(bo);
    await renewals.sweep(false);
    renewals.present(bo);
    renewals.present(bo);
    expect(asked()).toEqual(['Bo']);
    await vi.advanceTimersByTimeAsync(15_000);
    expect([asked(), log.failed, log.givenUp]).toEqual([['Bo'], [], ['Bo']]);
    // A relay that calls it away again and again hides nothing by that.
    renewals.present(bo);
    await vi.advanceTimersByTimeAsync(15_000);
    expect([asked(), log.failed.length]).toEqual([[], 1]);
  });
});

describe('who asks for new keys', () => {
  it('is told once every pair and the sender key are new', async () => {
    const [bo, cy] = [person('Bo'), person('Cy')];
    const { renewals, asked, renew, log } = pairs(bo, cy);
    const { done } = await renewals.call(true);
    expect(asked()).toEqual(['Bo full', 'Cy full']);
    await renew(bo);
    expect(await ended(done)).toBe('open');
    await renew(cy);
    expect([await ended(done), log.swept]).toEqual(['done', 1]);
  });

  it('is told with whom it failed as soon as nothing is under way, and it goes on by itself', async () => {
    const [bo, cy] = [person('Bo'), person('Cy')];
    const { renewals, asked, renew, log } = pairs(bo, cy);
    const { done } = await renewals.call(false);
    await renew(bo);
    await vi.advanceTimersByTimeAsync(14_999);
    expect(await ended(done)).toBe('open');
    await vi.advanceTimersByTimeAsync(1);
    await expect(done).rejects.toMatchObject({ code: 'REKEY_FAILED', details: { members: ['Cy'] } });
    expect(log.failed.map(({ id, asked: by }) => [id, by])).toEqual([['Cy', true]]);
    asked();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(asked()).toEqual(['Cy']);
    await renew(cy);
    expect(log.swept).toBe(1);
  });

  it('is told of everyone with whom it failed', async () => {
    const { renewals } = pairs(person('Bo'), person('Cy'));
    const { done } = await renewals.call(false);
    await vi.advanceTimersByTimeAsync(15_000);
    await expect(done).rejects.toMatchObject({
      message: 'The keys with "Bo", "Cy" could not be renewed: messages go on under the old ones.',
      details: { members: ['Bo', 'Cy'] },
    });
  });

  it('is told also where its member is away, since somebody waits', async () => {
    const { renewals, log } = pairs(person('Bo', 'away'));
    const { done } = await renewals.call(false);
    await vi.advanceTimersByTimeAsync(15_000);
    expect([await ended(done), log.failed.length]).toEqual(['failed', 1]);
  });

  it('is not told of a pair that failed and was renewed before all the others had ended', async () => {
    const [bo, cy] = [person('Bo'), person('Cy')];
    const { renewals, renew } = pairs(bo, cy);
    await renewals.sweep(false);
    await vi.advanceTimersByTimeAsync(10_000);
    renewals.forget(cy);
    const { done } = await renewals.call(false);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await ended(done)).toBe('open');
    await renew(bo);
    await renew(cy);
    expect(await ended(done)).toBe('done');
  });

  it('is told that the room was left, and nothing is tried any more', async () => {
    const { renewals, log, asked } = pairs(person('Bo'));
    const { done } = await renewals.call(false);
    renewals.close();
    await expect(done).rejects.toMatchObject({
      code: 'CLOSED',
      message: 'The room was left before its keys were renewed.',
    });
    asked();
    await vi.advanceTimersByTimeAsync(600_000);
    expect([asked(), log.givenUp, log.swept]).toEqual([[], [], 0]);
  });
});
