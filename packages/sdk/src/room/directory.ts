import { QsecError } from '../errors.ts';
import { DEFAULTS } from '../options.ts';
import type { KnownMember } from './remembered-member.ts';
import { sameName } from './text.ts';

/** Everyone who was ever a member here: messages may name who left, and who comes back is known. */
export class Directory {
  readonly #members = new Map<string, KnownMember>();
  /** Ids of those known from an earlier visit. */
  readonly #remembered: ReadonlySet<string>;

  constructor(remembered: readonly KnownMember[]) {
    this.#remembered = new Set(remembered.map(({ id }) => id));
    for (const member of remembered) this.note(member);
  }

  /** Names a member by this object from now on. Returns the one before, if it was another. */
  note(member: KnownMember): KnownMember | undefined {
    const before = this.#members.get(member.id);
    this.#members.set(member.id, member);
    return before === member ? undefined : before;
  }

  get(id: string): KnownMember {
    const member = this.find(id);
    if (!member) throw new QsecError('PEER_GONE', 'Nobody of this identity was ever here.');
    return member;
  }

  find(id: string): KnownMember | undefined {
    return this.#members.get(id);
  }

  has(id: string): boolean {
    return this.#members.has(id);
  }

  /**
   * Whom a person would take somebody called `name` for: a member with another id whom the person verified, else one known from an
   * earlier visit. Who has told no name is taken for nobody.
   */
  holderOf(name: string, id: string): KnownMember | undefined {
    if (name === DEFAULTS.name) return undefined;
    const others = this.all().filter((member) => member.id !== id && sameName(member.name, name));
    return others.findLast(({ verified }) => verified) ?? others.findLast((member) => this.#remembered.has(member.id));
  }

  all(): readonly KnownMember[] {
    return [...this.#members.values()];
  }
}
