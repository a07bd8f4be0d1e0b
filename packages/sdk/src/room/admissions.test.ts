import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { QsecError } from '../errors.ts';
import { decodePairContent, encodePairContent, orderName, type PairContent } from '../protocol/content.ts';
import { fingerprint, generateSigningKey, type SigningKey } from '../protocol/identity.ts';
import { Invite } from '../protocol/invite.ts';
import { type Delegate, type Lock, RIGHTS, signAdmission, signLock } from '../protocol/orders.ts';
import { type AgreementPolicy, type MemberPolicy, type SignedRoomPolicy, signRoomPolicy } from '../protocol/policy.ts';
import { randomBytes } from '../protocol/random.ts';
import { type Bytes, MIN_CAPACITY } from '../wire/index.ts';
import { Admissions } from './admissions.ts';
import { Authority, type KeptAuthority } from './authority.ts';
import type { Peer } from './peer.ts';
import { hex } from './text.ts';

/** Who is let in, apart from any room. */

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const NONE: Bytes = new Uint8Array(0);
const AGREEMENT: AgreementPolicy = { required: true, source: 'bb84', pulses: 8192, threshold: 0.11 };

let ana: SigningKey;
let bo: SigningKey;
let cy: SigningKey;
let di: SigningKey;
let invite: Invite;
beforeAll(async () => {
  ana = await generateSigningKey();
  bo = await generateSigningKey();
  cy = await generateSigningKey();
  di = await generateSigningKey();
  const creator = fingerprint(ana.publicKey);
  invite = new Invite({ generation: 0, roomId: randomBytes(16), secret: randomBytes(32), creator });
});

const everything = ({ publicKey }: SigningKey): Delegate => ({ identity: publicKey, rights: RIGHTS });

const policyOf = (fields: Partial<SignedRoomPolicy> = {}): Promise<SignedRoomPolicy> =>
  signRoomPolicy(invite, ana, { n: 1, join: 'approve', capacity: 4, name: '', delegates: [], ...fields });

const idOf = ({ publicKey }: SigningKey) => hex(fingerprint(publicKey));

function person(identity: SigningKey, fields: Partial<Peer> = {}): Peer {
  const state = { trusted: false, vouched: false, attested: false, presence: 'present', changedFrom: undefined, name: 'Eve' };
  const creator = identity === ana;
  return { identityKey: identity.publicKey, id: idOf(identity), creator, ...state, ...fields } as unknown as Peer;
}

/** What `me` decides and is told among `peers`. */
function among(me: SigningKey, policy: SignedRoomPolicy | undefined, peers: Peer[], kept: Partial<KeptAuthority> = {}) {
  const before = { admission: NONE, lock: undefined, orders: 0, banned: [], carriedOver: false, removal: undefined };
  const authority = new Authority(invite, me, AGREEMENT, policy, { ...before, ...kept });
  const log = {
    sent: [] as { to: Peer; content: PairContent; name: Bytes }[],
    trusted: [] as Peer[],
    distrusted: 0,
    changed: [] as Peer[],
    changes: 0,
    told: [] as unknown[],
    failures: [] as QsecError[],
  };
  const admissions = new Admissions({
    authority,
    peers: () => peers,
    sendToPeer: async (to, content) => void log.sent.push({ to, content: decodePairContent(content), name: orderName(content) }),
    enqueue: (task) => void task(),
    onTrusted: async (peer) => void log.trusted.push(peer),
    onDistrusted: async () => void log.distrusted++,
    onChanged: (peer) => void log.changed.push(peer),
    onChange: () => void log.changes++,
    tell: (kind, member) => log.told.push([kind, member]),
    fail: (error) => log.failures.push(error),
  });
  /** What was sent since this was asked last: to whom, and of which kind. */
  let looked = 0;
  const sent = () => {
    const since = log.sent.slice(looked);
    looked = log.sent.length;
    return since.map(({ to, content: { kind } }) => [to, kind]);
  };
  const confirm = (by: Peer) =>
    admissions.receiveConfirmation(
      by,
      log.sent.filter(({ to }) => to === by).map(({ name }) => name),
    );
  return { authority, admissions, log, sent, confirm };
}

