import { afterEach } from 'vitest';
import type { ConnectOptions, Message, Room, RoomState } from '../../../packages/sdk/src/index.ts';
import type { HostileRelay } from '../../../packages/sdk/src/testing/index.ts';
import type { Lab } from './lab.ts';

/** Ana makes rooms, Bo joins them. Both leave after each test, and nothing they do is waited for by sleeping. */

const open: Room[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((room) => room.leave()));
});

export type AnyRelay = Pick<HostileRelay, 'transport'>;

export async function enter({ connect }: Lab, relay: AnyRelay, options: Partial<ConnectOptions> = {}): Promise<Room> {
  const room = await connect({ relay: 'http://relay.test', transport: relay.transport, ...options });
  open.push(room);
  return room;
}

export async function reach(room: Room, state: RoomState): Promise<void> {
  while (room.state !== state) await room.once('state');
}

export async function until(room: Room, holds: () => boolean): Promise<void> {
  while (!holds()) await Promise.race([room.once('members'), room.once('state'), room.once('security')]);
}

/** Ana and Bo with confirmed keys. */
export async function pair(lab: Lab, relay: AnyRelay, options: Partial<ConnectOptions> = {}): Promise<{ ana: Room; bo: Room }> {
  const ana = await enter(lab, relay, { name: 'Ana', ...options });
  const bo = await enter(lab, relay, { name: 'Bo', invite: ana.invite, ...options });
  await Promise.all([reach(ana, 'secure'), reach(bo, 'secure')]);
  return { ana, bo };
}

/** A room of people who all see each other, its creator first. */
export async function gather(lab: Lab, relay: AnyRelay, names: readonly string[]): Promise<Room[]> {
  const [first = 'Ana', ...rest] = names;
  const creator = await enter(lab, relay, { name: first, capacity: Math.max(3, names.length) });
  const rooms = [creator];
  for (const name of rest) rooms.push(await enter(lab, relay, { name, invite: creator.invite }));
  await Promise.all(rooms.map((room) => until(room, () => room.members.length === names.length - 1 && room.state === 'secure')));
  return rooms;
}

/** Texts that arrive at `room` from now on. */
export function textsAt(room: Room): string[] {
  const texts: string[] = [];
  room.on('message', ({ text = '' }: Message) => texts.push(text));
  return texts;
}

let probes = 0;

/** Everything sent before has been worked off on both sides once a message of each has gone through to the other. */
export async function settled(...rooms: readonly Room[]): Promise<void> {
  for (const room of rooms) await (await room.send(`probe ${probes++}`)).delivered;
}

export const isProbe = (text: string): boolean => text.startsWith('probe ');
