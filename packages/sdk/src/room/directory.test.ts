import { describe, expect, it } from 'vitest';
import { Directory } from './directory.ts';
import type { KnownMember } from './remembered-member.ts';

const someone = (id: string, fields: Partial<KnownMember> = {}) =>
  ({ id, name: id, presence: 'gone', verified: false, ...fields }) as KnownMember;

/** Everybody who has the link comes, and goes. */
function crowd(directory: Directory): void {
  for (let i = 0; i < 10_000; i++) directory.note(someone(`visitor ${i}`));
}

describe('members that come and go without end', () => {
  it('are forgotten, oldest first', () => {
    const directory = new Directory([], () => false);
    crowd(directory);
    expect(directory.all().map(({ id }) => id)).toEqual(Array.from({ length: 256 }, (_, i) => `visitor ${9_744 + i}`));
    expect(() => directory.get('visitor 0')).toThrow(
      expect.objectContaining({ code: 'PEER_GONE', message: 'Nobody of this identity was ever here.' }),
    );
  });

  it('do not make who is here, was verified, or wrote what is kept be forgotten', () => {
    const directory = new Directory([someone('remembered')], (id) => id === 'author');
    directory.note(someone('present', { presence: 'away' }));
    directory.note(someone('verified', { verified: true }));
    directory.note(someone('author'));
    crowd(directory);
    expect(['present', 'verified', 'author', 'remembered'].map((id) => directory.has(id))).toEqual([true, true, true, false]);
    expect(directory.all()).toHaveLength(256);
  });
});

describe('whom a person would take a newcomer for', () => {
  const holder = (members: KnownMember[], name: string, remembered: KnownMember[] = []) => {
    const directory = new Directory(remembered, () => false);
    for (const member of members) directory.note(member);
    return directory.holderOf(name, 'new')?.id;
  };

  it('is a verified member of that name before one of an earlier visit, and nobody else', () => {
    const [verified, plain, earlier] = [
      someone('a', { name: 'Bo', verified: true }),
      someone('b', { name: 'Bo' }),
      someone('c', { name: 'Bo' }),
    ];
    expect(holder([plain, verified], 'Bo', [earlier])).toBe('a');
    expect(holder([plain], 'BO', [earlier])).toBe('c');
    expect(holder([plain], 'Bo')).toBeUndefined();
    expect(holder([verified], 'Cy')).toBeUndefined();
  });

  it('is nobody for who has told no name, and not itself', () => {
    expect(holder([someone('a', { name: 'Guest', verified: true })], 'Guest')).toBeUndefined();
    expect(holder([someone('new', { name: 'Bo', verified: true })], 'Bo')).toBeUndefined();
  });
});

describe('a member that is noted again', () => {
  it('is named by its new object, and the one before is told of', () => {
    const [before, now] = [someone('a'), someone('a')];
    const directory = new Directory([], () => false);
    expect(directory.note(before)).toBeUndefined();
    expect(directory.note(before)).toBeUndefined();
    expect(directory.note(now)).toBe(before);
    expect([directory.get('a'), directory.find('b')]).toEqual([now, undefined]);
    expect(directory.get('a')).toBe(now);
  });
});