const shows = (fields: Partial<MemberPolicy> = {}): MemberPolicy => ({
  agreement: AGREEMENT,
  room: NONE,
  lock: NONE,
  admission: NONE,
  name: '',
  ...fields,
});

describe('letting somebody in', () => {
  it('is for who may, for who is here, and for who is the one it seems to be', async () => {
    const [waits, other] = [person(cy), person(di, { changedFrom: person(bo) })];
    const bos = among(bo, await policyOf(), [waits]);
    await expect(bos.admissions.approve(waits.id)).rejects.toMatchObject({
      code: 'NO_ADMIN',
      message: 'Only who made the room, or got the right from them, can let somebody in.',
    });
    const anas = among(ana, await policyOf(), [waits, other]);
    await expect(anas.admissions.approve('nobody')).rejects.toMatchObject({
      code: 'PEER_GONE',
      message: 'This member is not here any more.',
    });
    await expect(anas.admissions.approve(other.id)).rejects.toMatchObject({ code: 'IDENTITY_CHANGED' });
    expect([bos.log.sent, anas.log.sent, waits.trusted, other.trusted]).toEqual([[], [], false, false]);
  });

  it('is for delegates with that right, too', async () => {
    const waits = person(cy);
    const { admissions, sent } = among(bo, await policyOf({ delegates: [{ identity: bo.publicKey, rights: ['approve'] }] }), [
      waits,
    ]);
    await admissions.approve(waits.id);
    expect(sent()).toEqual([[waits, 'admission']]);
    // Should it have lost that word, it is given again.
    waits.trusted = false;
    await admissions.meet(waits);
    expect(sent()).toEqual([[waits, 'admission']]);
    const other = among(di, await policyOf({ delegates: [{ identity: di.publicKey, rights: ['lock', 'remove'] }] }), [waits]);
    await expect(other.admissions.approve(waits.id)).rejects.toMatchObject({ code: 'NO_ADMIN' });
  });

  it('gives it our word, trusts it, and does so once', async () => {
    const waits = person(cy);
    const { admissions, log, sent } = among(ana, await policyOf(), [waits]);
    await admissions.approve(waits.id);
    expect([waits.vouched, waits.attested, waits.trusted]).toEqual([true, true, true]);
    expect(sent()).toEqual([[waits, 'admission']]);
    await admissions.approve(waits.id);
    expect(sent()).toEqual([]);
    expect([log.trusted, log.changes]).toEqual([[waits], 2]);
  });
});

