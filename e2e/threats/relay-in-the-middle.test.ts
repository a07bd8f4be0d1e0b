import { beforeAll, describe, expect, it } from 'vitest';
import type { QsecError, Room } from '../../packages/sdk/src/index.ts';
import { admittedByRelay, guessed } from './support/intruder.ts';
import { buildLab, type Edit, type Lab } from './support/lab.ts';
import { enter, pair, reach, textsAt, until } from './support/people.ts';
import { SCRIPTED } from './support/scripted.ts';

/** The relay plays each of two members to the other: without the link, and with it. */

/** The secret of the link no longer enters the keys. */
const NO_PSK: Edit = {
  file: 'protocol/room-keys.ts',
  find: "psk: expandLabel(invite, 'psk', context)",
  put: 'psk: new Uint8Array(32)',
};

/** The link no longer says who made the room. */
const NO_PIN: Edit = {
  file: 'protocol/identity.ts',
  find: "hash(purpose('fingerprint'), publicKey)",
  put: "hash(purpose('fingerprint'))",
};

let honest: Lab;
let eves: Lab;
beforeAll(async () => {
  honest = await buildLab();
  eves = await buildLab({ replacements: SCRIPTED });
});

describe('a relay that does not know the link', () => {
  async function joinWithoutLink(lab: Lab): Promise<{ ana: Room; eve: Room; refusals: string[] }> {
    const relay = new lab.testing.HostileRelay();
    const refusals: string[] = [];
    const ana = await enter(lab, relay, { capacity: 3, logger: (_, message) => refusals.push(message) });
    const eve = await enter(lab, admittedByRelay(relay), { name: 'Eve', invite: guessed(ana.invite) });
    await Promise.race([
      reach(eve, 'secure'),
      // Ana's refusal of an M1 is seen in her log only: she answers nothing.
      (async () => {
        while (!refusals.some((message) => message.includes('does not know the secret'))) await new Promise(setImmediate);
      })(),
    ]);
    return { ana, eve, refusals };
  }

  it('cannot begin a handshake', async () => {
    const { ana, eve } = await joinWithoutLink(honest);
    expect([ana.members, eve.members]).toEqual([[], []]);
  });

  it('could, if the secret of the link were not part of the keys', async () => {
    const { ana, eve } = await joinWithoutLink(await buildLab({ edits: [NO_PSK] }));
    await until(ana, () => ana.members[0]?.name === 'Eve');
    expect(eve.state).toBe('secure');
  });
});

/** Eve has the link. She is Bo to Ana, Ana to Bo, and hands everything on. */
async function interpose(lab: Lab, attacker: Lab) {
  const [anasRelay, bosRelay] = [new lab.testing.HostileRelay(), new lab.testing.HostileRelay()];
  const ana = await enter(lab, anasRelay, { name: 'Ana' });
  globalThis.__qsec2Script = [ana.invite.roomId, ana.invite.secret];
  const asAna = await enter(attacker, bosRelay, { name: 'Ana' });
  const asBo = await enter(attacker, anasRelay, { name: 'Bo', invite: ana.invite.code });
  const bo = await enter(lab, bosRelay, { name: 'Bo', invite: ana.invite });
  // Bo may have refused long before Ana is done.
  const refused = bo.once('error');
  // What Eve cannot hand on, since Bo does not talk to her, is lost.
  const handOn = (to: Room, text = '') => void to.send(text).catch((error: QsecError) => lost.push(error.code));
  const lost: string[] = [];
  asBo.on('message', ({ text }) => handOn(asAna, text));
  asAna.on('message', ({ text }) => handOn(asBo, text));
  await reach(ana, 'secure');
  return { ana, bo, refused, read: textsAt(asBo) };
}

describe('a relay that got hold of the link', () => {
  it('cannot pose as who made it', async () => {
    const { bo, ana, refused } = await interpose(honest, eves);
    expect(await refused).toMatchObject({ code: 'HANDSHAKE_FAILED' });
    expect(bo.members).toEqual([]);
    await ana.send('is that you, Bo?');
    expect(bo.history()).toEqual([]);
  });

  it('could read and hand on everything, if the link did not name its maker; safety number and emoji would show it', async () => {
    const { ana, bo, read } = await interpose(
      await buildLab({ edits: [NO_PIN] }),
      await buildLab({ edits: [NO_PIN], replacements: SCRIPTED }),
    );
    await reach(bo, 'secure');
    const atBo = bo.once('message');
    await ana.send('the mill at noon');
    expect((await atBo).text).toBe('the mill at noon');
    expect(read).toEqual(['the mill at noon']);

    const [anasBo, bosAna] = [ana.members[0], bo.members[0]];
    expect(anasBo?.safetyNumber).not.toBe(bosAna?.safetyNumber);
    expect(anasBo?.emoji).not.toEqual(bosAna?.emoji);
  });

  it('leaves safety number and emoji alike when it only listens', async () => {
    const { ana, bo } = await pair(honest, new honest.testing.HostileRelay());
    expect(ana.members[0]?.safetyNumber).toBe(bo.members[0]?.safetyNumber);
    expect(ana.members[0]?.emoji).toEqual(bo.members[0]?.emoji);
  });
});
