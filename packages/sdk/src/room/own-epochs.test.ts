import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { randomBytes } from '../protocol/random.ts';
import { SenderKey } from '../protocol/sender-key.ts';
import { OwnEpochs } from './own-epochs.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] }));
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function begin() {
  const announced: number[] = [];
  const tasks: Promise<void>[] = [];
  const epochs = new OwnEpochs({
    roomId: randomBytes(16),
    identity: randomBytes(32),
    rosterHash: () => randomBytes(32),
    announce: async ({ epoch }) => void announced.push(epoch),
    enqueue: (task) => void tasks.push(task()),
  });
  return { epochs, announced, tasks };
}

describe('an epoch of ours', () => {
  it('lasts for fifteen minutes, and another one is announced before anything is sealed then', async () => {
    const { epochs, announced } = begin();
    await epochs.current();
    vi.advanceTimersByTime(899_999);
    expect((await epochs.current()).epoch).toBe(1);
    vi.advanceTimersByTime(1);
    expect((await epochs.current()).epoch).toBe(2);
    expect(announced).toEqual([1, 2]);
  });

  it('lasts for 65 536 frames', async () => {
    const { epochs, announced } = begin();
    await epochs.current();
    const count = vi.spyOn(SenderKey.prototype, 'count', 'get').mockReturnValue(65_535);
    expect((await epochs.current()).epoch).toBe(1);
    count.mockReturnValue(65_536);
    expect((await epochs.current()).epoch).toBe(2);
    expect(announced).toEqual([1, 2]);
  });

  it('ends when the roster changes, once for changes that come together', async () => {
    const { epochs, announced, tasks } = begin();
    await epochs.current();
    vi.advanceTimersByTime(1_000);
    for (let i = 0; i < 3; i++) await epochs.rosterChanged();
    vi.advanceTimersByTime(250);
    await Promise.all(tasks);
    expect(announced).toEqual([1, 2, 3]);
  });
});