describe('somebody with whom keys are confirmed', () => {
  it.each<[string, Partial<SignedRoomPolicy>, Partial<Peer>, boolean, boolean]>([
    ['is given the creator’s word in a room for everybody', { join: 'auto' }, {}, true, true],
    ['waits where newcomers have to be let in', {}, {}, false, false],
    ['that a delegate let in is given the creator’s own word', {}, { attested: true }, true, true],
    ['that was let in here before is given our word again', {}, { vouched: true }, true, true],
  ])('%s', async (_, fields, state, vouched, trusted) => {
    const peer = person(cy, state);
    const { admissions, sent } = among(ana, await policyOf(fields), [peer]);
    await admissions.meet(peer);
    expect(sent()).toEqual(vouched ? [[peer, 'admission']] : []);
    expect(peer.trusted).toBe(trusted);
  });

  it('is given a delegate’s word where everybody may come, unless it has somebody’s', async () => {
    const policy = await policyOf({ join: 'auto', delegates: [everything(bo)] });
    const [without, withOne, creator] = [person(cy), person(di, { attested: true }), person(ana)];
    const { admissions, sent } = among(bo, policy, [without, withOne, creator]);
    for (const peer of [without, withOne, creator]) await admissions.meet(peer);
    expect(sent()).toEqual([[without, 'admission']]);
    const selective = among(bo, await policyOf({ delegates: [everything(bo)] }), [person(cy)]);
    await selective.admissions.meet(person(cy));
    expect(selective.sent()).toEqual([]);
  });

  it('is given no word by who may give none', async () => {
    const peer = person(cy, { vouched: true });
    const { admissions, sent } = among(bo, await policyOf({ join: 'auto' }), [peer]);
    await admissions.meet(peer);
    expect(sent()).toEqual([]);
    expect(peer.trusted).toBe(true);
  });

  it('that seems to be another one is shown to the person, and gets nothing', async () => {
    const peer = person(cy, { changedFrom: person(bo), vouched: true });
    const { admissions, sent, log } = among(ana, await policyOf({ join: 'auto' }), [peer]);
    await admissions.meet(peer);
    expect([sent(), log.changed, log.trusted, peer.trusted]).toEqual([[], [peer], [], false]);
    // Who is not let in anyway holds nobody up.
    const waits = person(di, { changedFrom: person(bo) });
    const strict = among(ana, await policyOf(), [waits]);
    await strict.admissions.meet(waits);
    expect(strict.log.changed).toEqual([]);
  });

  it('is trusted once', async () => {
    const peer = person(cy, { attested: true });
    const { admissions, log } = among(bo, await policyOf(), [peer]);
    await admissions.meet(peer);
    await admissions.trust(peer);
    expect(log.trusted).toEqual([peer]);
  });

  it('is trusted no more by a newcomer that learns that it waits itself', async () => {
    const [early, known] = [person(cy, { trusted: true }), person(di, { trusted: true, attested: true })];
    const newcomer = among(bo, await policyOf(), [early, known]);
    await newcomer.admissions.meet(known);
    expect([early.trusted, known.trusted, newcomer.log.distrusted]).toEqual([false, true, 1]);
    // Members go on with those they know.
    const still = person(cy, { trusted: true });
    const member = among(bo, await policyOf(), [still], { carriedOver: true });
    await member.admissions.meet(person(di, { attested: true }));
    expect([still.trusted, member.log.distrusted]).toEqual([true, 0]);
    const content = among(bo, await policyOf(), [known]);
    await content.admissions.meet(known);
    expect(content.log.distrusted).toBe(0);
  });
});

describe('what was decided while somebody shook hands', () => {
  it('is told as far as neither side has shown it', async () => {
    const policy = await policyOf();
    const lock = await signLock(invite, ana, 2, true);
    const peer = person(cy);
    const { admissions, sent } = among(ana, policy, [peer], { lock });
    const knows = { room: policy.encoded, lock: lock.encoded };
    await admissions.catchUp(peer, shows(), shows());
    expect(sent()).toEqual([
      [peer, 'policy'],
      [peer, 'lock'],
    ]);
    await admissions.catchUp(peer, shows(knows), shows());
    await admissions.catchUp(peer, shows(), shows(knows));
    expect(sent()).toEqual([]);
  });

  it('is nothing where nothing is known', async () => {
    const peer = person(cy);
    const { admissions, sent } = among(bo, undefined, [peer]);
    await admissions.catchUp(peer, shows(), shows());
    expect(sent()).toEqual([]);
  });

  it('is our admission, again where newcomers are let in, and never to who gave it', async () => {
    const admission = await signAdmission(invite, ana, bo.publicKey, 2);
    const byDelegate = await signAdmission(invite, di, bo.publicKey, 2);
    const [peer, creator] = [person(cy), person(ana)];
    const known = { room: (await policyOf()).encoded };
    const strict = among(bo, await policyOf(), [peer, creator], { admission });
    await strict.admissions.catchUp(peer, shows({ ...known, admission }), shows());
    await strict.admissions.catchUp(creator, shows(known), shows());
    expect(strict.sent()).toEqual([[peer, 'credentials']]);
    const delegated = among(bo, await policyOf(), [creator], { admission: byDelegate });
    await delegated.admissions.catchUp(creator, shows(known), shows());
    expect(delegated.sent()).toEqual([[creator, 'credentials']]);
    const open = await policyOf({ join: 'auto' });
    const easy = among(bo, open, [peer], { admission });
    await easy.admissions.catchUp(peer, shows({ room: open.encoded, admission }), shows());
    expect(easy.sent()).toEqual([]);
    await easy.admissions.catchUp(peer, shows({ room: open.encoded }), shows());
    expect(easy.sent()).toEqual([[peer, 'credentials']]);
  });
});

