import type { Person } from './person.ts';
import type { World, Written } from './world.ts';

/**
 * What has to be true of every history, said as simply as it can be: each text is for the members of its time; those of them who stay or
 * return are told of it once, in the order its author wrote; nobody is told of anything else; and a frame that is refused leaves
 * who refused it as it was.
 */

/** A text that is missing for longer may come behind those that were written after it. */
const PATIENCE_MS = 30_000;

/** What contradicts the model, in words; empty when nothing does. */
export function contradictions({ written, people, members, changed }: World): string[] {
  const found = [...changed];
  const texts = new Map(written.map((each) => [each.text, each]));
  for (const reader of people) {
    const shown = shownTo(reader);
    for (const text of shown) {
      const each = texts.get(text);
      if (!each) found.push(`${reader.name} is shown "${text}", which nobody wrote`);
      else if (each.late && reader === people[0]) found.push(`${reader.name} is shown "${text}" of somebody it had removed`);
      else if (each.delivery && !each.delivery.to.includes(reader.id))
        found.push(`${reader.name} is shown "${text}", which was not for it`);
    }
    const told = reader.lives.at(-1)?.told ?? [];
    for (const text of repeated(shown)) found.push(`${reader.name} is shown "${text}" twice`);
    for (const text of repeated(told.map(({ text }) => text))) found.push(`${reader.name} is told of "${text}" twice`);
    for (const author of people) {
      const own = written.filter((each) => each.author === author);
      const ofAuthor = shown.filter((text) => texts.get(text)?.author === author);
      const order = own.filter(({ text }) => ofAuthor.includes(text)).map(({ text }) => text);
      if (ofAuthor.join() !== order.join()) found.push(`${reader.name} is shown of ${author.name}: ${ofAuthor.join(', ')}`);
      // Nobody waits for what is missing without end: what came so late may be told of behind what came in time.
      const inTime = told.filter(({ text, at }) => at - (texts.get(text)?.at ?? at) < PATIENCE_MS).map(({ text }) => text);
      const toldOf = inTime.filter((text) => texts.get(text)?.author === author);
      const due = own.filter(({ text }) => toldOf.includes(text)).map(({ text }) => text);
      if (toldOf.join() !== due.join()) found.push(`${reader.name} is told of ${author.name}: ${toldOf.join(', ')}`);
    }
  }
  for (const each of written) {
    for (const missing of owed(each, members)) found.push(`"${each.text}" never came to ${missing.name}`);
    const { author, delivery, refused } = each;
    if (!author.left && !delivery && !refused) found.push(`nobody told ${author.name} what became of "${each.text}"`);
  }
  for (const { name, room, open, removed } of people) {
    if (removed && open && room.state !== 'closed') found.push(`${name} does not know that it was removed`);
  }
  for (const member of members) {
    const others = members.filter((other) => other !== member).map(({ id }) => id);
    const seen = member.room.members.map(({ id }) => id);
    if (sorted(others) !== sorted(seen)) found.push(`${member.name} sees ${seen.length} members of ${others.length}`);
    for (const error of member.errors) found.push(`${member.name} was told of an error: ${error.message}`);
  }
  return found;
}

/** Whether everything that has to come has come. */
export const complete = (world: World): boolean => contradictions(world).length === 0;

/** Members who should have a text and have not. */
function owed({ text, author, seen, delivery, refused }: Written, members: readonly Person[]): Person[] {
  if (author.left || refused) return [];
  const audience = delivery?.to ?? seen;
  return members.filter((member) => audience.includes(member.id) && !shownTo(member).includes(text));
}

/** Texts of others in the order they stand in the last page's history. */
function shownTo(reader: Person): string[] {
  const history = reader.room.history().filter(({ from }) => from !== 'me');
  return history.map(({ text = '' }) => text);
}

const repeated = (list: readonly string[]): string[] => list.filter((text, i) => list.indexOf(text) !== i);

const sorted = (ids: readonly string[]): string => [...ids].sort().join();
