import { afterEach, describe, expect, it } from 'vitest';
import type { QsecError } from '../errors.ts';
import type { ConnectOptions } from '../options.ts';
import { MemoryRelay } from '../testing/memory-relay.ts';
import { memoryStorage } from '../testing/memory-storage.ts';
import type { TransportFactory } from '../transport/transport.ts';
import { connect } from './connect.ts';
import type { Member, Message, Room } from './types.ts';

const open: Room[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((room) => room.leave()));
});

/** One member's own network, which can be cut without touching the others'. */
function networkOf(relay: MemoryRelay) {
  const connections: ReturnType<TransportFactory>[] = [];
  let reachable = true;
  const transport: TransportFactory = (url, handlers) => {
    const connection = relay.transport(url, handlers) as ReturnType<TransportFactory> & { cut(): void };
    connections.push(connection);
    if (!reachable) connection.cut();
    return connection;
  };
  const each = (act: (connection: { cut(): void; open(): void }) => void) =>
    connections.forEach((connection) => void act(connection as never));
  return {
    transport,
    cut() {
      reachable = false;
      each((connection) => connection.cut());
    },
    restore() {
      reachable = true;
      each((connection) => connection.open());
    },
  };
}

async function enter(relay: Pick<MemoryRelay, 'transport'>, options: Partial<ConnectOptions> = {}): Promise<Room> {
  const room = await connect({ relay: 'http://relay.test', transport: relay.transport, ...options });
  open.push(room);
  return room;
}

async function until(room: Room, holds: () => boolean): Promise<void> {
  const names = ['members', 'state', 'security', 'message', 'update'] as const;
  while (!holds()) await Promise.race(names.map((name) => room.once(name)));
}

/** Everybody sees the others, present, and shares keys with them. */
const together = (...rooms: Room[]) =>
  Promise.all(
    rooms.map((room) =>
      until(
        room,
        () =>
          room.state === 'secure' &&
          room.members.length === rooms.length - 1 &&
          room.members.every(({ presence, name }) => presence === 'present' && name !== 'Guest'),
      ),
    ),
  );

async function gather(relay: MemoryRelay, names: string[], options: Partial<ConnectOptions> = {}): Promise<Room[]> {
  const [first = '', ...rest] = names;
  const creator = await enter(relay, { name: first, capacity: Math.max(3, names.length), ...options });
  const others = await Promise.all(rest.map((name) => enter(relay, { name, invite: creator.invite })));
  await together(creator, ...others);
  return [creator, ...others];
}

const member = (room: Room, other: Room): Member => {
  const found = room.members.find(({ id }) => id === other.me.id);
  if (!found) throw new Error(`${room.me.name} does not see ${other.me.name}`);
  return found;
};

const failure = async (room: Room): Promise<QsecError> => room.once('error');

const texts = (room: Room) => room.history().map(({ text }) => text);

async function heard(room: Room, text: string): Promise<Message> {
  for (;;) {
    const message = room.history().find((candidate) => candidate.text === text);
    if (message) return message;
    await Promise.race([room.once('message'), room.once('update')]);
  }
}