describe('locking', () => {
  it('is told to everyone, and waited for by who is in the room and here', async () => {
    const [member, away, waits] = [person(bo, { trusted: true }), person(di, { trusted: true, presence: 'away' }), person(cy)];
    const { admissions, authority, sent, confirm, log } = among(ana, await policyOf(), [member, away, waits]);
    const { done } = await admissions.lock(true);
    expect(authority.locked).toBe(true);
    expect(sent()).toEqual([
      [member, 'lock'],
      [away, 'lock'],
      [waits, 'lock'],
    ]);
    expect(log.told).toEqual([['policy', undefined]]);
    confirm(member);
    expect(await done).toEqual({ confirmed: [member], pending: [away] });
  });

  it('is over for who says nothing after ten seconds, for who is gone, and when the room is left', async () => {
    const member = person(bo, { trusted: true });
    const { admissions } = among(ana, await policyOf(), [member]);
    let ended = 0;
    const lock = async () => {
      const { done } = await admissions.lock(true);
      void done.then(() => ended++);
      return done;
    };
    const first = lock();
    await vi.advanceTimersByTimeAsync(9_900);
    expect(ended).toBe(0);
    await vi.advanceTimersByTimeAsync(100);
    expect(await first).toEqual({ confirmed: [], pending: [member] });
    const second = lock();
    await vi.advanceTimersByTimeAsync(0);
    admissions.forget(person(di));
    await vi.advanceTimersByTimeAsync(0);
    expect(ended).toBe(1);
    admissions.forget(member);
    expect(await second).toEqual({ confirmed: [], pending: [member] });
    const third = lock();
    await vi.advanceTimersByTimeAsync(0);
    admissions.close();
    expect(await third).toEqual({ confirmed: [], pending: [member] });
  });

  it('is confirmed by the order itself, not by another one', async () => {
    const member = person(bo, { trusted: true });
    const { admissions, log } = among(ana, await policyOf(), [member]);
    const { done } = await admissions.lock(true);
    admissions.receiveConfirmation(person(di), [log.sent[0]?.name as Bytes]);
    admissions.receiveConfirmation(member, [randomBytes(16)]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await done).toEqual({ confirmed: [], pending: [member] });
  });

  it('ends the waiting where a room is opened again', async () => {
    const waits = person(cy);
    const lock = await signLock(invite, ana, 2, true);
    const { admissions, log } = among(ana, await policyOf({ join: 'auto' }), [waits], { lock });
    await admissions.lock(false);
    expect([waits.trusted, log.trusted]).toEqual([true, [waits]]);
  });

  it('is for who may', async () => {
    const { admissions, log } = among(bo, await policyOf(), [person(cy)]);
    await expect(admissions.lock(true)).rejects.toMatchObject({ code: 'NO_ADMIN' });
    expect(log.sent).toEqual([]);
  });
});

