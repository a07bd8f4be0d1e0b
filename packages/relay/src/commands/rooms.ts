import { parseArgs } from 'node:util';
import { Hasher } from '../hashes.ts';
import { Orders } from '../operator/orders.ts';
import { pepperOf } from '../pepper.ts';
import { type Database, openDatabase } from '../storage.ts';
import { roomHash } from './logs.ts';
import type { Command } from './run.ts';

export interface RoomLine {
  room: string;
  seats: number;
  capacity: number;
}

/** Lists rooms by their hashes, or orders the running relays to end one. */
export const rooms: Command = async (settings, args) => {
  const { values } = parseArgs({ args, options: { end: { type: 'string' }, json: { type: 'boolean' } } });
  const database = await openDatabase(settings, () => {});
  try {
    if (values.end !== undefined) {
      const room = roomHash(values.end, new Hasher(pepperOf(settings)));
      await new Orders(database.queries).endRoom(room, Date.now());
      console.log(`#${room} is ended by the running relay within a second, or when it starts`);
      return 0;
    }
    const list = settings.redisUrl === undefined ? await fromDatabase(database) : await fromRedis(settings.redisUrl);
    for (const line of list) {
      console.log(values.json ? JSON.stringify(line) : `#${line.room}  ${line.seats} of ${line.capacity} seats taken`);
    }
    return 0;
  } finally {
    await database.close();
  }
};

function fromDatabase({ queries }: Database): Promise<RoomLine[]> {
  return queries
    .selectFrom('room')
    .leftJoin('member', 'member.room', 'room.id')
    .select((eb) => ['room_hash as room', 'capacity', eb.fn.count<number>('member.seat').as('seats')])
    .groupBy(['room.id', 'room_hash', 'capacity'])
    .orderBy('room.id')
    .execute();
}

async function fromRedis(url: string): Promise<RoomLine[]> {
  const { listRooms } = await import('../store/redis/open.ts');
  return listRooms(url);
}
