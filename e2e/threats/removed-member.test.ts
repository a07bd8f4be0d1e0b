import { beforeAll, describe, expect, it } from 'vitest';
import type { Room } from '../../packages/sdk/src/index.ts';
import { admittedByRelay } from './support/intruder.ts';
import { buildLab, type Edit, type Lab } from './support/lab.ts';
import { enter, reach, settled, until } from './support/people.ts';
import { keyMaterialIn, LAID_OPEN, readOn } from './support/thief.ts';

/** Eve was a member until Ana removed her. She kept her link and all her keys, has a client of her own, and the relay helps her. */

/** Her client does not stop when it is told that she was removed, and gives orders that she may not give. */
const STUBBORN: readonly Edit[] = [
  { file: 'room/removals.ts', find: /if \(equalBytes\(removal\.removed, .*\) return onRemoved\(\);/, put: '' },
  { file: 'room/authority.ts', find: "if (!this.may('remove')) throw noAdmin('remove a member');", put: '' },
];

const AFTER = 'without Eve: the mill at noon';

let honest: Lab;
let eves: Lab;
beforeAll(async () => {
  honest = await buildLab();
  eves = await buildLab({ edits: STUBBORN, patch: LAID_OPEN });
});

const see = (room: Room, ...others: Room[]) =>
  until(room, () => room.state === 'secure' && others.every(({ me }) => room.members.some(({ id }) => id === me.id)));

/** Ana and Bo as built by `lab`, and Eve with her own client, in one room; everything has been said that is said at the beginning. */
async function threeOf(lab: Lab, options: Parameters<typeof enter>[2] = {}) {
  const relay = new lab.testing.HostileRelay();
  const ana = await enter(lab, relay, { name: 'Ana', capacity: 4 });
  const bo = await enter(lab, relay, { name: 'Bo', invite: ana.invite });
  const eve = await enter(eves, relay, { name: 'Eve', invite: ana.invite.code, ...options });
  await Promise.all([see(ana, bo, eve), see(bo, ana, eve), see(eve, ana, bo)]);
  await settled(ana, bo, eve);
  return { relay, ana, bo, eve };
}

/** What was sent before has been worked off at `to` by then. Eve confirms nothing any more. */
async function passes(from: Room, to: Room): Promise<void> {
  const heard = to.once('message');
  await from.send('still here');
  await heard;
}

async function remove({ ana, bo, eve }: { ana: Room; bo: Room; eve: Room }): Promise<void> {
  const member = ana.members.find(({ id }) => id === eve.me.id);
  if (!member) throw new Error('Eve is not here');
  await ana.removeMember(member);
  const moved = (room: Room) =>
    until(room, () => room.state === 'secure' && room.members.length === 1 && room.members[0]?.presence === 'present');
  await Promise.all([moved(ana), moved(bo)]);
}

describe('a removed member with its keys and everything that was recorded', () => {
  /** Whether Eve reads, with all that her memory held as a member, what Ana and Bo say without her. */
  async function readsOn(lab: Lab): Promise<{ before: boolean; after: boolean; secret: boolean }> {
    const three = await threeOf(lab);
    const { relay, ana, bo, eve } = three;
    const loot = keyMaterialIn(eve, new Set<unknown>([relay, relay.transport]));
    const recorded = relay.captured.length;
    await (await ana.send('with Eve: bring the map')).delivered;
    await remove(three);
    await (await ana.send(AFTER)).delivered;
    await (await bo.send(AFTER)).delivered;
    const bodies = relay.captured.slice(recorded).map(({ body }) => body);
    const read = readOn(loot, bodies);
    return {
      before: read.some((plain) => plain.includes('with Eve: bring the map')),
      after: read.some((plain) => plain.includes(AFTER)),
      secret: read.some((plain) => plain.includes(Buffer.from(ana.invite.secret))),
    };
  }

  it('reads what was said while it was one, and nothing after, the new link least of all', async () => {
    expect(await readsOn(honest)).toEqual({ before: true, after: false, secret: false });
  });

  it('would read on, if a change of the roster made no new sender keys', async () => {
    const edit: Edit = {
      file: 'room/own-epochs.ts',
      find: 'this.#stale = true;',
      put: 'if (this.#current) return this.#options.announce(this.#current); this.#stale = true;',
    };
    expect(await readsOn(await buildLab({ edits: [edit] }))).toMatchObject({ after: true });
  });
});

describe('a removed member whom the relay lets in everywhere', () => {
  /** Eve makes of her old link what the new one could be. Whether she becomes a member at the room's new place. */
  async function joinsAgain(lab: Lab): Promise<boolean> {
    const three = await threeOf(lab);
    const { relay, ana, bo } = three;
    const { roomId, creator, secret } = ana.invite;
    await remove(three);
    const guess = new eves.Invite({ generation: 1, roomId, creator, secret });
    const [, place = ''] = relay.rooms;
    const again = await enter(eves, admittedByRelay(relay, place), { name: 'Eve again', invite: guess.code });
    const here = () => ana.members.some(({ id }) => id === again.me.id);
    if (lab === honest) await settled(ana, bo);
    else await until(ana, here);
    const begun = relay.captured.some(({ room, body }) => room === place && body[1] === 1);
    if (!begun) throw new Error('Eve did not even try');
    return here();
  }

  it('does not come back with what it knows', async () => {
    expect(await joinsAgain(honest)).toBe(false);
  });

  it('would, if the new link had the old secret', async () => {
    const edit: Edit = {
      file: 'protocol/orders.ts',
      find: 'secret: randomBytes(INVITE_SECRET_BYTES)',
      put: 'secret: invite.secret',
    };
    expect(await joinsAgain(await buildLab({ edits: [edit] }))).toBe(true);
  });

  /** Somebody passes the new link on to Eve, who comes with it as who she was. Whether she is a member again. */
  async function joinsByNewLink(lab: Lab): Promise<boolean> {
    const kept = { persist: 'device', storage: eves.testing.memoryStorage() } as const;
    const three = await threeOf(lab, kept);
    const { relay, ana } = three;
    const { id } = three.eve.me;
    await remove(three);
    await three.eve.suspend();
    const refused = ana.once('error').then(() => false);
    const again = await enter(eves, relay, { ...kept, invite: ana.invite.code });
    if (again.me.id !== id) throw new Error('Eve is somebody else now');
    const joined = until(ana, () => ana.members.some((member) => member.id === id)).then(() => true);
    return Promise.race([refused, joined]);
  }

  it('does not come back as who it was by the new link either', async () => {
    expect(await joinsByNewLink(honest)).toBe(false);
  });

  it('would, if nobody remembered who was removed', async () => {
    const edit: Edit = { file: 'room/authority.ts', find: 'if (this.#banned.has(', put: 'if (false && this.#banned.has(' };
    expect(await joinsByNewLink(await buildLab({ edits: [edit] }))).toBe(true);
  });
});

describe('an order of somebody who may not give it', () => {
  /** Eve removes Bo, by an order that she signs herself. What came of it. */
  async function forges(lab: Lab): Promise<{ generation: number; bo: string }> {
    const { ana, bo, eve } = await threeOf(lab);
    const member = eve.members.find(({ id }) => id === bo.me.id);
    if (!member) throw new Error('Bo is not here');
    await eve.removeMember(member);
    if (lab === honest)
      for (const [from, to] of [
        [ana, bo],
        [bo, ana],
      ] as const)
        await passes(from, to);
    else await Promise.all([reach(bo, 'closed'), until(ana, () => ana.invite.generation === 1)]);
    return { generation: ana.invite.generation, bo: bo.state };
  }

  it('moves nobody', async () => {
    expect(await forges(honest)).toEqual({ generation: 0, bo: 'secure' });
  });

  it('would take the room away, if nobody asked whose it is', async () => {
    const edit: Edit = {
      file: 'protocol/orders.ts',
      find: /const genuine =\n\s+may\(powers, signer, 'remove'\) &&/,
      put: 'const genuine =',
    };
    expect(await forges(await buildLab({ edits: [edit] }))).toEqual({ generation: 1, bo: 'closed' });
  });
});

describe('a genuine order with another secret', () => {
  /** Eve stays when Bo is removed, and passes the order on with a secret of her own. Whether it is taken. */
  async function misleads(lab: Lab): Promise<boolean> {
    const { generateSigningKey, signRemoval, renewedInvite, randomBytes, fingerprint } = lab.protocol;
    const [ana, bo] = [await generateSigningKey(), await generateSigningKey()];
    const secret = randomBytes(32);
    const invite = new lab.Invite({ generation: 0, roomId: randomBytes(16), secret, creator: fingerprint(ana.publicKey) });
    const { removal } = await signRemoval(invite, ana, bo.publicKey, 2);
    const others = randomBytes(32);
    try {
      return lab.wire.equalBytes(renewedInvite(invite, removal, others).secret, others);
    } catch (error) {
      if (lab.QsecError.is(error, 'HANDSHAKE_FAILED')) return false;
      throw error;
    }
  }

  it('leads nowhere', async () => {
    expect(await misleads(honest)).toBe(false);
  });

  it('would lead away, if orders did not commit to their secrets', async () => {
    const edit: Edit = {
      file: 'protocol/orders.ts',
      find: 'if (!equalBytes(commitTo(',
      put: 'if (false && !equalBytes(commitTo(',
    };
    expect(await misleads(await buildLab({ edits: [edit] }))).toBe(true);
  });
});
