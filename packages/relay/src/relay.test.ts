import { randomBytes } from 'node:crypto';
import { encodePushes } from '@qsec2/sdk/wire';
import { describe, expect, it } from 'vitest';
import { newRoom, random16, random32, type TestClient } from './testing/client.ts';
import { joinedRoom, startRelay } from './testing/relay-fixture.ts';

const seatBytes = ({ seat }: TestClient) => Buffer.from(seat, 'base64url');

describe('rooms', () => {
  it('are made once and recognised when made again with the same terms', async () => {
    const { client } = await startRelay();
    const [ana, room] = [await client(), newRoom()];
    const first = await ana.create(room);
    expect(first.ok?.epoch).toHaveLength(22);
    expect(await ana.create(room)).toEqual(first);
    expect((await ana.create({ ...room, token: random32() })).error?.code).toBe('NO_ROOM');
  });

  it('cannot be told from rooms that do not exist by whoever has another token', async () => {
    const { client } = await startRelay();
    const [ana, eve, room] = [await client(), await client(), newRoom()];
    await ana.create(room);
    const wrong = await eve.join({ ...room, token: random32() });
    expect(wrong).toEqual(await eve.join(newRoom()));
    expect(wrong.error?.code).toBe('NO_ROOM');
  });

  it('refuse a member more than they have seats, and a seat whose secret is another one', async () => {
    const running = await startRelay();
    const { room, clients } = await joinedRoom(running);
    const late = await running.client();
    expect((await late.join(room)).error?.code).toBe('ROOM_FULL');
    expect((await late.join(room, { seat: clients[0]!.seat })).error?.code).toBe('SEAT_TAKEN');
  });

  it('give a seat back when its member leaves', async () => {
    const running = await startRelay();
    const {
      room,
      clients: [ana, bo],
    } = await joinedRoom(running);
    expect(await bo!.socket.emitWithAck('leave')).toEqual({ ok: true });
    await ana!.until(() => ana!.presences.some(({ presence }) => presence === 'gone'));
    expect((await (await running.client()).join(room)).ok).toBeDefined();
  });

  it('end for everyone when the end token is shown, and for nobody else', async () => {
    const running = await startRelay();
    const {
      room,
      clients: [ana, bo],
    } = await joinedRoom(running);
    expect((await bo!.socket.emitWithAck('end', { room: room.room, endToken: random32() })).error?.code).toBe('NO_ROOM');
    expect(await ana!.socket.emitWithAck('end', { room: room.room, endToken: room.endToken })).toEqual({ ok: true });
    await bo!.until(() => bo!.ended !== undefined);
    expect(bo!.ended).toBe('ended');
    expect((await bo!.join(room)).error?.code).toBe('NO_ROOM');
  });
});

describe('frames', () => {
  it('reach every member in one order, the sender included, after their acknowledgement', async () => {
    const {
      clients: [ana, bo],
    } = await joinedRoom(await startRelay());
    for (let i = 0; i < 50; i++) (i % 2 ? ana! : bo!).push({ text: `${i}` });
    await Promise.all([ana!, bo!].map((client) => client.until(() => client.deliveries.length === 50)));
    expect(ana!.seqs).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    expect(ana!.deliveries).toEqual(bo!.deliveries);
    expect(ana!.acks.at(-1)!.upTo).toBe(25);
    const own = ana!.deliveries.filter(({ from }) => Buffer.from(from).equals(seatBytes(ana!))).map(({ seq }) => seq);
    expect(ana!.acknowledged).toEqual(own);
    expect(ana!.order.indexOf('ack')).toBeLessThan(ana!.order.lastIndexOf('batch'));
  });

  it('that are addressed take a place for all and reach the addressees only', async () => {
    const {
      clients: [ana, bo, cy],
    } = await joinedRoom(await startRelay(), 3);
    ana!.push({ text: 'for bo', to: [seatBytes(bo!)] }, { text: 'for all' });
    await Promise.all([ana!, bo!, cy!].map((client) => client.until(() => client.cursor === 2)));
    expect(bo!.texts).toEqual(['for bo', 'for all']);
    expect(cy!.texts).toEqual(['for all']);
    expect(cy!.ranges).toEqual([{ from: 1, to: 2 }]);
    expect(ana!.texts).toEqual(['for all']);
  });

  it('that are transient take no place and are not kept', async () => {
    const running = await startRelay();
    const {
      room,
      clients: [ana, bo],
    } = await joinedRoom(running);
    ana!.push({ text: 'typing', transient: true }, { text: 'hello' });
    await bo!.until(() => bo!.texts.length === 2);
    expect([...bo!.texts].sort()).toEqual(['hello', 'typing']);
    await ana!.until(() => ana!.acknowledged.length === 2);
    expect(ana!.acknowledged).toEqual([0, 1]);
    bo!.close();
    const again = await running.client({ identity: bo! });
    await again.join(room, { since: { epoch: (await ana!.create(room)).ok!.epoch, seq: 0 } });
    await again.until(() => again.cursor === 1);
    expect(again.texts).toEqual(['hello']);
  });

  it('that are pushed again keep their place and are delivered once', async () => {
    const {
      clients: [ana, bo],
    } = await joinedRoom(await startRelay());
    const cid = randomBytes(16);
    ana!.push({ cid, text: 'once' }, { cid, text: 'once' });
    ana!.push({ cid, text: 'once' });
    ana!.push({ text: 'then' });
    await bo!.until(() => bo!.texts.includes('then'));
    expect(bo!.texts).toEqual(['once', 'then']);
    await ana!.until(() => ana!.acknowledged.length === 4);
    expect(ana!.acknowledged).toEqual([1, 1, 1, 2]);
    // The client id is the sender's own: another member may use the same.
    bo!.push({ cid, text: 'mine' });
    await ana!.until(() => ana!.texts.includes('mine'));
  });

  it('too large are refused one by one, with a reason', async () => {
    const {
      clients: [ana],
    } = await joinedRoom(await startRelay({ frameBytes: 1024 }));
    ana!.push({ text: 'x'.repeat(1025) }, { text: 'fits' });
    await ana!.until(() => ana!.acks.length === 1);
    expect(ana!.acks[0]).toMatchObject({ upTo: 2, seq: [-1, 1], refused: [{ push: 1, error: { code: 'TOO_LARGE' } }] });
  });
});

