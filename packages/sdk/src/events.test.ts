import { describe, expect, it } from 'vitest';
import { Emitter } from './events.ts';

interface Events {
  error: number;
  other: number;
}

const turn = () => new Promise<void>((resolve) => queueMicrotask(resolve));

describe('events that happened before anybody listened', () => {
  it('are heard by the first who does, and those after them as they come', async () => {
    const emitter = new Emitter<Events>('error');
    const heard: number[] = [];
    emitter.emit('error', 1);
    emitter.emit('error', 2);
    emitter.on('error', (error) => heard.push(error));
    emitter.emit('error', 3);
    await turn();
    emitter.emit('error', 4);
    expect(heard).toEqual([1, 2, 3, 4]);
    const late: number[] = [];
    emitter.on('error', (error) => late.push(error));
    await turn();
    expect(late).toEqual([]);
  });

  it('wait for the next where the first listens once, also after everybody was dropped', async () => {
    const emitter = new Emitter<Events>('error');
    for (let i = 1; i <= 3; i++) emitter.emit('error', i);
    emitter.removeAll();
    expect(await emitter.once('error')).toBe(1);
    expect(await emitter.once('error')).toBe(2);
    const heard: number[] = [];
    emitter.on('error', (error) => heard.push(error));
    await turn();
    expect(heard).toEqual([3]);
  });

  it('are the last sixteen, and none of other names', async () => {
    const emitter = new Emitter<Events>('error');
    for (let i = 0; i < 20; i++) {
      emitter.emit('error', i);
      emitter.emit('other', i);
    }
    const heard: string[] = [];
    emitter.on('error', (error) => heard.push(`error ${error}`));
    emitter.on('other', (other) => heard.push(`other ${other}`));
    await turn();
    expect(heard).toEqual(Array.from({ length: 16 }, (_, i) => `error ${i + 4}`));
  });
});
