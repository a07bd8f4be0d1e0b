import { describe, expect, it, vi } from 'vitest';
import { HostileRelay, outerType } from '../testing/index.ts';
import type { JoinRequest } from '../wire/index.ts';
import { enter, until } from './rooms-in-fast-time.ts';
import type { Room } from './types.ts';

async function gather(relay: HostileRelay, count: number): Promise<Room[]> {
  const creator = await enter(relay, { name: 'Ana', capacity: count });
  const rooms = [creator];
  for (const name of ['Bo', 'Cy'].slice(0, count - 1)) rooms.push(await enter(relay, { name, invite: creator.invite }));
  for (const room of rooms) while (room.members.length < count - 1) await room.once('members');
  // Who confirmed a message has the keys of its sender.
  for (const room of rooms) await (await room.send('probe')).delivered;
  return rooms;
}

const isJoin = (entry: unknown): entry is { content: JoinRequest } => (entry as { event: string }).event === 'join';

/** Operations in a row that one heartbeat takes, from the sender's timer to the receiver's state, and some more. */
const OPERATIONS = 12;

/** Lets time pass, and what the timers began come to its end: cryptography runs on another thread and knows no false clock. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    await vi.advanceTimersByTimeAsync(1_000);
    for (let i = 0; i < OPERATIONS; i++) await crypto.subtle.digest('SHA-256', new Uint8Array(1));
  }
}

describe('heartbeats', () => {
  it('bring back what the relay dropped, without anyone asking', async () => {
    const relay = new HostileRelay();
    const [ana, bo] = (await gather(relay, 2)) as [Room, Room];
    const heard: (string | undefined)[] = [];
    bo.on('message', ({ text }) => heard.push(text));
    relay.attack({ tamper: (frame) => (outerType(frame.body) === 'group' && !frame.transient ? [] : [frame]) });
    const { delivered } = await ana.send('dropped on the way');
    while (heard.length === 0) await pass(10_000);
    expect(await delivered).toMatchObject({ pending: [], expired: false });
    expect(heard).toEqual(['dropped on the way']);
  });

  it('show what is lost for good: a relay that drops one member’s words for another', async () => {
    const relay = new HostileRelay();
    const [ana, bo, cy] = (await gather(relay, 3)) as [Room, Room, Room];
    const gaps: unknown[] = [];
    cy.on('gap', (gap) => gaps.push(gap));
    const [anas, , cys] = relay.seen.filter(isJoin).map(({ content }) => content.seat);
    const atBo = bo.once('message');
    // Cy gets nothing of Ana's any more, neither messages nor heartbeats nor what she seals for Cy alone.
    relay.attack({ tamper: (frame) => (frame.to === cys && frame.from === anas ? [] : [frame]) });
    await ana.send('not for Cy');
    expect((await atBo).text).toBe('not for Cy');
    while (gaps.length === 0) await pass(10_000);
    expect(gaps).toEqual([{ member: expect.objectContaining({ id: ana.me.id }), missing: 1 }]);
  });

  it('are silent about a room where nothing is lost', async () => {
    const relay = new HostileRelay();
    const [ana, bo] = (await gather(relay, 2)) as [Room, Room];
    const alarms: unknown[] = [];
    for (const room of [ana, bo]) {
      room.on('gap', (gap) => alarms.push(gap));
      room.on('security', ({ kind }) => kind === 'roster-inconsistent' && alarms.push(kind));
      room.on('error', (error) => alarms.push(error));
    }
    let beats = 0;
    relay.attack({
      tamper: (frame) => {
        if (frame.transient) beats++;
        return [frame];
      },
    });
    for (let i = 0; beats < 12; i++) {
      await (await ana.send(String(i))).delivered;
      await pass(10_000);
    }
    expect(alarms).toEqual([]);
  });

  it('bring the keys of a sender that the relay dropped, and what was said under them', async () => {
    const relay = new HostileRelay();
    const [ana, bo] = (await gather(relay, 2)) as [Room, Room];
    const { epoch } = ana.security;
    relay.attack({ tamper: (frame) => (outerType(frame.body) === 'pair' ? [] : [frame]) });
    // A sender key is made anew after 15 minutes.
    while (ana.security.epoch === epoch) await pass(10_000);
    relay.calm();
    await ana.send('under the new key');
    await until(() => bo.history().some(({ text }) => text === 'under the new key'));
  });

  it('bring them for what nobody repeats, too: a text comes again by itself, that somebody is typing does not', async () => {
    const relay = new HostileRelay();
    const [ana, bo] = (await gather(relay, 2)) as [Room, Room];
    const shown: boolean[] = [];
    bo.on('typing', ({ typing }) => shown.push(typing));
    relay.attack({ tamper: (frame) => (outerType(frame.body) === 'pair' ? [] : [frame]) });
    const { epoch } = ana.security;
    while (ana.security.epoch === epoch) await pass(10_000);
    ana.typing();
    await pass(2_000);
    expect(shown).toEqual([]);
    relay.calm();
    await pass(60_000);
    ana.typing();
    await pass(2_000);
    expect(shown).toEqual([true]);
  });
});