describe('handing the room over', () => {
  it('is possible to a member that is here, and to nobody else', async () => {
    const [away, waits, here] = [
      person(bo, { trusted: true, presence: 'away', name: 'Bo' }),
      person(cy, { name: 'Cy' }),
      person(di, { trusted: true }),
    ];
    const { admissions, authority, log, confirm } = among(ana, await policyOf(), [away, waits, here]);
    await expect(admissions.handOver('nobody')).rejects.toMatchObject({ code: 'PEER_GONE' });
    for (const [peer, name] of [
      [away, 'Bo'],
      [waits, 'Cy'],
    ] as const) {
      const refusal = { code: 'PEER_GONE', message: `"${name}" is not here to take over.` };
      await expect(admissions.handOver(peer.id)).rejects.toMatchObject(refusal);
    }
    expect(log.sent).toEqual([]);
    const { confirmed } = await admissions.handOver(here.id);
    expect(authority.delegates).toEqual([everything(di)]);
    confirm(here);
    expect(await confirmed).toBe(true);
  });

  it('did not happen where the member says nothing, whatever others say', async () => {
    const [here, other] = [person(di, { trusted: true }), person(bo, { trusted: true })];
    const { admissions, confirm } = among(ana, await policyOf(), [here, other]);
    const { confirmed } = await admissions.handOver(here.id);
    confirm(other);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await confirmed).toBe(false);
  });

  it('is needed where members stay of whom none may let others in, and others can come', async () => {
    const stays = person(bo, { trusted: true });
    const needed = async (me: SigningKey, fields: Partial<SignedRoomPolicy>, peers: Peer[]) =>
      among(me, await policyOf(fields), peers).admissions.needsDelegate;
    expect(await needed(ana, {}, [stays])).toBe(true);
    expect(await needed(ana, {}, [])).toBe(false);
    expect(await needed(ana, {}, [person(bo)])).toBe(false);
    expect(await needed(ana, { delegates: [everything(bo)] }, [stays])).toBe(false);
    expect(await needed(ana, { delegates: [{ identity: bo.publicKey, rights: ['lock'] }] }, [stays])).toBe(true);
    expect(await needed(ana, { delegates: [everything(bo)] }, [person(cy, { trusted: true }), stays])).toBe(false);
    expect(await needed(ana, { capacity: MIN_CAPACITY }, [stays])).toBe(false);
    expect(await needed(bo, {}, [person(cy, { trusted: true })])).toBe(false);
    expect(among(ana, undefined, [stays]).admissions.needsDelegate).toBe(false);
  });
});

describe('rights', () => {
  it('are given to a member, told to everyone, and taken back from one that is away', async () => {
    const [member, other] = [person(bo, { trusted: true }), person(cy, { trusted: true })];
    const peers = [member, other];
    const { admissions, authority, sent } = among(ana, await policyOf(), peers);
    await admissions.delegate(member.id, ['lock']);
    expect(authority.delegates).toEqual([{ identity: bo.publicKey, rights: ['lock'] }]);
    expect(sent()).toEqual([
      [member, 'policy'],
      [other, 'policy'],
    ]);
    peers.shift();
    await admissions.delegate(member.id, []);
    expect(authority.delegates).toEqual([]);
    await expect(admissions.delegate(member.id, ['lock'])).rejects.toMatchObject({ code: 'PEER_GONE' });
  });

  it('are taken from the one that is meant', async () => {
    const { admissions, authority } = among(ana, await policyOf({ delegates: [everything(bo), everything(di)] }), []);
    await admissions.delegate(idOf(di), []);
    expect(authority.delegates).toEqual([everything(bo)]);
  });

  it('that do not exist are refused', async () => {
    const member = person(bo, { trusted: true });
    const { admissions, authority } = among(ana, await policyOf(), [member]);
    await expect(admissions.delegate(member.id, ['lock', 'rule' as never])).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: '"rights" expected some of approve, lock, remove, got lock, rule',
    });
    expect(authority.delegates).toEqual([]);
  });

  it('that are taken back from who locked the room leave it locked, by a lock of our own', async () => {
    const member = person(bo, { trusted: true });
    const lock = await signLock(invite, bo, 2, true);
    const { admissions, authority, sent } = among(ana, await policyOf({ delegates: [everything(bo)] }), [member], { lock });
    await admissions.delegate(member.id, []);
    expect(sent()).toEqual([
      [member, 'policy'],
      [member, 'lock'],
    ]);
    expect(authority.lock?.signer).toEqual(ana.publicKey);
  });

  it('of somebody who was removed are signed away, and told only where something was', async () => {
    const member = person(di, { trusted: true });
    const policy = await policyOf({ delegates: [everything(bo)] });
    const lock = await signLock(invite, bo, 2, true);
    const anas = among(ana, policy, [member], { banned: [bo.publicKey], lock });
    await anas.admissions.disown();
    expect(anas.sent()).toEqual([
      [member, 'policy'],
      [member, 'lock'],
    ]);
    expect(anas.log.told).toEqual([['policy', undefined]]);
    await anas.admissions.disown();
    expect([anas.sent(), anas.log.told.length]).toEqual([[], 1]);
    // A delegate may sign the lock and not the policy.
    const both = await policyOf({ delegates: [everything(bo), everything(cy)] });
    const cys = among(cy, both, [member], { banned: [bo.publicKey], lock });
    await cys.admissions.disown();
    expect(cys.sent()).toEqual([[member, 'lock']]);
    expect(cys.log.told).toEqual([['policy', undefined]]);
    const withoutLock = among(ana, policy, [member], { banned: [bo.publicKey] });
    await withoutLock.admissions.disown();
    expect([withoutLock.sent(), withoutLock.log.told.length]).toEqual([[[member, 'policy']], 1]);
  });
});

