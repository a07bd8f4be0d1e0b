import type { Delivery, Invite, Member, Room } from '../../../packages/sdk/src/index.ts';
import type { CarriedFrame, HostileRelay, MoveKind } from '../../../packages/sdk/src/testing/index.ts';
import type { VirtualTime } from '../../support/virtual-time.ts';
import type { Lab } from '../../threats/support/lab.ts';
import { differences, stateOf } from './laid-open.ts';
import { Person } from './person.ts';
import { type Spoiling, spoil } from './spoiling.ts';

/** A text somebody wrote. */
export interface Written {
  text: string;
  at: number;
  author: Person;
  /** Members whom the author saw when it wrote. */
  seen: readonly string[];
  /** Its author had been removed by then. */
  late: boolean;
  /** Whom it is for and who confirmed it; undefined while it is on its way. */
  delivery: Delivery | undefined;
  /** Nobody knows what became of a text that was being written while its author closed the page. */
  refused: boolean;
}

/** Frames that are spoilt one by one; the rest come as they are. */
const MOST_SPOILT = 24;

/** The real thing: people, their pages, and a hostile relay between them. */
export class World {
  readonly people: Person[] = [];
  readonly written: Written[] = [];
  /** Frames that were refused and yet changed who read them, in words. */
  readonly changed: string[] = [];
  readonly time: VirtualTime;
  readonly relay: HostileRelay;
  readonly #lab: Lab;
  #invite: Invite | undefined;

  constructor(lab: Lab, time: VirtualTime) {
    this.#lab = lab;
    this.time = time;
    this.relay = new lab.testing.HostileRelay();
  }

  /** Who belongs to the room, whether the page is open or not. */
  get members(): Person[] {
    return this.people.filter(({ left }) => !left);
  }

  get present(): Person[] {
    return this.people.filter(({ open, removed }) => open && !removed);
  }

  get closed(): Person[] {
    return this.members.filter(({ open }) => !open);
  }

  async join(keeps: boolean): Promise<void> {
    const person = new Person(this.#lab, this.relay, `P${this.people.length}`, keeps);
    this.#invite = await person.enter(this.#invite);
    this.people.push(person);
  }

  write(author: Person): void {
    const text = `${author.name} ${this.written.length}`;
    const seen = author.room.members.map(({ id }) => id);
    const written: Written = { text, at: Date.now(), author, seen, late: author.removed, delivery: undefined, refused: false };
    this.written.push(written);
    author.room.send(text).then(
      async ({ delivered }) => {
        written.delivery = await delivered;
      },
      () => {
        written.refused = true;
      },
    );
  }

  /** Who made the room puts somebody out of it, who says something more without knowing. */
  async remove(person: Person): Promise<void> {
    const [creator] = this.people;
    if (!creator) return;
    const known = creator.room.members;
    const member = known.find(({ id }) => id === person.id);
    // Who is still coming has a link that leads nowhere then.
    const all = this.members.every((each) => each === creator || known.some(({ id }) => id === each.id));
    if (!member || !all) return;
    await this.#removed(creator.room, member);
    person.left = person.removed = true;
    this.#invite = creator.room.invite;
    if (person.open) this.write(person);
    await this.time.settle();
  }

  /** Resolves once a removal holds at who gives it: no time passes here in which the others could say that they follow. */
  async #removed(room: Room, member: Member): Promise<void> {
    const moved = new Promise<void>((resolve) => {
      const stop = room.on('security', ({ kind }) => {
        if (kind !== 'member-removed') return;
        stop();
        resolve();
      });
    });
    await Promise.race([room.removeMember(member), moved]);
  }

  /**
   * Whether everyone who has not followed a removal finds somebody else where they are who has: a relay that loses what they were told
   * and the only page that could tell them again keep them apart for good.
   */
  canSpare(person: Person): boolean {
    const others = this.present.filter((other) => other !== person);
    const latest = Math.max(...this.present.map(({ generation }) => generation));
    const behind = this.people.filter(({ generation, left, removed, room }) => {
      return generation < latest && (!left || (removed && room.state !== 'closed'));
    });
    return behind.every((each) => others.some(({ generation, since }) => generation === latest && since <= each.generation));
  }

  /** Closes the page. A crash takes with it what was not stored yet: nobody knows what becomes of a text that was being written. */
  async close(person: Person, crash: boolean): Promise<void> {
    const underway = this.written.filter(({ author, delivery }) => author === person && !delivery);
    if (crash) for (const each of underway) each.refused = true;
    await person.close(crash);
  }

  async reopen(person: Person): Promise<void> {
    await person.enter();
    person.online = true;
  }

  /**
   * Something happens, and each frame that it leads to comes to its reader spoilt, too: nothing may be as it was not before. The frames
   * themselves come, one after the other.
   */
  async spoil(happens: () => Promise<void>, how: Spoiling, at: number): Promise<void> {
    const held: CarriedFrame[] = [];
    const tamper = (frame: CarriedFrame) => {
      held.push(frame);
      return [];
    };
    this.relay.attack({ tamper });
    await happens();
    await this.time.settle();
    for (let i = 0; i < MOST_SPOILT && held[i]; i++) await this.#spoilOne(held[i] as CarriedFrame, how, at + 7919 * i);
    this.relay.calm();
    for (const frame of held.slice(MOST_SPOILT)) this.relay.deliver(frame);
  }

  async #spoilOne(frame: CarriedFrame, how: Spoiling, at: number): Promise<void> {
    const reader = this.present.find(({ seat, online }) => online && seat === frame.to);
    const spoilt = spoil(this.#lab, frame, how, at, this.relay.seatsOf(frame.room));
    // What differs from the frame in nothing that proves anything is refused only behind it.
    const behind = how === 'again' || how === 'from another';
    if (behind) await this.#deliver(frame);
    const before = reader && stateOf(reader.room);
    await this.#deliver(spoilt);
    const changed = before ? differences(before, stateOf(reader.room)) : [];
    if (!behind) await this.#deliver(frame);
    if (changed.length === 0) return;
    const type = this.#lab.testing.outerType(frame.body);
    this.changed.push(`a ${type} frame that came ${how} (${at}) changed of ${reader?.name}: ${changed.slice(0, 5).join(', ')}`);
  }

  async #deliver(frame: CarriedFrame): Promise<void> {
    this.relay.deliver(frame);
    await this.time.settle();
  }

  storm(schedule: Uint8Array, kinds?: readonly MoveKind[]): void {
    const { movesFrom } = this.#lab.testing;
    this.relay.attack({ moves: movesFrom(schedule, kinds) });
  }

  /** The relay is honest, everybody is back, and so much time passes that everything that can be made up for is. */
  async calmDown(limitMs: number, done: () => boolean): Promise<void> {
    this.relay.calm();
    for (const person of this.closed) await this.reopen(person);
    for (const person of this.people) if (person.open && !person.online) person.restore();
    await this.time.pass(limitMs, done);
  }
}
