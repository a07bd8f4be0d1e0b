import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VirtualTime } from '../support/virtual-time.ts';
import type { Edit } from '../threats/support/lab.ts';
import { join, remove, storm, wait, write } from './support/commands.ts';
import { play } from './support/play.ts';
import { quickLab } from './support/quick-lab.ts';

/**
 * A history that random ones found. P3 is a member, but a storm kept P1 from meeting it and P3 from P0's sender keys. P0 removes P2; P1, who
 * follows and has never heard of P3, tells it that its link is an old one, before P0 tells it where the room is.
 */

const FIRST_WORD_COUNTS: Edit = { file: 'room/room.ts', find: 'announced || !turnedUsAway', put: 'announced' };

describe('a member who is told by one that has not met it that its link is an old one', () => {
  const time = new VirtualTime();
  beforeAll(() => time.install());
  afterAll(() => time.uninstall());

  const contradictions = async (edits: Edit[] = []) =>
    play(await quickLab(edits), time, {
      others: [false],
      happenings: [
        join(false),
        join(false),
        storm(Uint8Array.of(0, 0, 0, 0, 127, 0, 107, 0, 0)),
        wait(0),
        remove(4),
        wait(0),
        write(0, 1),
      ],
      seed: 0,
    });

  it('waits for what the others say, and stays', async () => {
    expect(await contradictions()).toEqual([]);
  });

  it('would be put out, if the first word counted', async () => {
    expect(await contradictions([FIRST_WORD_COUNTS])).toContain('P3 sees 0 members of 2');
  });
});
