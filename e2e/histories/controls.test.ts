import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VirtualTime } from '../support/virtual-time.ts';
import type { Edit } from '../threats/support/lab.ts';
import { histories, play } from './support/play.ts';
import { quickLab } from './support/quick-lab.ts';

/** The same histories with one part of delivery switched off at a time: the model notices each. */

const MOST = 500;

interface Control {
  /** What goes wrong, and what is missing then. */
  name: string;
  edits: Edit[];
  /** What the model says of it. */
  says: RegExp;
}

const CONTROLS: Control[] = [
  {
    name: 'a text comes twice, if nobody remembers which ones came',
    edits: [{ file: 'room/seen-ids.ts', find: 'return this.#authors.get(author)?.has(id) ?? false;', put: 'return false;' }],
    says: /twice/,
  },
  {
    name: 'a text never comes, if nothing is repeated',
    edits: [{ file: 'room/outbox.ts', find: 'if (count % PATIENCE === 0) overdue.push(content);', put: '' }],
    says: /never came/,
  },
  {
    name: 'texts come out of order, if none waits for those in front of it',
    edits: [
      {
        file: 'room/in-order.ts',
        find: 'if (first.index >= Math.max(this.#options.next() ?? 0, this.#givenUp)) break;',
        put: '',
      },
    ],
    says: /is told of/,
  },
  {
    name: 'a text comes to who was not there when it was written, if all that waits is repeated to everyone',
    edits: [{ file: 'room/outbox.ts', find: '.filter(({ pending }) => pending.has(member))', put: '.filter(() => true)' }],
    says: /was not for it/,
  },
  {
    name: 'a frame that does not open moves the chain, if its MAC is not compared',
    edits: [{ file: 'protocol/pair-channel.ts', find: 'if (!equalBytes(reader.rest(), expected))', put: 'if (false)' }],
    says: /changed of/,
  },
  {
    name: 'an old first message begins a handshake, if nobody remembers which ones were answered',
    edits: [{ file: 'room/introductions.ts', find: 'if (this.#answered.has(toBase64url(sid))) return;', put: '' }],
    says: /a handshake frame .* changed of/,
  },
  {
    name: 'a text comes from who was removed, if its keys are not forgotten',
    edits: [{ file: 'room/removals.ts', find: 'if (target) await membership.gone(toBase64url(target.seat));', put: '' }],
    says: /of somebody it had removed/,
  },
];

describe('in a room', () => {
  const time = new VirtualTime();
  beforeAll(() => time.install());
  afterAll(() => time.uninstall());

  it.each(CONTROLS)(
    '$name',
    async ({ edits, says }) => {
      const lab = await quickLab(edits);
      let found: string[] = [];
      for (const history of fc.sample(histories, { numRuns: MOST, seed: 1 })) {
        found = await play(lab, time, history);
        if (found.some((each) => says.test(each))) break;
      }
      expect(found.join('\n')).toMatch(says);
    },
    600_000,
  );
});
