import { afterEach, describe, expect, it } from 'vitest';
import { interceptResend, simulatedChannel } from '../bb84/index.ts';
import type { ConnectOptions } from '../options.ts';
import { Invite } from '../protocol/invite.ts';
import { MemoryRelay } from '../testing/memory-relay.ts';
import { connect } from './connect.ts';
import type { Message, Room, RoomState } from './types.ts';

const open: Room[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((room) => room.leave()));
});

async function enter(relay: MemoryRelay, options: Partial<ConnectOptions> = {}): Promise<Room> {
  const room = await connect({ relay: 'http://relay.test', transport: relay.transport, ...options });
  open.push(room);
  return room;
}

async function reach(room: Room, state: RoomState): Promise<void> {
  while (room.state !== state) await room.once('state');
}

async function pair(relay: MemoryRelay, options: Partial<ConnectOptions> = {}) {
  const ana = await enter(relay, { name: 'Ana', ...options });
  const bo = await enter(relay, { name: 'Bo', invite: ana.invite, ...options });
  await Promise.all([reach(ana, 'secure'), reach(bo, 'secure')]);
  return { ana, bo };
}

const nextMessage = (room: Room): Promise<Message> => room.once('message');

describe('two members', () => {
  it('agree keys by the link and write to each other', async () => {
    const { ana, bo } = await pair(new MemoryRelay());
    const atBo = nextMessage(bo);
    const sent = await ana.send('hello Bo');
    expect(await atBo).toMatchObject({ text: 'hello Bo', kind: 'text', status: 'received' });
    expect(await sent.delivered).toEqual({ to: [bo.me.id], pending: [], expired: false });
    expect(ana.history().map(({ status }) => status)).toEqual(['delivered']);

    const atAna = nextMessage(ana);
    await bo.send('hello Ana');
    const received = await atAna;
    expect(received.text).toBe('hello Ana');
    expect(received.from).toMatchObject({ name: 'Bo', id: bo.me.id });
  });

  it('see the same safety number and emoji, and each other’s identity', async () => {
    const { ana, bo } = await pair(new MemoryRelay());
    const [bosAna] = bo.members;
    const [anasBo] = ana.members;
    expect(anasBo?.safetyNumber).toMatch(/^(\d{5} ){11}\d{5}$/);
    expect(anasBo?.safetyNumber).toBe(bosAna?.safetyNumber);
    expect(anasBo?.emoji).toEqual(bosAna?.emoji);
    expect(anasBo?.emoji).toHaveLength(7);
    expect([anasBo?.id, bosAna?.id]).toEqual([bo.me.id, ana.me.id]);
    expect([ana.me.creator, bo.me.creator]).toEqual([true, false]);
  });

  it('report what the key agreement really did, alike on both sides', async () => {
    const { ana, bo } = await pair(new MemoryRelay());
    const [mine, theirs] = [ana.members[0]?.report, bo.members[0]?.report];
    expect(mine).toMatchObject({ pulses: 32_768, verified: true, finalBits: 256, provenance: 'simulated' });
    for (const count of ['pulses', 'detected', 'sifted', 'sampled', 'disclosed', 'corrected'] as const) {
      expect(mine?.[count]).toBe(theirs?.[count]);
    }
    expect(mine?.qber.combined).toBeGreaterThan(0);
    expect(mine?.qber.combined).toBeLessThan(0.04);
  });

  it('keep the order of many messages and lose none', async () => {
    const { ana, bo } = await pair(new MemoryRelay());
    const texts = Array.from({ length: 200 }, (_, i) => `message ${i}`);
    const received: (string | undefined)[] = [];
    const all = new Promise<void>((resolve) => {
      bo.on('message', ({ text }) => received.push(text) === texts.length && resolve());
    });
    await Promise.all(texts.map((text) => ana.send(text)));
    await all;
    expect(received).toEqual(texts);
  });

  it('can write before the keys are there: it goes out with them', async () => {
    const relay = new MemoryRelay();
    const ana = await enter(relay);
    const atAna = nextMessage(ana);
    const bo = await enter(relay, { invite: ana.invite.link('https://app.test/chat') });
    await bo.send('early');
    expect((await atAna).text).toBe('early');
  });

  it('see each other typing', async () => {
    const { ana, bo } = await pair(new MemoryRelay());
    const typing = bo.once('typing');
    ana.typing();
    expect(await typing).toMatchObject({ typing: true, member: { id: ana.me.id } });
  });

  it('learn when the other leaves, and destroy its keys', async () => {
    const { ana, bo } = await pair(new MemoryRelay());
    const destroyed = ana.once('security');
    await bo.leave();
    expect(await destroyed).toMatchObject({ kind: 'key-destroyed' });
    expect(ana.members).toEqual([]);
    expect([ana.state, bo.state]).toEqual(['waiting', 'closed']);
    await expect(bo.send('after')).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('a connection that drops', () => {
  it('shows reconnecting, goes on in the same session, and delivers what was sent meanwhile once', async () => {
    const relay = new MemoryRelay();
    const { ana, bo } = await pair(relay);
    const epoch = ana.security.epoch;
    const received: (string | undefined)[] = [];
    bo.on('message', ({ text }) => received.push(text));

    relay.cut();
    await Promise.all([reach(ana, 'reconnecting'), reach(bo, 'reconnecting')]);
    const sent = await ana.send('while away');
    expect(sent.status).toBe('sending');
    relay.restore();
    await Promise.all([reach(ana, 'secure'), reach(bo, 'secure')]);
    expect((await sent.delivered).pending).toEqual([]);
    await (await ana.send('afterwards')).delivered;
    expect(received).toEqual(['while away', 'afterwards']);
    expect(ana.security.epoch).toBe(epoch);
  });
});

describe('an eavesdropper', () => {
  it('who measures every photon is caught, and no key is made', async () => {
    const relay = new MemoryRelay();
    const channel = simulatedChannel({ eavesdropper: interceptResend(1) });
    const ana = await enter(relay);
    const failed = ana.once('error');
    const bo = await enter(relay, { invite: ana.invite, keyAgreement: { channel } });
    await Promise.all([reach(ana, 'aborted'), reach(bo, 'aborted')]);
    expect(await failed).toMatchObject({ code: 'QBER_EXCEEDED' });
    expect([ana.members, bo.members]).toEqual([[], []]);
    await expect(bo.send('secret')).rejects.toMatchObject({ code: 'QBER_EXCEEDED' });
  });

  it('leaves no trace when the two may go on without BB84', async () => {
    const relay = new MemoryRelay();
    const keyAgreement = { policy: 'optional' as const, channel: simulatedChannel({ eavesdropper: interceptResend(1) }) };
    const { ana, bo } = await pair(relay, { keyAgreement });
    expect(ana.members[0]?.report).toBeUndefined();
    const atBo = nextMessage(bo);
    await ana.send('without quantum');
    expect((await atBo).text).toBe('without quantum');
  });

  it('can be retried once the channel is quiet', async () => {
    const relay = new MemoryRelay();
    const noisy = simulatedChannel({ eavesdropper: interceptResend(1) });
    const ana = await enter(relay);
    const bo = await enter(relay, { invite: ana.invite, keyAgreement: { channel: noisy } });
    await Promise.all([reach(ana, 'aborted'), reach(bo, 'aborted')]);
    // Ana's own channel is quiet, and who begins sends the pulses.
    ana.retry();
    await Promise.all([reach(ana, 'secure'), reach(bo, 'secure')]);
  });
});

describe('who is not invited', () => {
  it('is refused with a wrong link', async () => {
    const relay = new MemoryRelay();
    const { invite } = await enter(relay);
    const wrong = new Invite({ ...invite, secret: new Uint8Array(32) });
    await expect(enter(relay, { invite: wrong })).rejects.toMatchObject({ code: 'ROOM_NOT_FOUND' });
    await expect(enter(relay, { invite: invite.code.slice(0, -4) })).rejects.toMatchObject({ code: 'INVITE_INVALID' });
  });

  it('is refused when every place is taken', async () => {
    const relay = new MemoryRelay();
    const { ana } = await pair(relay);
    await expect(enter(relay, { invite: ana.invite })).rejects.toMatchObject({ code: 'ROOM_FULL' });
  });

  it('cannot pose as the creator, even with the link', async () => {
    const relay = new MemoryRelay();
    const honest = await enter(relay);
    // An impostor makes the room it knows the link of at a relay of its own, with an identity of its own.
    const elsewhere = new MemoryRelay();
    const impostor = await enter(elsewhere);
    const pinned = new Invite({ ...impostor.invite, creator: honest.invite.creator });
    const bo = await enter(elsewhere, { invite: pinned });
    expect(await bo.once('error')).toMatchObject({ code: 'HANDSHAKE_FAILED' });
    expect(bo.members).toEqual([]);
  });
});

describe('connect', () => {
  it.each<[string, Partial<ConnectOptions>]>([
    ['relay', { relay: 'ftp://relay.test' }],
    ['capacity', { capacity: 1 }],
    ['keyAgreement.pulses', { keyAgreement: { pulses: 10 } }],
    ['keyAgreement.threshold', { keyAgreement: { threshold: 0.5 } }],
  ])('names the option %s when its value is no use', async (name, options) => {
    await expect(enter(new MemoryRelay(), options)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(`"${name}"`),
    });
  });

  it('can be cancelled', async () => {
    await expect(enter(new MemoryRelay(), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
  });
});
