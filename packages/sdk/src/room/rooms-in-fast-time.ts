import { afterEach, beforeEach, expect, vi } from 'vitest';
import type { ConnectOptions } from '../options.ts';
import type { HostileRelay } from '../testing/hostile/hostile-relay.ts';
import { connect } from './connect.ts';
import type { Member, Room } from './types.ts';

/** For tests: rooms over a hostile relay, while time passes as fast as they compute. They are left after each test. */

const open: Room[] = [];
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], shouldAdvanceTime: true });
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((room) => room.leave()));
  vi.useRealTimers();
});

/** A member comes. */
export async function enter(relay: HostileRelay, options: Partial<ConnectOptions>): Promise<Room> {
  const room = await connect({ relay: 'http://relay.test', transport: relay.transport, ...options });
  open.push(room);
  return room;
}

/** Lets time pass until something holds; at most two minutes of it. */
export async function until(holds: () => boolean): Promise<void> {
  for (let step = 0; step < 1_200 && !holds(); step++) {
    await vi.advanceTimersByTimeAsync(100);
    for (let turn = 0; turn < 4; turn++) await crypto.subtle.digest('SHA-256', new Uint8Array(1));
  }
  expect(holds()).toBe(true);
}

/** How one member sees another. */
export const member = (room: Room, { me }: Room): Member => {
  const found = room.members.find(({ id }) => id === me.id);
  if (!found) throw new Error(`${room.me.name} does not see ${me.name}`);
  return found;
};
