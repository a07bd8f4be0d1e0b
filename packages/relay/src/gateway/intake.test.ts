import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { defaultSettings } from '../config/settings.ts';
import { type EngineConnection, Intake } from './intake.ts';

/** An intake over a connection that says what becomes of it. */
function observed(rateFrames: number, rateBytes = 2 ** 40) {
  const said: string[] = [];
  const socket = Object.assign(new EventEmitter(), {
    pause: () => said.push('pause'),
    resume: () => said.push('resume'),
  });
  const conn = Object.assign(new EventEmitter(), { transport: { socket } });
  const intake = new Intake(conn as unknown as EngineConnection, { ...defaultSettings(), rateFrames, rateBytes });
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

  it('counts a frame for a text, and the bytes of everything', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const { conn, intake, said } = observed(1000, 100);
    const told: number[] = [];
    intake.onPacket = (pauseMs) => told.push(pauseMs);
    conn.emit('packet', { type: 'message', data: Buffer.alloc(100) });
    conn.emit('packet', { type: 'message', data: 'x'.repeat(100) });
    conn.emit('packet', { type: 'pong' });
    expect([told, said]).toEqual([[0, 0, 0], []]);
    conn.emit('packet', { type: 'message', data: Buffer.alloc(50) });
    expect([told.at(-1), said]).toEqual([500, ['pause']]);
    vi.advanceTimersByTime(499);
    expect(said).toEqual(['pause']);
    vi.advanceTimersByTime(1);
    expect(said).toEqual(['pause', 'resume']);
    vi.useRealTimers();
  });

  it('that goes on sending is read from later still', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const { intake, said } = observed(10);
    expect([intake.count(20, 0), intake.count(1, 0), intake.count(1, 0)]).toEqual([0, 100, 200]);
    vi.advanceTimersByTime(199);
    expect(said).toEqual(['pause']);
    vi.advanceTimersByTime(1);
    expect(said).toEqual(['pause', 'resume']);
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it('counts bytes of pings and pongs', () => {
    const { socket, said } = observed(1000, 100);
    socket.emit('ping', Buffer.alloc(125));
    expect(said).toEqual([]);
    socket.emit('pong', Buffer.alloc(125));
    expect(said).toEqual(['pause']);
  });

  it('over a transport that cannot be paused is counted all the same', () => {
    const conn = Object.assign(new EventEmitter(), { transport: {} });
    const intake = new Intake(conn as unknown as EngineConnection, { ...defaultSettings(), rateFrames: 1 });
    expect([intake.count(2, 0), intake.count(1, 0) > 900]).toEqual([0, true]);
    intake.reading.end();
  });
});
