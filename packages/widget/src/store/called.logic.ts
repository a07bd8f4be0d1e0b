import type { Member, Room } from '@qsec2/sdk';

/**
 * What a member is called here: its name, and the beginning of its fingerprint where somebody else calls itself the same. Names are
 * chosen freely; two guests are both "Guest".
 */
export function calledIn({ me, members }: Pick<Room, 'me' | 'members'>, { id, name }: Pick<Member, 'id' | 'name'>): string {
  const same = [me, ...members].some((other) => other.id !== id && plain(other.name) === plain(name));
  return name && same ? `${name.trim()} (${id.slice(0, SHOWN)})` : name;
}

const SHOWN = 4;

const plain = (name: string): string =>
  name
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .trim()
    .toLowerCase();
