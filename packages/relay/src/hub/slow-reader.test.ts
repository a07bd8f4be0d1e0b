import { randomBytes } from 'node:crypto';
import { encodePushes } from '@qsec2/sdk/wire';
import { describe, expect, it } from 'vitest';
import type { TestClient } from '../testing/client.ts';
import { joinedRoom, startRelay } from '../testing/relay-fixture.ts';

/** The TCP connection under a client, to stop reading from it. */
function tcp({ socket }: TestClient): { pause(): void; resume(): void } {
  const engine = socket.io.engine as unknown as { transport: { ws: { _socket: { pause(): void; resume(): void } } } };
  return engine.transport.ws._socket;
}

describe('a member that stops reading', () => {
  it('slows down who sends, and loses nothing', async () => {
    const running = await startRelay({ rateFrames: 1e6, rateBytes: 2 ** 40 });
    const {
      clients: [ana, bo],
    } = await joinedRoom(running);
    tcp(bo!).pause();
    const body = randomBytes(64 * 1024);
    const total = 600;
    let read = false;
    for (let i = 0; i < total; i++) {
      ana!.socket.emit('push', encodePushes([{ cid: randomBytes(16), body }]));
      // As a client does that keeps to what it was told at join; it goes on when everyone it waits for reads again.
      if (i % 8 === 7) {
        if (ana!.slowed > 0 && !read) {
          tcp(bo!).resume();
          read = true;
        }
        await ana!.until(() => ana!.acknowledged.length > i - 8);
      }
    }
    await bo!.until(() => bo!.cursor === total);
    expect(read).toBe(true);
    expect(bo!.seqs).toEqual(Array.from({ length: total }, (_, i) => i + 1));
    expect(bo!.gaps).toEqual([]);
  });
});
