import { afterEach, describe, expect, it, vi } from 'vitest';
import { Pairing } from '../protocol/pairing.ts';
import { rehearse } from './rehearsal.ts';

const agreement = { required: true, source: 'bb84', pulses: 32_768, threshold: 0.11 } as const;

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('the rehearsal of a handshake', () => {
  it('plays it to its end, twice, only while the page is idle', async () => {
    const idle = vi.fn((callback: () => void) => queueMicrotask(callback));
    vi.stubGlobal('requestIdleCallback', idle);
    const started = vi.spyOn(Pairing, 'initiate');
    await rehearse(agreement, () => false);
    expect(started).toHaveBeenCalledTimes(2);
    const first = await (started.mock.results[0]?.value as ReturnType<typeof Pairing.initiate> | undefined);
    expect(first?.pairing.result?.report?.finalBits).toBe(256);
    // M1 to M5 with the flights between them are six messages.
    expect(idle.mock.calls.length).toBeGreaterThanOrEqual(12);
  });

  it('stops as soon as there is something real to do', async () => {
    let steps = 0;
    vi.stubGlobal('requestIdleCallback', (callback: () => void) => {
      steps++;
      queueMicrotask(callback);
    });
    await rehearse(agreement, () => steps >= 2);
    expect(steps).toBe(2);
  });
});
