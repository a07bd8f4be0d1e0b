import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { ChildRelay } from './testing/child-relay.ts';
import { newRoom, TestClient } from './testing/client.ts';
import { afterThisTest, temporaryFolder } from './testing/relay-fixture.ts';

async function start(dataDir: string): Promise<ChildRelay> {
  const relay = await ChildRelay.start(dataDir);
  afterThisTest(() => relay.stop('SIGKILL'));
  return relay;
}

async function connect(relay: ChildRelay, identity?: TestClient): Promise<TestClient> {
  const client = new TestClient(relay.url, identity && { identity });
  afterThisTest(() => client.close());
  return client.connected();
}

it('keeps every acknowledged frame through kill -9, and knows pushes that are repeated', async () => {
  const dataDir = temporaryFolder();
  const room = newRoom();
  const first = await start(dataDir);
  const [ana, bo] = [await connect(first), await connect(first)];
  const { epoch } = (await ana.create(room)).ok!;
  await ana.join(room);
  await bo.join(room);
  bo.close();
  const pushes = Array.from({ length: 400 }, (_, i) => ({ cid: randomBytes(16), text: `${i}` }));
  // Killed in the middle: some are acknowledged, some committed without the sender knowing, some never arrived.
  for (const push of pushes) ana.push(push);
  await ana.until(() => ana.acknowledged.length > 0);
  await first.stop('SIGKILL');
  await ana.until(() => ana.socket.disconnected);
  const acknowledged = ana.acknowledged.length;

  const second = await start(dataDir);
  const again = await connect(second, ana);
  const joined = (await again.join(room, { since: { epoch, seq: ana.cursor } })).ok!;
  expect(joined.epoch).toBe(epoch);
  expect(joined.head).toBeGreaterThanOrEqual(acknowledged);
  expect(joined.members).toEqual(
    expect.arrayContaining([
      { seat: ana.seat, presence: 'present' },
      { seat: bo.seat, presence: 'away' },
    ]),
  );
  for (const push of pushes) again.push(push);
  await again.until(() => again.acknowledged.length === pushes.length);
  expect(again.acknowledged.slice(0, acknowledged)).toEqual(ana.acknowledged);

  const reader = await connect(second, bo);
  await reader.join(room, { since: { epoch, seq: 0 } });
  await reader.until(() => reader.cursor === pushes.length);
  expect(reader.gaps).toEqual([]);
  expect(reader.texts.sort()).toEqual(pushes.map(({ text }) => text).sort());
});

it('ends by itself, with nothing left to wait for, when it is asked to', async () => {
  const relay = await start(temporaryFolder());
  const client = await connect(relay);
  expect(await relay.stop('SIGTERM')).toBe(0);
  await client.until(() => client.socket.disconnected);
  expect(client.said).toBe('bye');
});
