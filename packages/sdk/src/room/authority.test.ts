import { beforeAll, describe, expect, it } from 'vitest';
import { fingerprint, generateSigningKey, type SigningKey } from '../protocol/identity.ts';
import { Invite } from '../protocol/invite.ts';
import { type Delegate, type Lock, type Removal, RIGHTS, signAdmission, signLock, signRemoval } from '../protocol/orders.ts';
import { type AgreementPolicy, encodeMemberPolicy, type SignedRoomPolicy, signRoomPolicy } from '../protocol/policy.ts';
import { randomBytes } from '../protocol/random.ts';
import { type Bytes, MAX_CAPACITY, toBase64url } from '../wire/index.ts';
import { Authority, type KeptAuthority } from './authority.ts';

const AGREEMENT: AgreementPolicy = { required: true, source: 'bb84', pulses: 8192, threshold: 0.11 };
const NONE: Bytes = new Uint8Array(0);

let ana: SigningKey;
let bo: SigningKey;
let cy: SigningKey;
let di: SigningKey;
let invite: Invite;
beforeAll(async () => {
  [ana, bo, cy, di] = (await Promise.all([1, 2, 3, 4].map(() => generateSigningKey()))) as [
    SigningKey,
    SigningKey,
    SigningKey,
    SigningKey,
  ];
  invite = inviteTo(randomBytes(16));
});

/** A link of Ana's. */
const inviteTo = (roomId: Bytes) =>
  new Invite({ generation: 0, roomId, secret: randomBytes(32), creator: fingerprint(ana.publicKey) });

const everything = ({ publicKey }: SigningKey): Delegate => ({ identity: publicKey, rights: RIGHTS });

const policyOf = (fields: Partial<SignedRoomPolicy> = {}): Promise<SignedRoomPolicy> =>
  signRoomPolicy(invite, ana, { n: 1, join: 'auto', capacity: 4, name: '', delegates: [], ...fields });

/** What `me` knows of the room. */
const authority = (me: SigningKey, policy?: SignedRoomPolicy, kept?: Partial<KeptAuthority>) =>
  new Authority(
    invite,
    me,
    AGREEMENT,
    policy,
    kept && { admission: NONE, lock: undefined, orders: 0, banned: [], carriedOver: false, removal: undefined, ...kept },
  );

/** Somebody who proved an identity and shows what it says. */
function proven({ publicKey }: SigningKey, shown: { room?: Bytes; lock?: Bytes } = {}) {
  const policy = encodeMemberPolicy({ agreement: AGREEMENT, room: NONE, lock: NONE, admission: NONE, name: 'Eve', ...shown });
  return { identity: publicKey, policy };
}

/** Both follow a removal. */
function followedBy(who: readonly Authority[], { removal, renewed }: { removal: Removal; renewed: Invite }): Invite {
  for (const one of who) one.follow(removal, renewed);
  return renewed;
}

