import { beforeAll, describe, expect, it } from 'vitest';
import type { Member, Room } from '../../packages/sdk/src/index.ts';
import { buildLab, type Edit, type Lab } from './support/lab.ts';
import { enter, until } from './support/people.ts';

/**
 * Eve was a delegate with every right until Ana removed her. She kept the key that she signed with, somebody passed the new link on to her,
 * and she is back as somebody else, with orders of who she was.
 */

type SigningKey = Awaited<ReturnType<Lab['protocol']['generateSigningKey']>>;

declare global {
  var __qsec2Kept: SigningKey | undefined;
  var __qsec2Order: Uint8Array | undefined;
}

const KEEPING: readonly Edit[] = [
  {
    file: 'room/entry.ts',
    find: 'const identity = signingKey(privateKey, publicKey);',
    put: 'const identity = signingKey(privateKey, publicKey); globalThis.__qsec2Kept ??= identity;',
  },
  // Her client talks as if she were let in, and sends an order whenever it could say that she is typing.
  { file: 'room/authority.ts', find: "return this.#policy?.join === 'approve' || this.locked;", put: 'return false;' },
  {
    file: 'room/conversation.ts',
    find: 'async sendTyping(): Promise<void> {',
    put: `async sendTyping(): Promise<void> {
      for (const peer of this.#membership.peers) await this.#membership.sendToPeer(peer, globalThis.__qsec2Order as never);`,
  },
];

/** Who was removed keeps every right. */
const FORGETFUL: readonly Edit[] = [
  {
    file: 'room/authority.ts',
    find: '.filter(({ identity }) => !banned.has(toBase64url(identity)))',
    put: '.filter(() => banned)',
  },
];

let honest: Lab;
let forgetful: Lab;
let eves: Lab;
beforeAll(async () => {
  honest = await buildLab();
  forgetful = await buildLab({ edits: FORGETFUL });
  eves = await buildLab({ edits: KEEPING });
});

const member = (room: Room, { me }: Room) => room.members.find(({ id }) => id === me.id) as Member;
const sees = (room: Room, ...others: Room[]) =>
  until(room, () => others.every((other) => member(room, other)?.presence === 'present'));

/** What an order of Eve's, made of where the room is now, does to Bo, who was there all along, and to Di, who came later. */
async function orders(lab: Lab, make: (at: { mal: Room; bo: Room; key: SigningKey }) => Promise<Uint8Array>) {
  globalThis.__qsec2Kept = undefined;
  const relay = new lab.testing.HostileRelay();
  const ana = await enter(lab, relay, { name: 'Ana', capacity: 6 });
  const bo = await enter(lab, relay, { name: 'Bo', invite: ana.invite });
  const eve = await enter(eves, relay, { name: 'Eve', invite: ana.invite.code });
  const key = globalThis.__qsec2Kept as unknown as SigningKey;
  await Promise.all([sees(ana, bo, eve), sees(bo, ana, eve), sees(eve, ana, bo)]);
  await ana.delegate(member(ana, eve), ['approve', 'lock', 'remove']);
  await ana.lock();
  await ana.removeMember(member(ana, eve));
  const di = await enter(lab, relay, { name: 'Di', invite: ana.invite });
  await sees(ana, di);
  await ana.approve(member(ana, di));
  await Promise.all([sees(di, ana, bo), sees(bo, di), until(di, () => di.state === 'secure')]);

  const mal = await enter(eves, relay, { name: 'Mal', invite: ana.invite.code });
  await Promise.all([sees(mal, ana, bo, di), ...[ana, bo, di].map((room) => sees(room, mal))]);
  const attested = new Set<string>();
  for (const room of [bo, di]) room.on('members', () => member(room, mal)?.attested && attested.add(room.me.name));
  globalThis.__qsec2Order = await make({ mal, bo, key });
  mal.typing();
  const over = [bo, di].map((room) => until(room, () => room.state === 'closed' || !member(room, mal)));
  await mal.leave();
  await Promise.all(over);
  const states = [bo, di].map(({ state, policy, invite }) => ({ state, locked: policy.locked, generation: invite.generation }));
  return { states, attested: [...attested], rights: [bo, di].map(({ policy }) => policy.delegates.length) };
}

const UNTOUCHED = { state: 'secure', locked: true, generation: 1 };

describe('a removed delegate who got the new link', () => {
  const unlocks = (lab: Lab) =>
    orders(lab, async ({ mal, key }) => {
      const { encoded } = await eves.protocol.signLock(mal.invite, key, 1_000, false);
      return eves.protocol.encodePairContent({ kind: 'lock', order: encoded });
    });
  const vouches = (lab: Lab) =>
    orders(lab, async ({ mal, bo, key }) => {
      const own = eves.wire.fromBase64url(keyOf(bo, mal));
      const admission = await eves.protocol.signAdmission(mal.invite, key, own, 1_000);
      return eves.protocol.encodePairContent({ kind: 'credentials', admission });
    });
  const removes = (lab: Lab) =>
    orders(lab, async ({ mal, bo, key }) => {
      const target = eves.wire.fromBase64url(keyOf(mal, bo));
      const { removal, renewed } = await eves.protocol.signRemoval(mal.invite, key, target, 1_000);
      const none = new Uint8Array(0);
      return eves.protocol.encodePairContent({
        kind: 'removal',
        order: removal.encoded,
        secret: renewed.secret,
        admission: none,
      });
    });
  /** Identity key of a member, which a client knows and does not show. */
  const keyOf = (room: Room, other: Room) =>
    honest.wire.toBase64url((member(room, other) as Member & { identityKey: Uint8Array }).identityKey);

  it('has no rights, unlocks nothing, vouches for nobody, and removes nobody, also where somebody came later', async () => {
    for (const attack of [unlocks, vouches, removes]) {
      expect(await attack(honest)).toEqual({ states: [UNTOUCHED, UNTOUCHED], attested: [], rights: [0, 0] });
    }
  });

  it('would do all of it, if a removal took no rights', async () => {
    expect((await unlocks(forgetful)).states.map(({ locked }) => locked)).toEqual([false, false]);
    expect((await vouches(forgetful)).attested.sort()).toEqual(['Bo', 'Di']);
    expect((await removes(forgetful)).states).toMatchObject([{ state: 'closed' }, { generation: 2 }]);
  });
});