describe('resuming', () => {
  it('goes on from the place named, while the member was away', async () => {
    const running = await startRelay();
    const {
      room,
      clients: [ana, bo],
    } = await joinedRoom(running);
    ana!.push({ text: 'before' });
    await bo!.until(() => bo!.cursor === 1);
    bo!.close();
    await ana!.until(() => ana!.presences.some(({ presence }) => presence === 'away'));
    ana!.push(...Array.from({ length: 100 }, (_, i) => ({ text: `${i}`.padEnd(20_000) })).slice(0, 50));
    await ana!.until(() => ana!.cursor === 51);
    const again = await running.client({ identity: bo! });
    const epoch = (await ana!.create(room)).ok!.epoch;
    const reply = await again.join(room, { since: { epoch, seq: 1 } });
    expect(reply.ok).toMatchObject({ epoch, head: 51 });
    expect(reply.ok?.gap).toBeUndefined();
    await again.until(() => again.cursor === 51);
    expect(again.seqs).toEqual(Array.from({ length: 50 }, (_, i) => i + 2));
    await ana!.until(() => ana!.presences.at(-1)?.presence === 'present');
  });

  it('with a place of another epoch gets everything the log has', async () => {
    const running = await startRelay();
    const {
      room,
      clients: [ana, bo],
    } = await joinedRoom(running);
    bo!.close();
    ana!.push({ text: 'one' });
    await ana!.until(() => ana!.cursor === 1);
    const again = await running.client({ identity: bo! });
    await again.join(room, { since: { epoch: random16(), seq: 77 } });
    await again.until(() => again.texts.length === 1);
    expect(again.texts).toEqual(['one']);
  });

  it('takes the seat from an older connection of the same member', async () => {
    const running = await startRelay();
    const {
      room,
      clients: [ana, bo],
    } = await joinedRoom(running);
    const twin = await running.client({ identity: bo! });
    expect((await twin.join(room)).ok).toBeDefined();
    await bo!.until(() => bo!.socket.disconnected);
    ana!.push({ text: 'still here' });
    await twin.until(() => twin.texts.includes('still here'));
    expect(ana!.presences.filter(({ presence }) => presence !== 'present')).toEqual([]);
  });
});

describe('a message that is not one', () => {
  const cases: [string, (client: TestClient) => void, string][] = [
    ['a push of random bytes', ({ socket }) => socket.emit('push', randomBytes(300)), 'BAD_REQUEST'],
    ['a push that is a text', ({ socket }) => socket.emit('push', 'hello' as never), 'BAD_REQUEST'],
    ['a receipt without a number', ({ socket }) => socket.emit('recv', { upTo: 'x' } as never), 'BAD_REQUEST'],
    ['a report of an unknown kind', ({ socket }) => socket.emit('report', { kind: 'x' } as never), 'BAD_REQUEST'],
    ['a request without a reply', ({ socket }) => socket.emit('join', {} as never, undefined as never), 'BAD_REQUEST'],
  ];

  it.each(cases)('is refused and ends the connection: %s', async (_, send, code) => {
    const {
      clients: [ana],
    } = await joinedRoom(await startRelay());
    send(ana!);
    await ana!.until(() => ana!.socket.disconnected);
    expect(ana!.errors.map((error) => error.code)).toEqual([code]);
  });

  it('is refused before a seat was taken', async () => {
    const { client } = await startRelay();
    const ana = await client();
    ana.socket.emit('push', encodePushes([{ cid: randomBytes(16), body: new Uint8Array(1) }]));
    await ana.until(() => ana.socket.disconnected);
    expect(ana.errors[0]?.code).toBe('NOT_JOINED');
  });

  it.each([{}, null, 7, { room: 'x' }, { ...newRoom(), capacity: 17 }, { ...newRoom(), capacity: 2, room: `${random16()}A` }])(
    'is refused as a request: %j',
    async (request) => {
      const { client } = await startRelay();
      const ana = await client();
      expect((await ana.socket.emitWithAck('create', request as never)).error?.code).toBe('BAD_REQUEST');
    },
  );
});

describe('stopping', () => {
  it('acknowledges what was taken, says when to come back, and keeps rooms for the next start', async () => {
    const running = await startRelay();
    const {
      room,
      clients: [ana, bo],
    } = await joinedRoom(running);
    const epoch = (await ana!.create(room)).ok!.epoch;
    ana!.push({ text: 'last words' });
    await ana!.until(() => ana!.acks.length === 1);
    await running.relay.close();
    await ana!.until(() => ana!.socket.disconnected);
    expect(ana!.said).toBe('bye');
    const next = await startRelay({ dataDir: running.dataDir });
    const again = await next.client({ identity: bo! });
    const reply = await again.join(room, { since: { epoch, seq: 0 } });
    expect(reply.ok?.epoch).toBe(epoch);
    expect(reply.ok?.members.map(({ presence }) => presence).sort()).toEqual(['away', 'present']);
    await again.until(() => again.texts.length === 1);
  });
});
