import { QsecError } from '../errors.ts';
import type { KnownMember } from './remembered-member.ts';

/** Everyone who was ever a member here: messages may name who left, and who comes back is known. */
export class Directory {
  readonly #members = new Map<string, KnownMember>();

  /** Names a member by this object from now on. Returns the one before, if it was another. */
  note(member: KnownMember): KnownMember | undefined {
    const before = this.#members.get(member.id);
    this.#members.set(member.id, member);
    return before === member ? undefined : before;
  }

  get(id: string): KnownMember {
    const member = this.#members.get(id);
    if (!member) throw new QsecError('PEER_GONE', 'Nobody of this identity was ever here.');
    return member;
  }

  has(id: string): boolean {
    return this.#members.has(id);
  }

  all(): readonly KnownMember[] {
    return [...this.#members.values()];
  }
}