describe('an order that somebody sends', () => {
  it('is confirmed each time where it holds, and not where it does not', async () => {
    const from = person(cy);
    const { admissions, log } = among(bo, await policyOf(), [from]);
    const order = { kind: 'lock' as const, order: (await signLock(invite, ana, 2, true)).encoded };
    await admissions.receive(from, order);
    await admissions.receive(from, order);
    const obeyed = { kind: 'obeyed', names: [orderName(encodePairContent(order))] };
    expect(log.sent.map(({ to, content }) => [to, content])).toEqual([
      [from, obeyed],
      [from, obeyed],
    ]);
    expect(log.told).toEqual([['policy', undefined]]);
    await admissions.receive(from, { kind: 'lock', order: (await signLock(invite, cy, 9, false)).encoded });
    expect(log.sent).toHaveLength(2);
  });

  it('of letting us in is shown to everybody, except to who made the room and gave it', async () => {
    const admission = await signAdmission(invite, ana, bo.publicKey, 2);
    const [creator, other] = [person(ana), person(cy)];
    const { admissions, authority, sent, log } = among(bo, await policyOf(), [creator, other]);
    await admissions.receive(creator, { kind: 'admission', admission });
    expect(authority.admission).toEqual(admission);
    expect(sent()).toEqual([
      [other, 'credentials'],
      [creator, 'obeyed'],
    ]);
    expect(log.changes).toBe(1);
    // The same word again is confirmed and not shown again.
    await admissions.receive(creator, { kind: 'admission', admission });
    expect([sent(), log.changes]).toEqual([[[creator, 'obeyed']], 1]);
    await admissions.receive(creator, { kind: 'admission', admission: await signAdmission(invite, cy, bo.publicKey, 3) });
    expect([sent(), authority.admission]).toEqual([[], admission]);
  });

  it('that shows somebody’s word for a member lets it in, once', async () => {
    const peer = person(cy);
    const { admissions, sent, log } = among(bo, await policyOf(), [peer]);
    await admissions.receive(peer, { kind: 'credentials', admission: await signAdmission(invite, di, cy.publicKey, 2) });
    expect([sent(), peer.attested, log.changes]).toEqual([[], false, 0]);
    const admission = await signAdmission(invite, ana, cy.publicKey, 2);
    await admissions.receive(peer, { kind: 'credentials', admission });
    await admissions.receive(peer, { kind: 'credentials', admission });
    expect([peer.attested, peer.trusted, log.trusted, log.changes]).toEqual([true, true, [peer], 1]);
    expect(sent()).toEqual([
      [peer, 'obeyed'],
      [peer, 'obeyed'],
    ]);
  });

  it('that gives us rights is passed on, since who gave them may be gone, and not back to who made the room', async () => {
    const [creator, other] = [person(ana), person(cy)];
    const { admissions, sent, log } = among(bo, await policyOf(), [creator, other]);
    const policy = (await policyOf({ n: 2, delegates: [{ identity: bo.publicKey, rights: ['remove'] }] })).encoded;
    await admissions.receive(creator, { kind: 'policy', policy });
    expect(sent()).toEqual([
      [other, 'policy'],
      [creator, 'obeyed'],
    ]);
    expect(log.told).toEqual([['policy', undefined]]);
    // An older one changes nothing.
    await admissions.receive(creator, { kind: 'policy', policy: (await policyOf()).encoded });
    expect([sent(), log.told.length]).toEqual([[[creator, 'obeyed']], 1]);
  });

  it('that gives rights to another one is not passed on', async () => {
    const [creator, other] = [person(ana), person(cy)];
    const { admissions, sent } = among(bo, await policyOf(), [creator, other]);
    const policy = (await policyOf({ n: 2, delegates: [everything(di)] })).encoded;
    await admissions.receive(creator, { kind: 'policy', policy });
    expect(sent()).toEqual([[creator, 'obeyed']]);
  });

  it('about the lock takes the place of ours, which is not repeated any more', async () => {
    const [creator, other] = [person(ana, { trusted: true }), person(cy, { trusted: true })];
    const { admissions, sent } = among(bo, await policyOf({ delegates: [everything(bo)] }), [creator, other]);
    const { done } = await admissions.lock(true);
    expect(sent()).toHaveLength(2);
    await admissions.receive(creator, { kind: 'lock', order: (await signLock(invite, ana, 5_000, false)).encoded });
    expect(sent()).toEqual([[creator, 'obeyed']]);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(sent()).toEqual([]);
    expect((await done).confirmed).toEqual([]);
  });
});

