import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VirtualTime } from '../support/virtual-time.ts';
import type { Edit, Lab } from '../threats/support/lab.ts';
import { Person } from './support/person.ts';
import { quickLab } from './support/quick-lab.ts';

/**
 * A newcomer hears of the room's policy in a handshake that does not end, everyone else leaves for good, and its page crashes. Without the
 * policy it could let nobody in any more: a room whose policy nobody knows has places for two, one of them the creator's.
 */

const NOT_KEPT: Edit = {
  file: 'room/membership.ts',
  find: "nobody else may be left who knows the room's policy.\n        void this.#context.keeping.room();",
  put: '',
};

describe('the last one who knows the policy of a room', () => {
  const time = new VirtualTime();
  beforeAll(() => time.install());
  afterAll(() => time.uninstall());

  /** Whether Cy and Di, who comes then, find each other. */
  async function meet(lab: Lab): Promise<boolean> {
    time.restart(1);
    const relay = new lab.testing.HostileRelay();
    const [ana, bo, cy, di] = ['Ana', 'Bo', 'Cy', 'Di'].map((name) => new Person(lab, relay, name, true)) as [
      Person,
      Person,
      Person,
      Person,
    ];
    const invite = await ana.enter();
    await bo.enter(invite);
    await time.pass(5_000);
    expect(bo.knowsPolicy).toBe(true);
    await ana.leave();

    // Cy's first word comes through and is answered; nothing it says then is heard.
    const { seat } = bo;
    let heard = 0;
    relay.attack({ tamper: (frame) => (frame.to === seat && heard++ > 0 ? [] : [frame]) });
    await cy.enter(invite);
    await time.pass(1_000, () => cy.knowsPolicy);
    expect({ knows: cy.knowsPolicy, members: cy.room.members.length }).toEqual({ knows: true, members: 0 });
    await cy.close(true);
    await bo.leave();
    relay.calm();

    await di.enter(invite);
    await cy.enter();
    await time.pass(60_000);
    const found = [cy, di].every(({ room }) => room.state === 'secure');
    for (const { room } of [cy, di]) await room.leave();
    return found;
  }

  it('still knows it after a crash, and lets others in', async () => {
    expect(await meet(await quickLab())).toBe(true);
  });

  it('would stay alone, had it only been in its memory', async () => {
    expect(await meet(await quickLab([NOT_KEPT]))).toBe(false);
  });
});