describe('removing a member', () => {
  it('tells it so, and goes on without it under a new link', async () => {
    const relay = new MemoryRelay();
    const [ana, bo, cy] = (await gather(relay, ['Ana', 'Bo', 'Cy'])) as [Room, Room, Room];
    const old = ana.invite;
    const told = failure(cy);
    const atBo = bo.once('security');
    await ana.removeMember(member(ana, cy));

    expect(await told).toMatchObject({ code: 'REMOVED' });
    await until(cy, () => cy.state === 'closed');
    await together(ana, bo);
    expect(await atBo).toBeDefined();
    expect([ana.invite.generation, bo.invite.code]).toEqual([1, ana.invite.code]);
    expect(ana.invite.code).not.toBe(old.code);
    expect(ana.invite.roomId).toEqual(old.roomId);

    expect((await (await bo.send('two of us')).delivered).to).toEqual([ana.me.id]);
    await (await ana.send('indeed')).delivered;
    expect(texts(bo)).toEqual(['two of us', 'indeed']);
    expect(texts(cy)).toEqual([]);
  });

  it('tells of the new link with an event', async () => {
    const relay = new MemoryRelay();
    const [ana, bo, cy] = (await gather(relay, ['Ana', 'Bo', 'Cy'])) as [Room, Room, Room];
    const events = [ana, bo].map(
      (room) =>
        new Promise<string>((resolve) =>
          room.on(
            'security',
            ({ kind, member: of }) => kind === 'member-removed' && resolve(`${of?.name} ${room.invite.generation}`),
          ),
        ),
    );
    await ana.removeMember(member(ana, cy));
    expect(await Promise.all(events)).toEqual(['Cy 1', 'Cy 1']);
  });

  it('lets newcomers in by the new link, who are vouched for by members that show their word', async () => {
    const relay = new MemoryRelay();
    const [ana, bo, cy] = (await gather(relay, ['Ana', 'Bo', 'Cy'])) as [Room, Room, Room];
    await ana.removeMember(member(ana, cy));
    await together(ana, bo);
    const di = await enter(relay, { name: 'Di', invite: bo.invite });
    await together(ana, bo, di);
    await until(di, () => di.members.every(({ attested }) => attested));
    expect((await (await di.send('hello')).delivered).to).toHaveLength(2);
  });

  it('delivers once what was sent meanwhile, in order', async () => {
    const relay = new MemoryRelay();
    const [ana, bo, cy, di] = (await gather(relay, ['Ana', 'Bo', 'Cy', 'Di'])) as [Room, Room, Room, Room];
    const sending = [ana.send('1'), bo.send('a'), ana.removeMember(member(ana, cy)), bo.send('b'), ana.send('2'), di.send('x')];
    await Promise.all(sending);
    await bo.send('c');
    await Promise.all([heard(ana, 'c'), heard(di, 'c'), heard(bo, '2'), heard(di, '2'), heard(ana, 'x'), heard(bo, 'x')]);
    await together(ana, bo, di);
    for (const room of [ana, bo, di]) {
      const shown = texts(room);
      expect([...shown].sort()).toEqual(['1', '2', 'a', 'b', 'c', 'x']);
      expect(shown.filter((text) => /[abc]/.test(text ?? ''))).toEqual(['a', 'b', 'c']);
      expect(shown.filter((text) => /\d/.test(text ?? ''))).toEqual(['1', '2']);
    }
  });

  it('takes a member along who was away, with what was sent before and after', async () => {
    const relay = new MemoryRelay();
    const network = networkOf(relay);
    const ana = await enter(relay, { name: 'Ana', capacity: 4 });
    const [bo, cy] = [
      await enter(network, { name: 'Bo', invite: ana.invite }),
      await enter(relay, { name: 'Cy', invite: ana.invite }),
    ];
    await together(ana, bo, cy);
    network.cut();
    await until(bo, () => bo.state === 'reconnecting');
    await ana.send('before');
    await ana.removeMember(member(ana, cy));
    const after = await ana.send('after');
    expect(member(ana, bo).presence).toBe('away');
    network.restore();
    await together(ana, bo);
    expect(await after.delivered).toMatchObject({ to: [bo.me.id], pending: [] });
    expect(texts(bo)).toEqual(['before', 'after']);
    expect(bo.invite.code).toBe(ana.invite.code);
  });

  it('takes a member along who was away and reloaded, and one who missed two removals', async () => {
    const relay = new MemoryRelay();
    const kept = { persist: 'device' as const, storage: memoryStorage() };
    const ana = await enter(relay, { name: 'Ana', capacity: 4 });
    const bo = await enter(relay, { name: 'Bo', invite: ana.invite, ...kept });
    const [cy, di] = [
      await enter(relay, { name: 'Cy', invite: ana.invite }),
      await enter(relay, { name: 'Di', invite: ana.invite }),
    ];
    await together(ana, bo, cy, di);
    const old = ana.invite;
    await bo.suspend();
    await ana.removeMember(member(ana, cy));
    await until(di, () => di.invite.generation === 1);
    await ana.removeMember(member(ana, di));
    const sent = await ana.send('welcome back');
    const again = await enter(relay, { invite: old, ...kept });
    await together(ana, again);
    expect(again.invite.code).toBe(ana.invite.code);
    expect((await sent.delivered).pending).toEqual([]);
    expect(texts(again)).toEqual(['welcome back']);
    expect(again.me.id).toBe(bo.me.id);
  });

  it('says to who comes by the old link that it is one', async () => {
    const relay = new MemoryRelay();
    const [ana, bo, cy] = (await gather(relay, ['Ana', 'Bo', 'Cy'])) as [Room, Room, Room];
    const old = ana.invite;
    await ana.removeMember(member(ana, cy));
    await together(ana, bo);
    const di = await enter(relay, { name: 'Di', invite: old });
    expect(await failure(di)).toMatchObject({ code: 'ROOM_NOT_FOUND' });
    await until(di, () => di.state === 'closed');
    expect(ana.members.map(({ id }) => id)).toEqual([bo.me.id]);
  });

  it('says so to who was away and reloaded when it was removed', async () => {
    const relay = new MemoryRelay();
    const kept = { persist: 'device' as const, storage: memoryStorage() };
    const ana = await enter(relay, { name: 'Ana', capacity: 3 });
    const bo = await enter(relay, { name: 'Bo', invite: ana.invite, ...kept });
    await together(ana, bo);
    const old = ana.invite;
    await bo.suspend();
    await ana.removeMember(member(ana, bo));
    const again = await enter(relay, { invite: old, ...kept });
    expect(await failure(again)).toMatchObject({ code: 'REMOVED' });
    await until(again, () => again.state === 'closed');
  });

  it('stays in force after a reload, new link included', async () => {
    const relay = new MemoryRelay();
    const kept = { persist: 'device' as const, storage: memoryStorage() };
    const ana = await enter(relay, { name: 'Ana', capacity: 3, ...kept });
    const [bo, cy] = [
      await enter(relay, { name: 'Bo', invite: ana.invite }),
      await enter(relay, { name: 'Cy', invite: ana.invite }),
    ];
    await together(ana, bo, cy);
    await ana.removeMember(member(ana, cy));
    await together(ana, bo);
    const { code } = ana.invite;
    await ana.suspend();
    const again = await enter(relay, { invite: code, ...kept });
    await together(again, bo);
    expect(again.invite.code).toBe(code);
    await (await bo.send('still here')).delivered;
    expect(texts(again)).toEqual(['still here']);
  });

  it('is for who may', async () => {
    const relay = new MemoryRelay();
    const [ana, bo, cy] = (await gather(relay, ['Ana', 'Bo', 'Cy'])) as [Room, Room, Room];
    await expect(bo.removeMember(member(bo, cy))).rejects.toMatchObject({ code: 'NO_ADMIN' });
    await ana.delegate(member(ana, bo), ['remove']);
    await until(bo, () => bo.policy.delegates.length === 1);
    await expect(bo.removeMember(member(bo, ana))).rejects.toMatchObject({ code: 'NO_ADMIN' });
    await expect(bo.lock()).rejects.toMatchObject({ code: 'NO_ADMIN' });
    await until(cy, () => cy.policy.delegates.length === 1);
    await bo.removeMember(member(bo, cy));
    await together(ana, bo);
    expect(ana.invite.code).toBe(bo.invite.code);
    await expect(ana.removeMember(cy.members[0] as Member)).rejects.toBeDefined();
  });

  it('comes to one room when two do it at once', async () => {
    const relay = new MemoryRelay();
    const [ana, bo, cy, di, ed] = (await gather(relay, ['Ana', 'Bo', 'Cy', 'Di', 'Ed'])) as [Room, Room, Room, Room, Room];
    await ana.delegate(member(ana, bo), ['remove']);
    await Promise.all([bo, cy, di, ed].map((room) => until(room, () => room.policy.delegates.length === 1)));
    await Promise.all([ana.removeMember(member(ana, cy)), bo.removeMember(member(bo, di))]);
    await together(ana, bo, ed);
    expect(new Set([ana, bo, ed].map(({ invite }) => invite.code)).size).toBe(1);
    await Promise.all([cy, di].map((room) => until(room, () => room.state === 'closed')));
    await (await ed.send('the three of us')).delivered;
    expect([texts(ana), texts(bo)]).toEqual([['the three of us'], ['the three of us']]);
  });
});

describe('a room in which somebody is removed again and again', () => {
  it('has no more than 16 of its former places looked after', async () => {
    const relay = new MemoryRelay();
    const connections = new Set<unknown>();
    const transport: TransportFactory = (url, handlers) => {
      const connection = relay.transport(url, handlers);
      connections.add(connection);
      const { close } = connection;
      connection.close = () => {
        connections.delete(connection);
        close.call(connection);
      };
      return connection;
    };
    const ana = await enter({ transport }, { name: 'Ana', capacity: 3 });
    for (let i = 0; i < 18; i++) {
      const eve = await enter(relay, { name: 'Eve', invite: ana.invite });
      await until(ana, () => ana.members.some(({ id }) => id === eve.me.id));
      await ana.removeMember(ana.members.find(({ id }) => id === eve.me.id) as Member);
    }
    expect(connections.size).toBe(17);
    expect(ana.invite.generation).toBe(18);
  });
});
