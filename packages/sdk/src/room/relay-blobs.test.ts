import { describe, expect, it } from 'vitest';
import type { RelaySession } from '../transport/relay-session.ts';
import type { BlobTransport } from '../transport/transport.ts';
import { RelayBlobs } from './relay-blobs.ts';

/** A seat whose relay takes two requests at a time, and answers when told. */
function seat() {
  const sent: number[] = [];
  const answers: (() => void)[] = [];
  const blobs = {
    put({ index }: { index: number }) {
      sent.push(index);
      return new Promise((resolve) => answers.push(() => resolve({ ok: { chunks: index + 1, complete: false } })));
    },
  } as unknown as BlobTransport;
  const session = { joined: true, blobs, limits: { blobs: { inFlight: 2 } } } as unknown as RelaySession;
  return { port: new RelayBlobs(() => session), sent, answer: () => answers.shift()?.() };
}

describe('chunks that wait for their turn', () => {
  it('go out in order, as many at a time as the relay takes', async () => {
    const { port, sent, answer } = seat();
    const { signal } = new AbortController();
    const all = [0, 1, 2, 3].map((index) => port.put({ blob: 'a', index, last: false }, new Uint8Array(1), signal));
    await expect.poll(() => sent).toEqual([0, 1]);
    answer();
    await expect.poll(() => sent).toEqual([0, 1, 2]);
    for (let i = 0; i < 3; i++) {
      await expect.poll(() => sent.length).toBe(Math.min(4, 3 + i));
      answer();
    }
    expect(await Promise.all(all)).toHaveLength(4);
  });

  it('stay here when their transfer was cancelled, and hold up nobody else', async () => {
    const { port, sent, answer } = seat();
    const stop = new AbortController();
    const put = (index: number, { signal }: AbortController) =>
      port.put({ blob: 'a', index, last: false }, new Uint8Array(1), signal).then(
        () => 'stored',
        (error: Error) => error.message,
      );
    const cancelled = [0, 1, 2, 3].map((index) => put(index, stop));
    const other = put(9, new AbortController());
    await expect.poll(() => sent).toEqual([0, 1]);
    stop.abort(new Error('enough'));
    answer();
    answer();
    await expect.poll(() => sent).toEqual([0, 1, 9]);
    answer();
    expect(await Promise.all([...cancelled, other])).toEqual(['stored', 'stored', 'enough', 'enough', 'stored']);
  });
});