describe('a room without anybody who may let in', () => {
  const noAdmin = ['no-admin', undefined];

  it('is told of once it is known who is here, once, and again after somebody was there', async () => {
    const peers: Peer[] = [person(cy)];
    const { admissions, log } = among(bo, await policyOf(), peers);
    admissions.watch(false);
    expect(log.told).toEqual([]);
    admissions.watch(true);
    admissions.watch(true);
    expect(log.told).toEqual([noAdmin]);
    expect(log.failures).toEqual([expect.objectContaining({ code: 'NO_ADMIN', message: 'Nobody is here who may let you in.' })]);
    peers.push(person(ana));
    admissions.watch(false);
    peers.pop();
    admissions.watch(true);
    expect(log.told).toEqual([noAdmin, noAdmin]);
  });

  it('is no failure for who is in it', async () => {
    const { admissions, log } = among(bo, await policyOf(), [person(cy)], { carriedOver: true });
    admissions.watch(true);
    expect([log.told, log.failures]).toEqual([[noAdmin], []]);
  });

  it('is none where everybody may come, where we may, where a delegate is here, or while no policy is known', async () => {
    const delegates = [everything(cy)];
    const lock = (await signLock(invite, ana, 2, true)) as Lock;
    for (const { admissions, log } of [
      among(bo, await policyOf({ join: 'auto' }), []),
      among(ana, await policyOf(), []),
      among(bo, await policyOf({ delegates }), [person(cy)]),
      among(cy, await policyOf({ delegates }), []),
      among(bo, undefined, [], { lock }),
    ]) {
      admissions.watch(true);
      expect(log.told).toEqual([]);
    }
  });
});
