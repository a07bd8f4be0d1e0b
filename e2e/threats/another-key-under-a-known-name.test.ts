import { beforeAll, describe, expect, it } from 'vitest';
import type { Room } from '../../packages/sdk/src/index.ts';
import type { HostileRelay } from '../../packages/sdk/src/testing/index.ts';
import { showing } from './support/intruder.ts';
import { buildLab, type Edit, type Lab } from './support/lab.ts';
import { enter, reach, textsAt, until } from './support/people.ts';

/** Ana compared safety numbers with Bo. Eve got the link, has a client of her own, and wants to be taken for Bo. */

declare global {
  var __qsec2Seat: Uint8Array | undefined;
  var __qsec2Name: string | undefined;
}

/** Eve chooses her seat, and what she calls herself from one moment to the next. */
const POSING: readonly Edit[] = [
  {
    file: 'room/entry.ts',
    find: 'seat: randomBytes(SEAT_BYTES)',
    put: 'seat: globalThis.__qsec2Seat ?? randomBytes(SEAT_BYTES)',
  },
  {
    file: 'room/membership.ts',
    find: 'name: this.#context.me.name,',
    put: 'name: globalThis.__qsec2Name ?? this.#context.me.name,',
  },
];

const SECRET = 'Bo, the key is under the mat';

let honest: Lab;
let eves: Lab;
beforeAll(async () => {
  honest = await buildLab();
  eves = await buildLab({ edits: POSING });
});

/** Ana, as built by `lab`, and Bo, whom she verified. */
async function verifiedPair(lab: Lab) {
  globalThis.__qsec2Seat = globalThis.__qsec2Name = undefined;
  const relay = new lab.testing.HostileRelay();
  const ana = await enter(lab, relay, { name: 'Ana', capacity: 4 });
  const bo = await enter(lab, relay, { name: 'Bo', invite: ana.invite });
  await Promise.all([reach(ana, 'secure'), reach(bo, 'secure')]);
  ana.members[0]?.verify();
  return { relay, ana, bo };
}

/** Ana writes to whom she takes for Bo. Whether Eve reads it. */
async function writes(lab: Lab, ana: Room, eve: Room): Promise<boolean> {
  const atEve = textsAt(eve);
  try {
    await (await ana.send(SECRET)).delivered;
  } catch (error) {
    if (lab.QsecError.is(error, 'IDENTITY_CHANGED')) return false;
    throw error;
  }
  return atEve.includes(SECRET);
}

const sees = (room: Room, { me }: Room) => until(room, () => room.members.some(({ id }) => id === me.id));

describe('somebody who comes under the name of a verified member', () => {
  async function comesAsBo(lab: Lab): Promise<boolean> {
    const { relay, ana, bo } = await verifiedPair(lab);
    await bo.leave();
    await until(ana, () => ana.members.length === 0);
    const eve = await enter(eves, relay, { name: 'Bo', invite: ana.invite.code });
    await Promise.all([sees(ana, eve), reach(eve, 'secure')]);
    return writes(lab, ana, eve);
  }

  it('is sent nothing', async () => {
    expect(await comesAsBo(honest)).toBe(false);
  });

  it('would be, if names of verified members were anybody’s', async () => {
    const edit: Edit = { file: 'room/membership.ts', find: 'holder?.verified', put: 'false' };
    expect(await comesAsBo(await buildLab({ edits: [edit] }))).toBe(true);
  });
});

describe('somebody whom the relay gives the seat of a member', () => {
  /** The relay knows what every member shows for its seat. */
  function seatOfBo(relay: HostileRelay): { seat: string; seatSecret: string } {
    const seen = relay.seen as { event: string; content: { seat: string; seatSecret: string } }[];
    const last = seen.filter(({ event }) => event === 'join').at(-1);
    if (!last) throw new Error('nobody has joined yet');
    return last.content;
  }

  async function takesHisSeat(lab: Lab): Promise<boolean> {
    const { relay, ana } = await verifiedPair(lab);
    const { seat, seatSecret } = seatOfBo(relay);
    globalThis.__qsec2Seat = lab.wire.fromBase64url(seat);
    const eve = await enter(
      eves,
      showing(relay, () => ({ seatSecret })),
      { name: 'Guest', invite: ana.invite.code },
    );
    await Promise.all([sees(ana, eve), reach(eve, 'secure')]);
    return writes(lab, ana, eve);
  }

  it('is sent nothing either, whatever it is called', async () => {
    expect(await takesHisSeat(honest)).toBe(false);
  });

  it('would be, if a seat were taken for who sat there', async () => {
    const edit: Edit = { file: 'room/membership.ts', find: 'peer.changedFrom ??= displaced ??', put: 'peer.changedFrom ??=' };
    expect(await takesHisSeat(await buildLab({ edits: [edit] }))).toBe(true);
  });
});

describe('a member who renames itself', () => {
  /** What Eve is called at Ana, after she announced the name of Bo. */
  async function becomesBo(lab: Lab): Promise<string | undefined> {
    const { relay, ana, bo } = await verifiedPair(lab);
    const eve = await enter(eves, relay, { name: 'Eve', invite: ana.invite.code });
    await Promise.all([sees(ana, eve), sees(bo, eve), reach(eve, 'secure')]);
    await bo.leave();
    globalThis.__qsec2Name = 'Bo';
    const cy = await enter(lab, relay, { name: 'Cy', invite: ana.invite });
    await Promise.all([sees(ana, cy), sees(eve, cy), reach(cy, 'secure')]);
    // Eve's announcement came before what she says under it.
    const heard = ana.once('message');
    await eve.send('hi');
    await heard;
    return ana.members.find(({ id }) => id === eve.me.id)?.name;
  }

  it('does not get the name of a verified one', async () => {
    expect(await becomesBo(honest)).toBe('Eve');
  });

  it('would, if nobody asked whose it is', async () => {
    const edit: Edit = {
      file: 'room/membership.ts',
      find: /if \(!sameName\(peer\.name, before\) && .*\) peer\.name = before;/,
      put: 'void sameName;',
    };
    expect(await becomesBo(await buildLab({ edits: [edit] }))).toBe('Bo');
  });
});
