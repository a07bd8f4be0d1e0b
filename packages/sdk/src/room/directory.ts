import { QsecError } from '../errors.ts';
import { DEFAULTS } from '../options.ts';
import type { KnownMember } from './remembered-member.ts';
import { sameName } from './same-name.ts';

/** Members known at a time. Past that, who is gone is forgotten, unless a person verified it or a message that is kept names it. */
const MAX_KNOWN = 256;

/** Who was a member here: messages may name who left, and who comes back is known. */
export class Directory {
  readonly #members = new Map<string, KnownMember>();
  /** Ids of those known from an earlier visit. */
  readonly #remembered: ReadonlySet<string>;

  readonly #isNamed: (id: string) => boolean;

  /** @param isNamed whether a message that is kept is by this member */
  constructor(remembered: readonly KnownMember[], isNamed: (id: string) => boolean) {
    this.#remembered = new Set(remembered.map(({ id }) => id));
    this.#isNamed = isNamed;
    for (const member of remembered) this.#members.set(member.id, member);
  }

  /** Names a member by this object from now on. Returns the one before, if it was another. */
  note(member: KnownMember): KnownMember | undefined {
    const before = this.#members.get(member.id);
    this.#members.set(member.id, member);
    if (!before) this.#forget();
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

  #forget(): void {
    for (const { id, presence, verified } of this.#members.values()) {
      if (this.#members.size <= MAX_KNOWN) return;
      if (presence === 'gone' && !verified && !this.#isNamed(id)) this.#members.delete(id);
    }
  }

  all(): readonly KnownMember[] {
    return [...this.#members.values()];
  }
}
