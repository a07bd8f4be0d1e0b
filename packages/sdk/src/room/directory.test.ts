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
    expect(() => directory.get('visitor 0')).toThrow(expect.objectContaining({ code: 'PEER_GONE' }));
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
