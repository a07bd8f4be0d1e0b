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
  return {
    port: new RelayBlobs(() => session),
    session: session as { joined: boolean; blobs?: BlobTransport },
    sent,
    answer: () => answers.shift()?.(),
  };
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

describe('a request for a file', () => {
  const { signal } = new AbortController();

  it('without a connection, or to a relay that keeps no files, is refused, and holds up nobody else', async () => {
    const { port, session, sent } = seat();
    const put = () => port.put({ blob: 'a', index: 0, last: false }, new Uint8Array(1), signal);
    session.joined = false;
    for (let time = 0; time < 3; time++)
      await expect(put()).rejects.toMatchObject({
        code: 'RELAY_UNREACHABLE',
        message: 'There is no connection to the relay at the moment.',
      });
    session.joined = true;
    delete session.blobs;
    await expect(put()).rejects.toMatchObject({ code: 'UNSUPPORTED', message: 'This relay keeps no files.' });
    expect(sent).toEqual([]);
  });

  it('waits for a seat at the relay, unless there is one or it is cancelled', async () => {
    const { port, session } = seat();
    await port.ready(signal);
    session.joined = false;
    let ready = 0;
    const waiting = [1, 2].map(() => port.ready(signal).then(() => ready++));
    await Promise.resolve();
    expect(ready).toBe(0);
    port.arrived();
    await Promise.all(waiting);
    expect(ready).toBe(2);
  });

  it('that is cancelled waits no more', async () => {
    const { port, session } = seat();
    session.joined = false;
    const reason = new Error('enough');
    await expect(port.ready(AbortSignal.abort(reason))).rejects.toBe(reason);
    const stop = new AbortController();
    const waiting = port.ready(stop.signal);
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    session.joined = true;
    await expect(port.ready(AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
