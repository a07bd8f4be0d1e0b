import { connect, type Logger, type Room } from '@qsec2/sdk';
import { MAX_FRAME_BYTES } from '@qsec2/sdk/wire';
import { afterEach, describe, expect, it } from 'vitest';
import { smallDisk } from '../packages/relay/src/testing/small-disk.ts';
import { CuttableProxy } from './support/file-transfer.mjs';
import { RelayProcess } from './support/relay-process.ts';

/** A relay that cannot take what it is sent for a while. Nobody who writes has to write again. */

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

const probe = smallDisk(1);
const noDisk = 'reason' in probe ? probe.reason : undefined;
if (!('reason' in probe)) probe.dispose();

/** Two people; what the relay refused Ana, and what Bo received, in order. */
async function converse(env: Record<string, string>) {
  const relay = await RelayProcess.start(env);
  cleanUp.push(() => relay.stop());
  const proxy = await CuttableProxy.listen(relay.port);
  cleanUp.push(() => proxy.close());
  const refused: unknown[] = [];
  const logger: Logger = (_, __, fields) => void refused.push(fields?.code);
  const ana = await connect({ relay: relay.url, name: 'Ana', logger });
  const bo = await connect({ relay: proxy.url, name: 'Bo', invite: ana.invite.code });
  cleanUp.push(() => Promise.all([ana.leave(), bo.leave()]));
  while (ana.state !== 'secure' || bo.state !== 'secure') await Promise.race([ana.once('state'), bo.once('state')]);
  const errors: unknown[] = [];
  ana.on('error', (error) => errors.push(error));
  const received: (string | undefined)[] = [];
  bo.on('message', ({ text }) => received.push(text));
  return { relay, proxy, ana, bo, refused, errors, received };
}

const text = (number: number, bytes: number) => `${number} `.padEnd(bytes, 'x');

/** Sends until the condition holds. @returns what was sent */
async function sendUntil(room: Room, condition: () => boolean, bytes: number) {
  const sent: { text: string; delivered: Promise<unknown> }[] = [];
  while (!condition()) {
    const { text: own, delivered } = await room.send(text(sent.length, bytes));
    sent.push({ text: own as string, delivered });
    await new Promise((resolve) => setImmediate(resolve));
  }
  return sent;
}

describe('messages that the relay would not take', () => {
  it.skipIf(noDisk)(
    `because its disk was full arrive, once, when it is not${noDisk ? ` (skipped: ${noDisk})` : ''}`,
    async () => {
      const disk = smallDisk(16);
      if ('reason' in disk) throw new Error(disk.reason);
      cleanUp.push(() => disk.dispose());
      const { ana, refused, errors, received } = await converse({
        RELAY_DATA_DIR: disk.folder,
        RELAY_DATABASE_URL: `sqlite:${disk.folder}/relay.db`,
      });
      disk.fill();
      const sent = await sendUntil(ana, () => refused.includes('RELAY_UNREACHABLE'), 20_000);
      disk.free();
      await Promise.all(sent.map(({ delivered }) => delivered));
      expect([...received].sort()).toEqual(sent.map(({ text }) => text).sort());
      expect(errors).toEqual([]);
    },
  );

  it('because the mailbox was full of what a slow reader had yet to read arrive, once, when it reads', async () => {
    const { proxy, ana, refused, errors, received } = await converse({ RELAY_ROOM_FRAMES: '16' });
    proxy.hold();
    const sent = await sendUntil(ana, () => refused.includes('RATE_LIMITED'), 60_000);
    proxy.release();
    await Promise.all(sent.map(({ delivered }) => delivered));
    expect([...received].sort()).toEqual(sent.map(({ text }) => text).sort());
    expect(errors).toEqual([]);
  });
});

describe('a sender above its byte rate', () => {
  it('is made to wait, and everything it sent arrives', async () => {
    const [rate, bytes, count] = [200_000, 20_000, 40];
    const { ana, received, errors } = await converse({ RELAY_RATE_BYTES: `${rate}` });
    const began = performance.now();
    const sent = await Promise.all(Array.from({ length: count }, (_, i) => ana.send(text(i, bytes))));
    await Promise.all(sent.map(({ delivered }) => delivered));
    // Two seconds' worth pass at once, the rest at the rate; nothing waits for what came last, one push at most.
    const waited = (count * bytes - MAX_FRAME_BYTES) / rate - 2;
    expect(performance.now() - began).toBeGreaterThan(waited * 1000);
    expect(received.length).toBe(count);
    expect(errors).toEqual([]);
  });
});
