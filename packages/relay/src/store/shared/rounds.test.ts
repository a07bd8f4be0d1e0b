import { afterEach, describe, expect, it, vi } from 'vitest';
import { each, Rounds } from './rounds.ts';

/** Work that ends when the test says so. */
function slowWork() {
  const begun: (() => void)[] = [];
  const work = () => new Promise<void>((resolve) => begun.push(resolve));
  return { begun, work };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('rounds', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('come by themselves, and not while one is under way', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { begun, work } = slowWork();
    const rounds = new Rounds(work, 1000, () => {});
    vi.advanceTimersByTime(5000);
    await turn();
    expect(begun).toHaveLength(1);
    begun[0]!();
    await turn();
    vi.advanceTimersByTime(1000);
    await turn();
    expect(begun).toHaveLength(2);
    begun[1]!();
    await rounds.stop();
  });

  it('that are asked for begin when the one under way is over, and are whole', async () => {
    const { begun, work } = slowWork();
    const rounds = new Rounds(work, 1e6, () => {});
    const [first, second] = [rounds.run(), rounds.run()];
    await turn();
    expect(begun).toHaveLength(1);
    begun[0]!();
    await first;
    await turn();
    expect(begun).toHaveLength(2);
    begun[1]!();
    await second;
    await rounds.stop();
  });

  it('that fail are reported, or fail for who asked, and do not keep the next one from coming', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const failed = vi.fn();
    const work = vi.fn().mockRejectedValueOnce('by itself').mockRejectedValueOnce('asked for').mockResolvedValue(undefined);
    const rounds = new Rounds(work, 1000, failed);
    vi.advanceTimersByTime(1000);
    await turn();
    await expect(rounds.run()).rejects.toBe('asked for');
    await rounds.run();
    expect(failed).toHaveBeenCalledExactlyOnceWith('by itself');
    await rounds.stop();
  });

  it('are over when they are stopped, the one under way included', async () => {
    const { begun, work } = slowWork();
    const rounds = new Rounds(work, 1e6, () => {});
    void rounds.run();
    await turn();
    let stopped = false;
    const stopping = rounds.stop().then(() => {
      stopped = true;
    });
    await turn();
    expect(stopped).toBe(false);
    begun[0]!();
    await stopping;
  });
});

describe('what is done for each of many', () => {
  it('is done for all, so many at a time', async () => {
    let now = 0;
    let most = 0;
    const done: number[] = [];
    await each([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
      most = Math.max(most, ++now);
      await turn();
      now--;
      done.push(item);
    });
    expect(done.sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(most).toBe(3);
  });

  it('and fails for one is done for the others all the same', async () => {
    const done: number[] = [];
    const work = async (item: number) => {
      if (item === 2) throw new Error('two');
      done.push(item);
    };
    await expect(each([1, 2, 3, 4], 2, work)).rejects.toThrow('two');
    expect(done).toEqual([1, 3, 4]);
  });

  it('is given up where it fails for as many as are under way', async () => {
    const work = vi.fn(async (item: number) => {
      throw new Error(`${item}`);
    });
    await expect(each(Array(100).keys(), 3, work)).rejects.toThrow('0');
    expect(work.mock.calls.length).toBeLessThan(10);
  });
});
