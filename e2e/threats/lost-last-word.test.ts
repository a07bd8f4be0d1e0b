import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Person } from '../histories/support/person.ts';
import { quickLab } from '../histories/support/quick-lab.ts';
import { VirtualTime } from '../support/virtual-time.ts';
import type { Edit, Lab } from './support/lab.ts';

/**
 * A relay that loses the last word of a handshake with a member who was here before. Who said it has new keys and believes that both have
 * them; who did not hear it goes on with old ones, which the other one has no more.
 */

/** Type and version, session id, one section: kind, length and 32 bytes. No other handshake frame is as short. */
const LAST_WORD_BYTES = 2 + 16 + 1 + 4 + 32;

const NO_SECOND_BEGINNING: Edit = {
  file: 'room/introductions.ts',
  find: 'if (unfinished) this.#options.onUnfinished(pending.seat);\n      else ',
  put: '',
};
const NO_DOUBT: Edit = { file: 'room/doubts.ts', find: 'this.#again(seat);', put: '' };

describe('the last word of a handshake is lost', () => {
  const time = new VirtualTime();
  beforeAll(() => time.install());
  afterAll(() => time.uninstall());

  /** What each was told in the five minutes after Bo reloaded. */
  async function told(lab: Lab) {
    time.restart(1);
    const relay = new lab.testing.HostileRelay();
    const [ana, bo] = ['Ana', 'Bo'].map((name) => new Person(lab, relay, name, true)) as [Person, Person];
    await bo.enter(await ana.enter());
    await time.pass(5_000);
    expect([ana.room.state, bo.room.state]).toEqual(['secure', 'secure']);
    const { seat } = bo;
    await bo.close(false);
    await time.pass(1_000);
    let lost = 0;
    relay.attack({
      tamper: (frame) => {
        const last =
          frame.from === seat && lab.testing.outerType(frame.body) === 'handshake' && frame.body.length === LAST_WORD_BYTES;
        if (!last || lost > 0) return [frame];
        lost++;
        return [];
      },
    });
    await bo.enter();
    await time.pass(1_000);
    expect([lost, bo.room.state]).toEqual([1, 'secure']);
    await time.pass(60_000);
    await Promise.all([ana.room.send('from Ana'), bo.room.send('from Bo')]);
    await time.pass(240_000);
    const texts = [ana, bo].map(({ life }) => life.told.map(({ text }) => text));
    for (const { room } of [ana, bo]) await room.leave();
    return texts;
  }

  it('and both hear each other', async () => {
    expect(await told(await quickLab())).toEqual([['from Bo'], ['from Ana']]);
  });

  it.each([
    ['who was left waiting begins again, also if frames under other keys tell it nothing', NO_DOUBT],
    ['frames under other keys are enough, also if who was left waiting does not begin again', NO_SECOND_BEGINNING],
  ])('and %s', async (_, edit) => {
    expect(await told(await quickLab([edit]))).toEqual([['from Bo'], ['from Ana']]);
  });

  it('and without both defences they stay apart', async () => {
    expect(await told(await quickLab([NO_SECOND_BEGINNING, NO_DOUBT]))).toEqual([[], []]);
  });
});
