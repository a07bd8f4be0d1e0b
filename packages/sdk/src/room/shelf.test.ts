import { describe, expect, it } from 'vitest';
import { Shelf } from './shelf.ts';

const shelf = (...entries: string[]) => {
  const made = new Shelf<string>((entry) => entry.length);
  for (const entry of entries) made.put(entry[0] as string, entry);
  return made;
};

describe('a shelf', () => {
  it('knows what stands on it, in order, and what that takes', () => {
    const made = shelf('a1', 'b22', 'c');
    expect([made.size, made.bytes, made.get('b'), made.get('x')]).toEqual([3, 6, 'b22', undefined]);
    made.take('b');
    made.take('x');
    expect([made.all(), made.size, made.bytes]).toEqual([
      [
        ['a', 'a1'],
        ['c', 'c'],
      ],
      2,
      3,
    ]);
    made.clear();
    expect([made.size, made.bytes]).toEqual([0, 0]);
  });

  it('leaves an entry where it stands, and counts it once', () => {
    const made = shelf('a1', 'b2', 'a345');
    expect([made.all().map(([name]) => name), made.get('a'), made.bytes]).toEqual([['a', 'b'], 'a1', 4]);
  });

  it('gives the oldest away until no more is left than that, in number and in bytes', () => {
    expect(shelf('a', 'b', 'c').trim(3, 3)).toEqual([]);
    expect(shelf('a', 'b', 'c').trim(2, 3)).toEqual(['a']);
    expect(shelf('a', 'b', 'c').trim(3, 1)).toEqual(['a', 'b']);
    const made = shelf('a', 'b');
    expect([made.trim(0, 0), made.size, made.bytes]).toEqual([['a', 'b'], 0, 0]);
  });
});
