import type { Room } from '@qsec2/sdk';
import type { View } from './view';

/** Why there is no link to hand out: the page's address is none that others can open, or the one that the page names is not. */
export type LinkTrouble = 'no-address' | 'wrong-base';

/** The address that an http or https link can be made of, or undefined. */
function webAddress(address: string, page: string): string | undefined {
  if (!URL.canParse(address, page)) return undefined;
  const { protocol, username, password, href } = new URL(address, page);
  return /^https?:$/.test(protocol) && !username && !password ? href : undefined;
}

/**
 * How others come to this room. Only a web address makes a link: nobody else can open `about:srcdoc`, a file, a blob or an extension's page.
 * Without one there is the code, which says the same.
 *
 * @param linkBase what the page named, relative to itself or absolute, or an empty text: then it is the page the person is on
 * @param page its address
 */
export function invitationOf(
  { code, link }: { code: string; link: (base: string) => string },
  linkBase: string,
  page: string,
): Pick<View, 'link' | 'code' | 'linkTrouble'> {
  const base = webAddress(linkBase.trim() || page, page);
  if (base) return { code, link: link(base), linkTrouble: undefined };
  return { code, link: '', linkTrouble: linkBase.trim() ? 'wrong-base' : 'no-address' };
}

/** Whether an invite, as a link or a code, is the one of `room`. */
export const leadsTo = (invite: string, room: Pick<Room, 'invite'>): boolean => invite.includes(room.invite.code);
