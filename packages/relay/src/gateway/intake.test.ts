import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { defaultSettings } from '../config/settings.ts';
import { type EngineConnection, Intake } from './intake.ts';

/** An intake over a connection that says what becomes of it. */
function observed(rateFrames: number) {
  const said: string[] = [];
  const socket = Object.assign(new EventEmitter(), {
    pause: () => said.push('pause'),
    resume: () => said.push('resume'),
  });
  const conn = Object.assign(new EventEmitter(), { transport: { socket } });
  const intake = new Intake(conn as unknown as EngineConnection, { ...defaultSettings(), rateFrames });
  return { intake, conn, socket, said };
}

describe('a connection', () => {
  it.each([
    ['messages', ({ conn }: ReturnType<typeof observed>) => conn.emit('packet', { type: 'message', data: '2["x"]' })],
    ['heartbeats nobody asked for', ({ conn }: ReturnType<typeof observed>) => conn.emit('packet', { type: 'pong' })],
    ['pings of the WebSocket', ({ socket }: ReturnType<typeof observed>) => socket.emit('ping', Buffer.alloc(0))],
    ['pongs of the WebSocket', ({ socket }: ReturnType<typeof observed>) => socket.emit('pong', Buffer.alloc(0))],
  ])('is not read while too much comes of it: %s', (_, send) => {
    const running = observed(10);
    for (let i = 0; i < 20; i++) send(running);
    expect(running.said).toEqual([]);
    send(running);
    expect(running.said).toEqual(['pause']);
  });
});
