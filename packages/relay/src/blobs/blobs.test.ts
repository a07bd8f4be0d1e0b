import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BLOB_CHUNK_BYTES, type BlobProgress, type Reply } from '@qsec2/sdk/wire';
import { describe, expect, it } from 'vitest';
import { random16, type TestClient } from '../testing/client.ts';
import { joinedRoom, startRelay } from '../testing/relay-fixture.ts';

const full = () => randomBytes(BLOB_CHUNK_BYTES);

const send = (client: TestClient, blob: string, index: number, chunk: Buffer, last = false): Promise<Reply<BlobProgress>> =>
  client.socket.emitWithAck('blob:put', { blob, index, last }, chunk);

describe('sealed files', () => {
  it('go from a member to every other member, many chunks under way at once', async () => {
    const running = await startRelay();
    const { clients } = await joinedRoom(running, 3);
    const [ana, bo, cy] = clients as [TestClient, TestClient, TestClient];
    const blob = random16();
    const chunks = [...Array.from({ length: 11 }, full), randomBytes(1234)];
    const replies = await Promise.all(chunks.map((chunk, i) => send(ana, blob, i, chunk, i === chunks.length - 1)));
    expect(replies.at(-1)).toEqual({ ok: { chunks: 12, complete: true } });
    for (const reader of [bo, cy, ana]) {
      const got = await Promise.all(chunks.map((_, index) => reader.socket.emitWithAck('blob:get', { blob, index })));
      expect(Buffer.compare(Buffer.concat(got.map(({ ok }) => Buffer.from(ok?.data ?? []))), Buffer.concat(chunks))).toBe(0);
    }
    expect(await bo.socket.emitWithAck('blob:drop', { blob })).toMatchObject({ error: { code: 'REFUSED' } });
    expect(await ana.socket.emitWithAck('blob:drop', { blob })).toEqual({ ok: true });
    expect(await bo.socket.emitWithAck('blob:get', { blob })).toMatchObject({ error: { code: 'NO_BLOB' } });
  });

  it('are out of reach for members of other rooms, and for who has not joined', async () => {
    const running = await startRelay();
    const { clients } = await joinedRoom(running);
    const { clients: others } = await joinedRoom(running);
    const blob = random16();
    await send(clients[0]!, blob, 0, full(), true);
    expect((await others[0]!.socket.emitWithAck('blob:get', { blob, index: 0 })).error?.code).toBe('NO_BLOB');
    const stranger = await running.client();
    expect((await stranger.socket.emitWithAck('blob:get', { blob, index: 0 })).error?.code).toBe('NOT_JOINED');
    expect((await send(stranger, blob, 0, full())).error?.code).toBe('NOT_JOINED');
  });

  it('are counted for the metrics', async () => {
    const running = await startRelay();
    const { clients } = await joinedRoom(running);
    const blob = random16();
    await send(clients[0]!, blob, 0, full());
    await send(clients[0]!, blob, 1, full(), true);
    await clients[1]!.socket.emitWithAck('blob:get', { blob, index: 1 });
    const metrics = await (await fetch(`${running.url}/metrics`)).text();
    const value = (name: string) => Number(new RegExp(`^qsec2_relay_${name} (\\d+)$`, 'm').exec(metrics)?.[1]);
    expect([value('blobs'), value('blob_chunks_stored_total'), value('blob_chunks_sent_total')]).toEqual([1, 2, 1]);
    expect(value('blob_bytes')).toBeGreaterThanOrEqual(2 * BLOB_CHUNK_BYTES);
  });

  it('end with their room', async () => {
    const running = await startRelay();
    const { room, clients } = await joinedRoom(running);
    await send(clients[0]!, random16(), 0, full(), true);
    const folder = join(running.dataDir, 'blobs');
    expect(await readdir(folder)).toHaveLength(1);
    await clients[0]!.socket.emitWithAck('end', { room: room.room, endToken: room.endToken });
    await expect.poll(() => readdir(folder)).toEqual([]);
  });

  it('have the limits that members are told, and a code of their own when the room is full', async () => {
    const running = await startRelay({ blobRoomBytes: 2 * 2 ** 20 });
    const { room, clients } = await joinedRoom(running);
    const reply = await (await running.client()).join(room, { seat: clients[0]!.seat, seatSecret: clients[0]!.seatSecret });
    expect(reply.ok?.limits.blobs).toMatchObject({ roomBytes: 2 * 2 ** 20, retentionMs: 86_400_000 });
    const blob = random16();
    const stored: Reply<BlobProgress>[] = [];
    for (let i = 0; i < 31; i++) stored.push(await send(clients[1]!, blob, i, full()));
    expect(stored.at(-1)?.ok).toEqual({ chunks: 31, complete: false });
    expect((await send(clients[1]!, blob, 31, full())).error?.code).toBe('QUOTA');
  });
});

describe('a request that is none', () => {
  it.each<[string, unknown[]]>([
    ['a path for a name', [{ blob: '../../../etc/passwd', index: 0, last: true }, randomBytes(100)]],
    ['a negative index', [{ blob: random16(), index: -1, last: true }, randomBytes(100)]],
    ['an index beyond all bounds', [{ blob: random16(), index: 2 ** 40, last: true }, randomBytes(100)]],
    ['a short chunk that is not the last', [{ blob: random16(), index: 0, last: false }, randomBytes(100)]],
    ['a chunk that is too long', [{ blob: random16(), index: 0, last: true }, randomBytes(BLOB_CHUNK_BYTES + 1)]],
    ['an empty chunk', [{ blob: random16(), index: 0, last: true }, Buffer.alloc(0)]],
    ['text for a chunk', [{ blob: random16(), index: 0, last: true }, 'x'.repeat(100)]],
    ['nothing', [undefined, undefined]],
  ])('with %s is refused and stores nothing', async (_, values) => {
    const running = await startRelay();
    const { clients } = await joinedRoom(running);
    const emit = clients[0]!.socket.emitWithAck.bind(clients[0]!.socket) as (...args: unknown[]) => Promise<Reply<unknown>>;
    expect((await emit('blob:put', ...values)).error?.code).toBe('BAD_REQUEST');
    expect((await emit('blob:get', values[0] && { blob: '../x' })).error?.code).toBe('BAD_REQUEST');
    expect(await readdir(join(running.dataDir, 'blobs'))).toEqual([]);
  });

  it('does not hurt when it comes many times at once: what is too much is refused, the rest is done', async () => {
    const running = await startRelay();
    const { clients } = await joinedRoom(running);
    const blob = random16();
    await send(clients[0]!, blob, 0, full(), true);
    const all = await Promise.all(
      Array.from({ length: 200 }, () => clients[1]!.socket.emitWithAck('blob:get', { blob, index: 0 })),
    );
    const codes = new Set(all.map(({ error }) => error?.code));
    expect(codes).toEqual(new Set([undefined, 'RATE_LIMITED']));
    expect(all.filter(({ ok }) => ok).length).toBeGreaterThanOrEqual(32);
  });
});
