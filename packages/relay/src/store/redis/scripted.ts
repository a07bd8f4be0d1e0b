import type { Redis } from 'ioredis';
import type { SeatRefusal } from '../store.ts';
import { scripts } from './scripts.ts';

type Argument = string | number | Buffer;
type SeatAnswer = [SeatRefusal, '', 0, 0, 0] | ['ok', epoch: string, head: number, floor: number, resumed: number];

/** A connection with the scripts as commands of their own. */
export interface ScriptedRedis extends Redis {
  roomCreate(...argument: Argument[]): Promise<string>;
  roomTakeSeat(...argument: Argument[]): Promise<SeatAnswer>;
  roomReleaseSeat(...argument: Argument[]): Promise<number>;
  roomLeaveSeat(...argument: Argument[]): Promise<number>;
  roomAppend(...argument: Argument[]): Promise<number[]>;
  roomEnd(...argument: Argument[]): Promise<number>;
  roomSweep(...argument: Argument[]): Promise<string[]>;
  takeDue(...argument: Argument[]): Promise<string[]>;
  nodeBury(...argument: Argument[]): Promise<[rooms: number, left: number]>;
  roomBounds(...argument: Argument[]): Promise<[floor: number, head: number, epoch: string | null]>;
}

export function withScripts(redis: Redis): ScriptedRedis {
  for (const [name, script] of Object.entries(scripts)) redis.defineCommand(name, script);
  return redis as ScriptedRedis;
}
