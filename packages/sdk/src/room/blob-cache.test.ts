import { describe, expect, it } from 'vitest';
import { BlobCache } from './blob-cache.ts';

const blob = (size: number) => new Blob([new Uint8Array(size)]);

describe('a cache of file contents', () => {
  it('keeps what was used last, within its budget', () => {
    const cache = new BlobCache(100);
    cache.set('a', blob(40));
    cache.set('b', blob(40));
    expect(cache.get('a')?.size).toBe(40);
    cache.set('c', blob(40));
    expect(['a', 'b', 'c'].map((name) => cache.get(name)?.size)).toEqual([40, undefined, 40]);
    cache.set('a', blob(60));
    expect(['a', 'c'].map((name) => cache.get(name)?.size)).toEqual([60, 40]);
    cache.set('large', blob(101));
    expect(['a', 'c', 'large'].map((name) => cache.get(name))).toEqual([undefined, undefined, undefined]);
    cache.set('d', blob(100));
    cache.clear();
    expect(cache.get('d')).toBeUndefined();
  });
});
