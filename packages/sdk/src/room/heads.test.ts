import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heads } from './heads.ts';

describe('what came of an author', () => {
  it('is counted whatever the order', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(50)), fc.nat(60), (came, head) => {
        const heads = new Heads();
        heads.begin(0);
        for (const index of came) heads.add(index);
        const lost = Array.from({ length: head }, (_, i) => i).filter((i) => !came.includes(i));
        expect(heads.missing(head)).toBe(lost.length);
        expect(heads.next).toBe(Array.from({ length: 60 }, (_, i) => i).find((i) => !came.includes(i)));
      }),
    );
  });

  it('begins where the author was when keys were shared', () => {
    const heads = new Heads();
    heads.add(3);
    expect(heads.missing(9)).toBe(0);
    heads.begin(7);
    expect([heads.missing(7), heads.missing(9)]).toEqual([0, 2]);
    heads.begin(0);
    expect(heads.next).toBe(7);
  });

  it('tells of a loss once, and still asks its author for it', () => {
    const heads = new Heads();
    heads.begin(0);
    for (const index of [0, 2, 4]) heads.add(index);
    expect(heads.missing(5)).toBe(2);
    heads.tellUpTo(5);
    expect([heads.missing(5), heads.missing(7), heads.next]).toEqual([0, 2, 1]);
    heads.add(1);
    heads.add(3);
    expect(heads.next).toBe(5);
  });

  it('gives a loss up when thousands have come behind it', () => {
    const heads = new Heads();
    heads.begin(0);
    for (let index = 1; index <= 5000; index++) heads.add(index);
    expect([heads.next, heads.missing(5001)]).toEqual([5001, 0]);
  });
});
