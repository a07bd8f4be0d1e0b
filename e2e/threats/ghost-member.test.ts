import { describe, expect, it } from 'vitest';
import { admittedByRelay, guessed } from './support/intruder.ts';
import { buildLab, type Lab } from './support/lab.ts';
import { enter, gather, reach, settled } from './support/people.ts';

/** The relay announces members that are not there, and plays them as well as it can. */

const ghost = 'R2hvc3RHaG9zdEdob3N0IQ';

/** What members hand to the relay for a seat that a client with a guessed link holds, by outer type. */
async function playGhost(lab: Lab): Promise<{ given: Set<string>; shown: number }> {
  const relay = new lab.testing.HostileRelay();
  const ana = await enter(lab, relay, { name: 'Ana', capacity: 4 });
  const eve = await enter(lab, admittedByRelay(relay), { name: 'Eve', invite: guessed(ana.invite) });
  const bo = await enter(lab, relay, { name: 'Bo', invite: ana.invite });
  await Promise.all([reach(ana, 'secure'), reach(bo, 'secure')]);
  await settled(ana, bo);
  const [, eves = ''] = relay.seatsOf(relay.rooms[0] as string);
  const seat = lab.wire.fromBase64url(eves);
  const forEve = relay.captured.filter(({ to }) => to?.some((one) => lab.wire.equalBytes(one, seat)));
  expect(eve.me.name).toBe('Eve');
  return { given: new Set(forEve.map(({ body }) => lab.testing.outerType(body))), shown: ana.members.length };
}

describe('a member that the relay invents', () => {
  it('is in no roster, and gets no message and no key', async () => {
    const lab = await buildLab();
    const relay = new lab.testing.HostileRelay();
    const [ana, bo] = await gather(lab, relay, ['Ana', 'Bo']);
    if (!ana || !bo) throw new Error('two are in the room');
    relay.invent(relay.rooms[0] as string, ghost);
    await settled(ana, bo);
    expect([ana, bo].map(({ members }) => members.length)).toEqual([1, 1]);
    const seat = lab.wire.fromBase64url(ghost);
    const types = relay.captured.filter(({ to }) => to?.some((one) => lab.wire.equalBytes(one, seat)));
    for (const { body } of types) expect(lab.testing.outerType(body)).toBe('handshake');
  });

  it('gets the first message of a handshake at most, when the relay plays it without the link', async () => {
    const { given, shown } = await playGhost(await buildLab());
    expect(shown).toBe(1);
    for (const type of given) expect(type).toBe('handshake');
  });

  it('would get keys, if the secret of the link were not part of the handshake', async () => {
    const find = "psk: expandLabel(invite, 'psk', context)";
    const lab = await buildLab({ edits: [{ file: 'protocol/room-keys.ts', find, put: 'psk: new Uint8Array(32)' }] });
    const { given, shown } = await playGhost(lab);
    expect(shown).toBe(2);
    expect(given).toContain('pair');
  });
});
