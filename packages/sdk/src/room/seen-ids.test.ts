import { describe, expect, it } from 'vitest';
import { SeenIds } from './seen-ids.ts';

describe('what is remembered of messages that came', () => {
  it('is pushed out by its own author alone, and told of when it is', () => {
    const forgotten: string[] = [];
    const seen = new SeenIds((id) => forgotten.push(id));
    seen.add('bo', 'bo 0');
    for (let i = 0; i < 20_002; i++) seen.add('cy', `cy ${i}`);
    expect(forgotten).toEqual(['cy 0', 'cy 1']);
    expect([seen.has('bo', 'bo 0'), seen.has('cy', 'cy 1'), seen.has('cy', 'cy 2')]).toEqual([true, false, true]);
  });

  it('is of at most 64 authors, those who wrote last', () => {
    const forgotten: string[] = [];
    const seen = new SeenIds((id) => forgotten.push(id));
    for (let i = 0; i < 100; i++) seen.add(`author ${i}`, `message ${i}`);
    expect(forgotten).toEqual(Array.from({ length: 36 }, (_, i) => `message ${i}`));
    expect(seen.has('author 99', 'message 99')).toBe(true);
  });
});