describe('every refusal', () => {
  it.each<[string, () => Promise<unknown>, string, string]>([
    [
      'somebody who shows our own identity',
      async () => authority(ana, await policyOf()).admit(proven(ana), []),
      'HANDSHAKE_FAILED',
      'The other side shows our own identity: somebody reflects our messages.',
    ],
    [
      'an identity that was removed',
      async () => authority(ana, await policyOf(), { banned: [bo.publicKey] }).admit(proven(bo), []),
      'HANDSHAKE_FAILED',
      'Somebody who was removed tries to come back.',
    ],
    [
      'one member more than the room has places',
      async () => authority(ana, await policyOf({ capacity: 3 })).admit(proven(bo), [cy.publicKey, di.publicKey]),
      'ROOM_FULL',
      'More people than the room has places.',
    ],
    [
      'the creator without a signed policy',
      async () => authority(bo, await policyOf()).admit(proven(ana), []),
      'HANDSHAKE_FAILED',
      'The creator did not show a signed room policy.',
    ],
    [
      'a member before either side has the creator’s policy',
      async () => authority(bo).admit(proven(cy), []),
      'NOT_ADMITTED',
      'Neither side has met the creator yet.',
    ],
    [
      'anybody but the maker of the link in a room for two, with the genuine policy',
      async () => authority(bo).admit(proven(cy, { room: (await policyOf({ capacity: 2 })).encoded }), []),
      'HANDSHAKE_FAILED',
      'The other side is not who made this link.',
    ],
    [
      'a policy that somebody else signed',
      async () => {
        const forged = await signRoomPolicy(invite, cy, { n: 9, join: 'auto', capacity: 4, name: '', delegates: [] });
        return authority(bo).admit(proven(cy, { room: forged.encoded }), []);
      },
      'HANDSHAKE_FAILED',
      'The room policy was not signed by the creator of this link.',
    ],
    [
      'a lock before the policy is known',
      async () => authority(bo).learnLock((await signLock(invite, ana, 2, true)).encoded),
      'NOT_ADMITTED',
      "An order came before the creator's policy was known.",
    ],
    [
      'a removal before the policy is known',
      async () => authority(bo).judge((await signRemoval(invite, ana, cy.publicKey, 2)).removal.encoded),
      'NOT_ADMITTED',
      "An order came before the creator's policy was known.",
    ],
    [
      'a removal by somebody without the right',
      async () => authority(bo, await policyOf()).judge((await signRemoval(invite, cy, di.publicKey, 2)).removal.encoded),
      'NO_ADMIN',
      'A removal was not signed by somebody who may remove members.',
    ],
    [
      'a removal with another secret',
      async () =>
        authority(bo, await policyOf()).renewed((await signRemoval(invite, ana, cy.publicKey, 2)).removal, randomBytes(32)),
      'HANDSHAKE_FAILED',
      'A removal came with a secret that is not the one it commits to.',
    ],
    [
      'locking without the right',
      async () => authority(bo, await policyOf()).order(true),
      'NO_ADMIN',
      'Only who made the room, or got the right from them, can lock or unlock it.',
    ],
    [
      'giving rights without having made the room',
      async () => authority(bo, await policyOf({ delegates: [everything(bo)] })).delegate(cy.publicKey, ['lock']),
      'NO_ADMIN',
      'Only who made the room can give rights to others.',
    ],
    [
      'removing without the right',
      async () => authority(bo, await policyOf()).remove(cy.publicKey),
      'NO_ADMIN',
      'Only who made the room, or got the right from them, can remove a member.',
    ],
    [
      'removing who made the room',
      async () => authority(bo, await policyOf({ delegates: [everything(bo)] })).remove(ana.publicKey),
      'NO_ADMIN',
      'Nobody can remove who made the room.',
    ],
  ])('of %s says what it is', async (_, attempt, code, message) => {
    await expect(attempt()).rejects.toMatchObject({ code, message });
  });

  it('of what may be done is none', async () => {
    const policy = await policyOf({ capacity: MAX_CAPACITY });
    await authority(bo).admit(proven(ana, { room: policy.encoded }), []);
    await authority(bo).admit(proven(cy, { room: policy.encoded }), []);
    await authority(bo).admit(proven(ana, { room: (await policyOf({ capacity: 2 })).encoded }), []);
    const full = authority(ana, await policyOf({ capacity: 3 }));
    await full.admit(proven(bo), [cy.publicKey, bo.publicKey]);
  });
});

describe('a delegate who was removed', () => {
  /** Cy was a delegate with every right. Ana removed them; `at` is what that looks like to whoever followed. */
  async function removed(by: SigningKey = ana, delegates = [everything(cy), everything(bo)]) {
    const policy = await policyOf({ join: 'approve', delegates });
    const [anas, bos, dis] = [authority(ana, policy), authority(bo, policy), authority(di, policy)];
    const order = await signRemoval(invite, by, cy.publicKey, 5);
    return { policy, anas, bos, dis, order, renewed: followedBy([anas, bos, dis], order) };
  }

  it('may do nothing any more, and is no delegate', async () => {
    const { anas, bos } = await removed();
    for (const right of RIGHTS) {
      expect([anas.may(right, cy.publicKey), bos.may(right, cy.publicKey), bos.may(right)]).toEqual([false, false, true]);
    }
    expect(bos.delegates.map(({ identity }) => identity)).toEqual([bo.publicKey]);
  });

  it('opens no room', async () => {
    const { bos, renewed } = await removed();
    await expect(bos.learnLock((await signLock(renewed, cy, 99, false)).encoded)).resolves.toBe('refused');
    await expect(bos.learnLock((await signLock(renewed, ana, 100, true)).encoded)).resolves.toBe('new');
  });

  it('vouches for nobody, at the new link or an old one', async () => {
    const { bos, dis, renewed } = await removed();
    const word = await signAdmission(renewed, cy, di.publicKey, 99);
    expect(await bos.attests(di.publicKey, word)).toBe(false);
    expect(await dis.receiveAdmission(word)).toBe(false);
    expect(await bos.attestedIn(invite, di.publicKey, await signAdmission(invite, cy, di.publicKey, 99))).toBe(false);
    expect(await bos.attests(di.publicKey, await signAdmission(renewed, bo, di.publicKey, 99))).toBe(true);
  });

  it('removes nobody, also not by an order dated back to before its own removal', async () => {
    for (const by of [ana, bo]) {
      const { dis, renewed } = await removed(by);
      const next = await signRemoval(renewed, cy, bo.publicKey, 99);
      await expect(dis.judge(next.removal.encoded)).rejects.toMatchObject({ code: 'NO_ADMIN' });
      const back = await signRemoval(invite, cy, di.publicKey, 99);
      await expect(dis.judge(back.removal.encoded)).resolves.toBeUndefined();
    }
  });

  it('is one still to nobody after a reload', async () => {
    const { policy, bos } = await removed();
    const again = authority(bo, policy, { banned: bos.banned });
    expect(again.may('remove', cy.publicKey)).toBe(false);
  });

  it('is in no policy that its creator signs anew for who comes later', async () => {
    const { anas } = await removed();
    const { policy = NONE } = await anas.disown();
    const newcomer = authority(di);
    await newcomer.learn(policy);
    expect(newcomer.policy?.delegates.map(({ identity }) => toBase64url(identity))).toEqual([toBase64url(bo.publicKey)]);
    expect(newcomer.may('lock', cy.publicKey)).toBe(false);
    // Nothing is left to sign.
    expect(await anas.disown()).toEqual({ policy: undefined, lock: undefined });
  });

  it('leaves a lock behind that goes on to hold under the name of whoever may lock, and of nobody else', async () => {
    const policy = await policyOf({ delegates: [everything(cy), { identity: bo.publicKey, rights: ['lock'] }] });
    const lock = (await signLock(invite, cy, 3, true)) as Lock;
    const [bos, dis] = [authority(bo, policy, { lock }), authority(di, policy, { lock })];
    followedBy([bos, dis], await signRemoval(invite, ana, cy.publicKey, 5));
    expect(await dis.disown()).toEqual({ policy: undefined, lock: undefined });
    const { lock: adopted = NONE } = await bos.disown();
    expect(await dis.learnLock(adopted)).toBe('new');
    expect(dis.lock).toMatchObject({ locked: true, signer: bo.publicKey });
  });
});

