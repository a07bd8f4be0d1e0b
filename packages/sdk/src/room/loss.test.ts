import { describe, expect, it, vi } from 'vitest';
import { QsecError } from '../errors.ts';
import { platformCrypto } from '../platform/crypto.ts';
import { HostileRelay } from '../testing/hostile/hostile-relay.ts';
import { memoryStorage } from '../testing/memory-storage.ts';
import { enter, member, until } from './rooms-in-fast-time.ts';
import type { Delivery, Room } from './types.ts';

/** What is said while somebody cannot hear it: it waits, arrives later, or is said not to have arrived. Nothing is called what it is not. */

const heard = (room: Room): string[] => {
  const texts: string[] = [];
  room.on('message', ({ text = '' }) => texts.push(text));
  return texts;
};

const statusOf = (room: Room, text: string) => room.history().find((message) => message.text === text)?.status;

/** Says something, without waiting for what becomes of it. */
function say(room: Room, text: string): { delivery: Delivery | undefined; id: string | undefined } {
  const said: { delivery: Delivery | undefined; id: string | undefined } = { delivery: undefined, id: undefined };
  void room.send(text).then(async ({ id, delivered }) => {
    said.id = id;
    said.delivery = await delivered;
  });
  return said;
}

/** A relay that lets nothing pass between the seats of some members. */
function stalled(relay: HostileRelay): void {
  relay.attack({ tamper: () => [] });
}

const secure = (...rooms: Room[]) => until(() => rooms.every(({ state }) => state === 'secure'));

describe('a message that is sent while a handshake stalls', () => {
  it('reaches the other in order once keys are agreed, whoever was there first', async () => {
    const relay = new HostileRelay();
    stalled(relay);
    const ana = await enter(relay, { name: 'Ana' });
    const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
    const states: string[] = [];
    for (const room of [ana, bo]) room.on('state', (state) => states.push(state));
    const [atAna, atBo] = [heard(ana), heard(bo)];
    const early = say(ana, 'early');
    say(bo, 'from Bo');
    await vi.advanceTimersByTimeAsync(20_000);
    const late = say(ana, 'late');
    await until(() => statusOf(ana, 'late') === 'sending' && statusOf(bo, 'from Bo') === 'sending');
    expect([early.delivery, late.delivery]).toEqual([undefined, undefined]);
    relay.calm();
    await secure(ana, bo);
    await until(() => atBo.length === 2 && atAna.length === 1);
    expect([atAna, atBo]).toEqual([['from Bo'], ['early', 'late']]);
    await until(() => late.delivery !== undefined);
    for (const { delivery } of [early, late]) expect(delivery).toEqual({ to: [bo.me.id], pending: [], expired: false });
    expect(statusOf(ana, 'early')).toBe('delivered');
    // Somebody is there all the time: the room is never shown as empty.
    expect(states).not.toContain('waiting');
  });

  it('tells of the stall once, and goes on trying', async () => {
    const relay = new HostileRelay();
    stalled(relay);
    const ana = await enter(relay, { name: 'Ana' });
    const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
    const errors: string[] = [];
    bo.on('error', ({ code }) => errors.push(code));
    const minutes = async (count: number) => {
      for (let minute = 0; minute < count; minute++) {
        const at = Date.now();
        await until(() => Date.now() >= at + 60_000);
      }
    };
    await minutes(4);
    expect(errors).toEqual([]);
    await minutes(4);
    expect(errors).toEqual(['TIMEOUT']);
    relay.calm();
    await secure(ana, bo);
  });

  it('is for the members whom its author sees, where there are any, and delivered without who is coming', async () => {
    const relay = new HostileRelay();
    const ana = await enter(relay, { name: 'Ana', capacity: 3 });
    const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
    await secure(ana, bo);
    const seats = new Set(relay.seatsOf(relay.rooms[0] as string));
    const toCy = ({ from, to }: { from: string; to: string }) => !seats.has(from) || !seats.has(to);
    relay.attack({ tamper: (frame) => (toCy(frame) ? [] : [frame]) });
    const cy = await enter(relay, { name: 'Cy', invite: ana.invite });
    const atCy = heard(cy);
    const long = say(ana, 'long ago');
    await until(() => long.delivery !== undefined);
    expect(long.delivery).toEqual({ to: [bo.me.id], pending: [], expired: false });
    relay.calm();
    await secure(cy);
    await until(() => ana.members.length === 2);
    say(ana, 'now');
    await until(() => atCy.length > 0);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(atCy).toEqual(['now']);
  });

  it('is not for somebody who has to be let in first', async () => {
    const relay = new HostileRelay();
    stalled(relay);
    const ana = await enter(relay, { name: 'Ana', join: 'approve' });
    const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
    const atBo = heard(bo);
    await vi.advanceTimersByTimeAsync(16_000);
    const said = say(ana, 'before he is let in');
    await vi.advanceTimersByTimeAsync(1_000);
    relay.calm();
    await until(() => ana.members.length === 1);
    await until(() => said.delivery !== undefined);
    expect(said.delivery).toEqual({ to: [], pending: [], expired: false });
    expect(statusOf(ana, 'before he is let in')).toBe('unaddressed');
    await ana.approve(member(ana, bo));
    await secure(ana, bo);
    say(ana, 'welcome');
    await until(() => atBo.length > 0);
    expect(atBo).toEqual(['welcome']);
  });

  it('was for nobody where the other gives up', async () => {
    const relay = new HostileRelay();
    stalled(relay);
    const ana = await enter(relay, { name: 'Ana' });
    const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
    await until(() => ana.state === 'agreeing');
    await vi.advanceTimersByTimeAsync(16_000);
    const said = say(ana, 'are you there?');
    await until(() => statusOf(ana, 'are you there?') === 'sending');
    await bo.leave();
    await until(() => said.delivery !== undefined);
    expect(said.delivery).toEqual({ to: [], pending: [], expired: false });
    expect([ana.state, statusOf(ana, 'are you there?')]).toEqual(['waiting', 'unaddressed']);
  });
});

