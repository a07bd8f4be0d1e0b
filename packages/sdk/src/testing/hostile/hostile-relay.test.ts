import { describe, expect, it } from 'vitest';
import { connect } from '../../room/connect.ts';
import { flipBit, noiseBehind, outerType } from './frame.ts';
import { HostileRelay } from './hostile-relay.ts';
import { ALL_MOVES, LOSSLESS, movesFrom } from './moves.ts';
import { Schedule } from './schedule.ts';

const frame = (name: string, from = 'A', to = 'B') => ({
  room: 'R',
  from,
  to,
  transient: false,
  body: new TextEncoder().encode(name) as Uint8Array<ArrayBuffer>,
});
const surroundings = { past: [frame('past', 'C')], seatsOf: () => ['A', 'B', 'C'] };
const names = (frames: readonly { body: Uint8Array }[]) => frames.map(({ body }) => new TextDecoder().decode(body));

describe('a schedule', () => {
  it('holds frames until others have passed on the same way, and the rest until it is over', () => {
    const schedule = new Schedule([
      { kind: 'delay', frames: 2 },
      { kind: 'pass' },
      { kind: 'pass' },
      { kind: 'delay', frames: 9 },
    ]);
    const play = (name: string) => names(schedule.play(frame(name), surroundings));
    expect([play('1'), play('2'), play('3'), play('4')]).toEqual([[], ['2'], ['3', '1'], []]);
    expect(names(schedule.flush())).toEqual(['4']);
    expect(schedule.flush()).toEqual([]);
  });

  it('drops, repeats, replays, splices and reflects', () => {
    const kinds = ['drop', 'repeat', 'replay', 'splice', 'reflect'] as const;
    const schedule = new Schedule(movesFrom(new Uint8Array([0, 0, 1, 0, 2, 0, 3, 1, 4, 0]), kinds));
    expect(schedule.play(frame('x'), surroundings)).toEqual([]);
    expect(names(schedule.play(frame('x'), surroundings))).toEqual(['x', 'x']);
    expect(schedule.play(frame('x'), surroundings)).toEqual([frame('x'), frame('past', 'C')]);
    expect(schedule.play(frame('x'), surroundings)).toEqual([frame('x', 'C')]);
    expect(schedule.play(frame('x'), surroundings)).toEqual([frame('x', 'B', 'A'), frame('x')]);
    expect(schedule.play(frame('y'), surroundings)).toEqual([frame('y')]);
  });

  it('is read from bytes: zeros pass, and every move can be asked for', () => {
    expect(movesFrom(new Uint8Array(4))).toEqual([{ kind: 'pass' }, { kind: 'pass' }]);
    const all = movesFrom(Uint8Array.from({ length: 512 }, (_, i) => i >> 1));
    expect(new Set(all.map(({ kind }) => kind))).toEqual(new Set(ALL_MOVES));
    expect(LOSSLESS).not.toContain('drop');
  });
});

describe('frames', () => {
  it('are flipped one bit at a time and show their outer type', () => {
    expect([...flipBit(new Uint8Array([0, 0]), 0)]).toEqual([0x80, 0]);
    expect([...flipBit(new Uint8Array([0, 0]), 15)]).toEqual([0, 1]);
    expect(noiseBehind(new Uint8Array(9).fill(7), 4).subarray(0, 4)).toEqual(new Uint8Array(4).fill(7));
    expect([1, 2, 3, 9].map((type) => outerType(new Uint8Array([1, type])))).toEqual(['handshake', 'pair', 'group', 'unknown']);
  });
});

describe('a hostile relay that is calm', () => {
  it('carries a conversation and has a copy of everything', async () => {
    const relay = new HostileRelay();
    const options = { relay: 'http://relay.test', transport: relay.transport };
    const ana = await connect({ ...options, name: 'Ana' });
    const bo = await connect({ ...options, name: 'Bo', invite: ana.invite });
    for (const room of [ana, bo]) while (room.state !== 'secure') await room.once('state');
    const received = bo.once('message');
    await (await ana.send('hello')).delivered;
    expect((await received).text).toBe('hello');
    expect(relay.rooms).toHaveLength(1);
    expect(relay.seatsOf(relay.rooms[0] as string)).toHaveLength(2);
    expect(new Set(relay.captured.map(({ body }) => outerType(body)))).toEqual(new Set(['handshake', 'pair', 'group']));

    relay.cut();
    while (bo.state !== 'reconnecting') await bo.once('state');
    const again = bo.once('message');
    await ana.send('while Bo was away');
    relay.restore();
    expect((await again).text).toBe('while Bo was away');
    await Promise.all([ana.leave(), bo.leave()]);
  });
});