describe('of two removals at once', () => {
  it('each of the other’s signer, one holds everywhere, and who it removes stays out', async () => {
    const policy = await policyOf({ delegates: [everything(bo), everything(cy)] });
    const byBo = await signRemoval(invite, bo, cy.publicKey, 5);
    const byCy = await signRemoval(invite, cy, bo.publicKey, 5);
    const generations = await Promise.all(
      [
        [byBo, byCy],
        [byCy, byBo],
      ].map(async ([first, second]) => {
        const one = authority(di, policy);
        followedBy([one], first as typeof byBo);
        const judged = await one.judge((second as typeof byBo).removal.encoded);
        if (judged) followedBy([one], second as typeof byBo);
        return one.banned.map(toBase64url);
      }),
    );
    expect(generations[0]).toHaveLength(1);
    expect(generations[0]).toEqual(generations[1]);
  });

  it('the one holds whose signer the other does not remove', async () => {
    const policy = await policyOf({ delegates: [everything(bo), everything(cy)] });
    for (const [higher, lower] of [
      [bo, cy],
      [cy, bo],
    ] as const) {
      const fells = await signRemoval(invite, higher, lower.publicKey, 5);
      const falls = await signRemoval(invite, lower, di.publicKey, 9);
      const one = authority(ana, policy);
      followedBy([one], fells);
      expect(await one.judge(falls.removal.encoded)).toBeUndefined();
      const other = authority(ana, policy);
      followedBy([other], falls);
      expect(await other.judge(fells.removal.encoded)).toMatchObject({ signer: higher.publicKey });
      followedBy([other], fells);
      // Di, whom the order that fell was about, stays.
      expect(other.banned).toEqual([lower.publicKey]);
    }
  });
});

describe('a creator', () => {
  it('who takes the right to lock back signs the lock anew, so that newcomers take it', async () => {
    const policy = await policyOf({ delegates: [everything(bo)] });
    const anas = authority(ana, policy, { lock: await signLock(invite, bo, 3, true) });
    const { policy: next, lock = NONE } = await anas.delegate(bo.publicKey, []);
    const newcomer = authority(di);
    await newcomer.learn(next);
    expect(await newcomer.learnLock(lock)).toBe('new');
    expect(newcomer.selective).toBe(true);
  });

  it('numbers its orders above one that may not have been stored', async () => {
    const first = authority(ana, await policyOf());
    await first.order(true);
    const stored = first.orders;
    const lost = await first.order(false);
    const again = authority(ana, await policyOf(), { orders: stored });
    const next = await again.order(true);
    const bos = authority(bo, await policyOf());
    await bos.learnLock(lost);
    expect(await bos.learnLock(next)).toBe('new');
  });
});

describe('an admission at an earlier link', () => {
  it('counts for who comes back, from whoever could give it', async () => {
    const policy = await policyOf({ join: 'approve', delegates: [everything(bo)] });
    const anas = authority(ana, policy);
    const word = await signAdmission(invite, bo, cy.publicKey, 2);
    const renewed = followedBy([anas], await signRemoval(invite, ana, di.publicKey, 3));
    expect(await anas.attestedIn(invite, cy.publicKey, word)).toBe(true);
    expect(await anas.attestedIn(renewed, cy.publicKey, word)).toBe(false);
    expect(await anas.attestedIn(invite, di.publicKey, word)).toBe(false);
  });
});