describe('a message to nobody', () => {
  it('says so, and can be sent again to who comes, with its edits, once', async () => {
    const relay = new HostileRelay();
    const ana = await enter(relay, { name: 'Ana' });
    const sent = await ana.send('hello?');
    expect([sent.status, await sent.delivered]).toEqual(['unaddressed', { to: [], pending: [], expired: false }]);
    await ana.edit(sent.id, 'hello!');
    expect(await (await ana.retry(sent.id)).delivered).toEqual({ to: [], pending: [], expired: false });

    const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
    await secure(ana, bo);
    expect(bo.history()).toEqual([]);
    const again = await ana.retry(sent.id);
    expect(again.id).toBe(sent.id);
    await until(() => ana.history()[0]?.status === 'delivered');
    expect(await again.delivered).toEqual({ to: [bo.me.id], pending: [], expired: false });
    await until(() => bo.history()[0]?.text === 'hello!');
    expect(bo.history()).toHaveLength(1);
    await bo.read(sent.id);
    await until(() => ana.history()[0]?.status === 'read');
    await expect(ana.retry(sent.id)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(bo.retry(sent.id)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('can be sent again while its content is held, and says when it is not', async () => {
    const ana = await enter(new HostileRelay(), { name: 'Ana' });
    const first = await ana.send('0');
    await Promise.all(Array.from({ length: 4096 }, (_, i) => ana.send(String(i + 1))));
    await expect(ana.retry(first.id)).rejects.toMatchObject({ code: 'EXPIRED' });
    expect(statusOf(ana, '0')).toBe('unaddressed');
  });
});

describe('a member who is away longer than the relay keeps what is sent', () => {
  /** Bo keeps his room, and is away while Ana, who stays, says something. */
  async function away(gone: boolean) {
    const relay = new HostileRelay();
    const kept = { persist: 'device' as const, storage: memoryStorage() };
    const ana = await enter(relay, { name: 'Ana', capacity: 3 });
    const bo = await enter(relay, { name: 'Bo', invite: ana.invite, ...kept });
    await secure(ana, bo);
    const [room] = relay.rooms as [string];
    const seat = relay.seatsOf(room)[1] as string;
    await bo.suspend();
    await until(() => member(ana, bo).presence === 'away');
    const said = say(ana, 'while you were away');
    await until(() => statusOf(ana, 'while you were away') === 'sent');
    if (gone) relay.claim(room, { seat, presence: 'gone' });
    else await vi.advanceTimersByTimeAsync(11 * 60_000);
    await until(() => said.delivery !== undefined);
    return { relay, ana, bo, said, back: () => enter(relay, { invite: ana.invite, ...kept }) };
  }

  it.each([
    ['is gone, as the relay says', true],
    ['is given up by the relay in time', false],
  ])('and %s: what was said is called expired, and arrives with its edit when they are back', async (_, gone) => {
    const { ana, bo, said, back } = await away(gone);
    expect(said.delivery).toEqual({ to: [bo.me.id], pending: [bo.me.id], expired: false });
    expect(statusOf(ana, 'while you were away')).toBe('expired');
    await ana.edit(said.id as string, 'while you were away, edited');

    const again = await back();
    await secure(ana, again);
    await until(() => again.history()[0]?.text === 'while you were away, edited');
    await until(() => ana.history()[0]?.status === 'delivered');
    expect(again.me.id).toBe(bo.me.id);
    say(ana, 'and on');
    await until(() => again.history().length === 2);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(again.history().map(({ text }) => text)).toEqual(['while you were away, edited', 'and on']);
  });

  it('and comes back as somebody else gets it where it is sent again', async () => {
    const { relay, ana, said } = await away(true);
    const other = await enter(relay, { name: 'Bo', invite: ana.invite });
    await secure(ana, other);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(other.history()).toEqual([]);
    await ana.retry(said.id as string);
    await until(() => other.history().length === 1);
    // The Bo of before still lacks it.
    await until(() => ana.history()[0]?.status === 'expired');
  });
});

describe('what goes wrong', () => {
  it('in our own work is an error event, and what others send wrong is not', async () => {
    const relay = new HostileRelay();
    const logged: string[] = [];
    const ana = await enter(relay, { name: 'Ana', logger: (_, message) => logged.push(message) });
    const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
    await secure(ana, bo);
    const errors: QsecError[] = [];
    ana.on('error', (error) => errors.push(error));

    relay.attack({ tamper: (frame) => [{ ...frame, body: frame.body.map((byte, i) => (i > 40 ? byte ^ 1 : byte)) }] });
    await bo.send('changed on the way');
    await until(() => logged.some((line) => line.includes('refused')));
    const refused = logged.length;
    relay.attack({ tamper: (frame) => [{ ...frame, body: new Uint8Array(0) }] });
    await bo.send('cut to nothing');
    await until(() => logged.length > refused);
    expect(errors).toEqual([]);

    const broken = vi
      .spyOn(platformCrypto, 'cipher')
      .mockRejectedValue(new QsecError('INVALID_ARGUMENT', 'as if it were a frame'));
    ana.typing();
    await until(() => errors.length > 0);
    broken.mockRestore();
    expect(errors[0]).toMatchObject({ code: 'INVALID_ARGUMENT', message: 'as if it were a frame' });
  });
});
