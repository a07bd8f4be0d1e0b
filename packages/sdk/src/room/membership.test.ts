import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { QsecError } from '../errors.ts';
import { Emitter } from '../events.ts';
import { decodePairContent, type PairContent } from '../protocol/content.ts';
import { decodeFrame, FRAME_TYPE } from '../protocol/frame.ts';
import { SID_BYTES } from '../protocol/handshake.ts';
import { fingerprint, generateSigningKey, type SigningKey } from '../protocol/identity.ts';
import { Invite } from '../protocol/invite.ts';
import { oneFlightSource } from '../protocol/one-flight-source.fixture.ts';
import { PairChannel } from '../protocol/pair-channel.ts';
import type { PairSecrets } from '../protocol/pairing.ts';
import { type AgreementPolicy, encodeMemberPolicy, type SignedRoomPolicy, signRoomPolicy } from '../protocol/policy.ts';
import { randomBytes } from '../protocol/random.ts';
import { type Bytes, fromBase64url, toBase64url } from '../wire/index.ts';
import { Authority } from './authority.ts';
import type { RoomContext } from './context.ts';
import { Membership, type MembershipOptions } from './membership.ts';
import type { Peer } from './peer.ts';
import type { KnownMember } from './remembered-member.ts';
import { hex } from './text.ts';
import type { RoomEvents } from './types.ts';

/** Seats, and the members behind them, apart from any relay. The clock is false; cryptography is not. */

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));

const NONE: Bytes = new Uint8Array(0);
const AGREEMENT: AgreementPolicy = { required: true, source: 'bb84', pulses: 64, threshold: 0.11 };
const OWN = new Uint8Array(16).fill(255);
const PSK = randomBytes(32);
const RETENTION_MS = 60_000;

let ana: SigningKey;
let bo: SigningKey;
let cy: SigningKey;
let di: SigningKey;
let invite: Invite;
let policies: { auto: SignedRoomPolicy; approve: SignedRoomPolicy };
beforeAll(async () => {
  ana = await generateSigningKey();
  bo = await generateSigningKey();
  cy = await generateSigningKey();
  di = await generateSigningKey();
  const creator = fingerprint(ana.publicKey);
  invite = new Invite({ generation: 0, roomId: randomBytes(16), secret: randomBytes(32), creator });
  const fields = { n: 1, capacity: 4, name: '', delegates: [] };
  policies = {
    auto: await signRoomPolicy(invite, ana, { ...fields, join: 'auto' }),
    approve: await signRoomPolicy(invite, ana, { ...fields, join: 'approve' }),
  };
});

const made: Membership[] = [];
afterEach(() => {
  for (const membership of made.splice(0)) membership.destroy();
  vi.useRealTimers();
});

interface Options {
  me?: SigningKey;
  seat?: Bytes;
  join?: 'auto' | 'approve' | 'unknown';
  limited?: boolean;
  change?: Partial<MembershipOptions>;
}

function room({ me = ana, seat: own = OWN, join = 'auto', limited = true, change = {} }: Options = {}) {
  const log = {
    pushed: [] as { frame: Bytes; to: readonly Bytes[] | undefined }[],
    reports: [] as string[],
    changes: 0,
    secured: [] as Peer[],
    recalled: [] as Peer[],
    accepted: [] as Peer[],
    removed: [] as Peer[],
    letIn: [] as string[],
    released: [] as string[],
    security: [] as { kind: string; member: unknown; before: unknown }[],
    errors: [] as QsecError[],
    members: [] as (readonly { id: string }[])[],
  };
  const tasks: Promise<void>[] = [];
  const events = new Emitter<RoomEvents>();
  events.on('security', ({ kind, member, before }) => log.security.push({ kind, member, before }));
  events.on('error', (error) => log.errors.push(error));
  events.on('members', (members) => log.members.push(members));
  const session = {
    limits: limited ? { retentionMs: RETENTION_MS } : undefined,
    report: (what: string) => log.reports.push(what),
  };
  const place = { invite, psk: PSK, session };
  const context = {
    ...place,
    place,
    identity: me,
    me: { name: 'Me', creator: me === ana },
    seat: own,
    events,
    logger: () => undefined,
    keeping: { room: async () => undefined },
    enqueue: (task: () => Promise<void>) => void tasks.push(task()),
    fault: (error: unknown) => log.errors.push(error as QsecError),
    push: (frame: Bytes, to?: readonly Bytes[]) => log.pushed.push({ frame, to }),
  };
  const authority = new Authority(invite, me, AGREEMENT, join === 'unknown' ? undefined : policies[join]);
  const membership = new Membership(context as unknown as RoomContext, {
    agreement: AGREEMENT,
    keySource: oneFlightSource(),
    authority,
    firstFor: () => 0,
    recall: (peer) => log.recalled.push(peer),
    holderOf: () => undefined,
    known: () => undefined,
    onAccepted: async (peer) => void log.accepted.push(peer),
    onSecured: async (peer) => void log.secured.push(peer),
    onLetIn: (seat) => log.letIn.push(seat),
    onReleased: (seat) => log.released.push(seat),
    onRemoved: (peer) => log.removed.push(peer),
    onChange: () => void log.changes++,
    ...change,
  });
  made.push(membership);
  const pass = async (ms: number) => {
    await vi.advanceTimersByTimeAsync(ms);
    while (tasks.length > 0) await Promise.all(tasks.splice(0));
  };
  /** Somebody with whom keys are confirmed at a seat. Returns the member and its own channel. */
  const secure = async (seat: string, identity: SigningKey, { name = 'Bo', admission = NONE, present = true } = {}) => {
    if (present) await membership.presence(seat, 'present');
    const policy = encodeMemberPolicy({ agreement: AGREEMENT, room: NONE, lock: NONE, admission, name });
    const shown = encodeMemberPolicy({
      agreement: AGREEMENT,
      room: authority.policy?.encoded ?? NONE,
      lock: NONE,
      admission: NONE,
      name,
    });
    const [sid, root, transcript, sas] = [randomBytes(16), randomBytes(32), randomBytes(32), randomBytes(6)];
    const secrets = (role: 'a' | 'b'): PairSecrets => {
      return {
        sid,
        role,
        root: root.slice(),
        transcript,
        sas,
        shown,
        report: undefined,
        peer: { identity: identity.publicKey, policy },
      };
    };
    const theirs = new PairChannel(invite.roomId, secrets('a'));
    await membership.securedBehind(fromBase64url(seat), secrets('b'));
    await pass(0);
    return { peer: membership.peerAt(seat) as Peer, theirs };
  };
  /** Seats to which a handshake was begun since this was asked last. */
  const approached = () => {
    const handshakes = log.pushed.splice(0).filter(({ frame }) => decodeFrame(frame).type === FRAME_TYPE.handshake);
    return handshakes.map(({ to }) => toBase64url(to?.[0] as Bytes));
  };
  /** What a member was told since this was asked last. */
  const told = async (seat: string, theirs: PairChannel): Promise<PairContent[]> => {
    const contents: PairContent[] = [];
    for (const { frame, to } of log.pushed.splice(0)) {
      if (toBase64url(to?.[0] as Bytes) !== seat || decodeFrame(frame).type !== FRAME_TYPE.pair) continue;
      contents.push(decodePairContent(await theirs.open(decodeFrame(frame).content)));
    }
    return contents;
  };
  const kinds = async (seat: string, theirs: PairChannel) => (await told(seat, theirs)).map(({ kind }) => kind);
  const events_ = () => log.security.splice(0).map(({ kind }) => kind);
  return { membership, log, pass, secure, approached, told, kinds, happened: events_ };
}

const seatOf = (number: number) => toBase64url(new Uint8Array(16).fill(number));
const A = seatOf(1);
const B = seatOf(2);
const C = seatOf(3);
const up = (members: { seat: string; presence: 'present' | 'away' }[], renewed = false) => ({ members, renewed }) as never;
const present = (...seats: string[]) => seats.map((seat) => ({ seat, presence: 'present' as const }));

describe('who comes to a room', () => {
  it('begins a handshake with everyone who is present, and not with itself', async () => {
    const { membership, approached, log } = room({ me: bo });
    await membership.up(up([...present(A, toBase64url(OWN)), { seat: B, presence: 'away' }]));
    expect(approached()).toEqual([A]);
    expect(membership.expected).toEqual([A, B]);
    expect([membership.agreeing, log.reports]).toEqual([true, ['key-agreement-started']]);
  });

  it('waits three seconds for those who come later to begin, and begins then', async () => {
    const { membership, approached, pass, log } = room();
    await membership.up(up([]));
    await membership.presence(A, 'present');
    expect(membership.agreeing).toBe(true);
    await pass(2_999);
    expect(approached()).toEqual([]);
    const { changes } = log;
    await pass(1);
    expect(approached()).toEqual([A]);
    expect(log.changes).toBeGreaterThan(changes);
  });

  it('begins with nobody who went meanwhile, who is away, or whose handshake came', async () => {
    const { membership, approached, pass } = room();
    await membership.up(up([]));
    await membership.presence(A, 'present');
    await membership.presence(A, 'gone');
    await membership.presence(B, 'present');
    await membership.presence(B, 'away');
    await membership.presence(C, 'away');
    await pass(10_000);
    expect([approached(), membership.agreeing]).toEqual([[], false]);
    await membership.presence(B, 'present');
    await pass(3_000);
    expect(approached()).toEqual([B]);
  });

  it('begins again at once with nobody whom the relay names a second time', async () => {
    const { membership, approached } = room({ me: bo });
    await membership.up(up(present(A)));
    approached();
    await membership.up(up(present(A, B)));
    expect(approached()).toEqual([]);
  });

  it('follows no more seats than twice a full room', async () => {
    const { membership } = room();
    for (let number = 1; number <= 40; number++) await membership.presence(seatOf(number), 'away');
    expect(membership.expected).toHaveLength(32);
    // One that is followed goes on to be.
    await membership.presence(seatOf(32), 'gone');
    expect(membership.expected).toHaveLength(31);
  });

  it('does not follow its own seat', async () => {
    const { membership, log } = room();
    await membership.presence(toBase64url(OWN), 'present');
    expect([membership.expected, log.changes]).toEqual([[], 0]);
    expect([membership.isOwn(toBase64url(OWN)), membership.isOwn(A)]).toEqual([true, false]);
  });
});

describe('a member', () => {
  it('is one once keys are confirmed: told of, trusted, and given our sender key', async () => {
    const { membership, secure, log, kinds, happened } = room();
    const { peer, theirs } = await secure(A, bo);
    expect([membership.peers, membership.audience, membership.expected]).toEqual([[peer], [peer], []]);
    expect([peer.name, peer.creator, peer.attested, peer.trusted, peer.presence]).toEqual(['Bo', false, true, true, 'present']);
    expect(happened()).toEqual(['member-secured', 'epoch']);
    expect(await kinds(A, theirs)).toEqual(['admission', 'sender-key']);
    expect([log.recalled, log.secured, log.letIn, log.released]).toEqual([[peer], [peer], [A], []]);
    expect(log.reports).toEqual(['key-agreement-finished']);
    expect(log.members.at(-1)).toEqual([peer]);
  });

  it('that nobody gave their word for is told of, where everybody may come', async () => {
    const { secure, happened, pass } = room({ me: bo });
    await secure(A, cy);
    expect(happened()).toEqual(['member-secured', 'epoch', 'unattested']);
    await pass(1_000);
    await secure(B, ana);
    expect(happened()).toEqual(['member-secured', 'epoch']);
  });

  it('that has to be let in gets nothing, and what waited for its seat is not for it', async () => {
    const { membership, secure, log, kinds, happened } = room({ join: 'approve' });
    const { peer, theirs } = await secure(A, bo);
    expect([peer.waiting, membership.audience, membership.selective]).toEqual([true, [], true]);
    expect([happened(), await kinds(A, theirs)]).toEqual([['member-secured'], []]);
    expect([log.recalled, log.secured, log.letIn, log.released]).toEqual([[], [], [], [A]]);
  });

  it('goes: its keys are destroyed, and the others get new ones of ours', async () => {
    const { membership, secure, log, kinds, happened, pass } = room();
    const { peer } = await secure(A, bo);
    const { theirs } = await secure(B, cy, { name: 'Cy' });
    await pass(250);
    await pass(1_000);
    await kinds(B, theirs);
    happened();
    const { epoch } = membership.security;
    log.reports.length = 0;
    await membership.presence(A, 'gone');
    expect([peer.presence, membership.peerAt(A), log.removed, log.reports]).toEqual([
      'gone',
      undefined,
      [peer],
      ['key-destroyed'],
    ]);
    await expect(peer.channel.seal(NONE)).rejects.toMatchObject({ code: 'CLOSED' });
    expect(happened()).toEqual(['key-destroyed', 'epoch']);
    expect(membership.security.epoch).toBe(epoch + 1);
    expect(await kinds(B, theirs)).toEqual(['sender-key']);
    expect(log.members.at(-1)?.map(({ id }) => id)).toEqual([hex(fingerprint(cy.publicKey))]);
    // The last one leaves nobody who would need new keys.
    await membership.presence(B, 'gone');
    expect([happened(), membership.security.epoch]).toEqual([['key-destroyed'], epoch + 1]);
  });

  it('that was not let in goes without new keys for the others', async () => {
    const { membership, secure, happened, pass } = room({ join: 'approve' });
    const { peer } = await secure(A, bo);
    await secure(B, cy);
    await membership.admissions.approve(peer.id);
    await pass(1_000);
    happened();
    await membership.presence(B, 'gone');
    expect(happened()).toEqual(['key-destroyed']);
  });

  it('is shown away and present again, each told once', async () => {
    const { membership, secure, log } = room();
    const { peer } = await secure(A, bo);
    const before = log.members.length;
    await membership.presence(A, 'away');
    await membership.presence(A, 'away');
    expect([peer.presence, log.members.length - before]).toEqual(['away', 1]);
    await membership.presence(A, 'present');
    expect([peer.presence, log.members.length - before]).toEqual(['present', 2]);
  });

  it('whose seat the relay does not name any more is gone', async () => {
    const { membership, secure } = room();
    await secure(A, bo);
    await secure(B, cy);
    await membership.up(up(present(B)));
    expect(membership.peers.map(({ identityKey }) => identityKey)).toEqual([cy.publicKey]);
  });

  it('that comes with new keys takes its own place, with what was decided about it', async () => {
    const { membership, secure, log } = room();
    const { peer: earlier } = await secure(A, bo);
    earlier.verify();
    const { peer: later } = await secure(B, bo);
    expect([membership.peers, later.verified, later.changedFrom]).toEqual([[later], true, undefined]);
    await expect(earlier.channel.seal(NONE)).rejects.toMatchObject({ code: 'CLOSED' });
    expect(log.removed).toEqual([]);
  });

  it('in the seat of another identity is another one until the person decides', async () => {
    const { membership, secure, log, happened, kinds, pass } = room();
    const { peer: earlier } = await secure(A, bo);
    happened();
    log.pushed.length = 0;
    const { peer, theirs } = await secure(A, cy);
    expect([peer.changedFrom, membership.peers, membership.audience]).toEqual([earlier, [peer], []]);
    expect(happened()).toEqual(['member-secured', 'identity-changed', 'unattested']);
    expect(membership.identityChange).toMatchObject({ code: 'IDENTITY_CHANGED' });
    expect(membership.failure).toMatchObject({ code: 'IDENTITY_CHANGED' });
    expect(await kinds(A, theirs)).toEqual([]);
    await membership.admissions.trust(peer);
    expect(happened()).toEqual([]);
    peer.accept();
    await pass(1_000);
    expect([membership.audience, log.accepted, membership.failure]).toEqual([[peer], [peer], undefined]);
    expect(await kinds(A, theirs)).toEqual(['admission', 'sender-key']);
  });

  it('that a person accepts after it went is none again', async () => {
    const { membership, secure, log, pass } = room();
    await secure(A, bo);
    const { peer } = await secure(A, cy);
    await membership.presence(A, 'gone');
    const { changes } = log;
    peer.accept();
    await pass(0);
    expect([log.accepted, log.changes]).toEqual([[], changes]);
    const { peer: late } = await secure(B, di);
    late.changedFrom = peer;
    membership.destroy();
    late.accept();
    await pass(0);
    expect(log.accepted).toEqual([]);
  });

  it('that has the name of a verified one is another one; of one from an earlier visit, that is told', async () => {
    const holder = (verified: boolean) => ({ name: 'Bo', verified }) as KnownMember;
    const verified = room({ change: { holderOf: () => holder(true) } });
    const { peer } = await verified.secure(A, bo);
    expect([peer.changedFrom, peer.trusted]).toEqual([holder(true), false]);
    const remembered = room({ change: { holderOf: () => holder(false) } });
    const { peer: other } = await remembered.secure(A, bo);
    expect([other.changedFrom, other.trusted]).toEqual([undefined, true]);
    expect(remembered.log.security).toContainEqual({ kind: 'known-name', member: other, before: holder(false) });
  });

  it('that was here before keeps its name where it would now be taken for another one', async () => {
    const known = { name: 'Bo' } as KnownMember;
    const taken = room({ change: { known: () => known, holderOf: (name) => (name === 'Cy' ? known : undefined) } });
    const { peer } = await taken.secure(A, bo, { name: 'Cy' });
    expect([peer.name, peer.changedFrom]).toEqual(['Bo', undefined]);
    taken.membership.rename(peer, 'Di');
    expect(peer.name).toBe('Di');
    const before = taken.log.members.length;
    taken.membership.rename(peer, 'Di');
    taken.membership.rename(peer, 'Cy');
    expect([peer.name, taken.log.members.length]).toEqual(['Di', before]);
    // In other letters it is the same name.
    taken.membership.rename(peer, 'DI');
    expect(peer.name).toBe('DI');
  });

  it('that is not let in yet is called by its new name once it is', async () => {
    const { membership, secure } = room({ join: 'approve' });
    const { peer } = await secure(A, bo);
    membership.rename(peer, 'Robert');
    expect(peer.name).toBe('Bo');
    await membership.admissions.approve(peer.id);
    expect(peer.name).toBe('Robert');
  });

  it('is verified by a person: told of, and noted where it is the one it seems to be', async () => {
    const { membership, secure, log, happened } = room();
    const { peer } = await secure(A, bo);
    happened();
    expect(membership.security.verified).toBe(false);
    peer.verify();
    expect([happened(), membership.security.verified, log.recalled]).toEqual([['member-verified'], true, [peer, peer]]);
    await secure(B, cy);
    expect(membership.security.verified).toBe(false);
  });
});

describe('a relay that forgot who was here', () => {
  it('is not believed at once: members are away, and gone when nobody came for as long as it waits', async () => {
    const { membership, secure, pass } = room();
    const { peer } = await secure(A, bo);
    await membership.up(up([], true));
    expect([peer.presence, membership.peers, membership.isHere(A)]).toEqual(['away', [peer], false]);
    // Named again, without a word about them, they are waited for as before.
    await membership.up(up([]));
    await pass(RETENTION_MS - 1);
    expect(membership.peers).toEqual([peer]);
    await pass(1);
    expect(membership.peers).toEqual([]);
  });

  it('waits ten minutes where it does not say how long', async () => {
    const { membership, secure, pass } = room({ limited: false });
    await secure(A, bo);
    await membership.up(up([], true));
    await pass(599_999);
    expect(membership.peers).toHaveLength(1);
    await pass(1);
    expect(membership.peers).toHaveLength(0);
  });

  it('has lost what was on its way: who is back gets our keys, our word and our messages again', async () => {
    const { membership, secure, log, kinds, pass } = room();
    const { peer, theirs } = await secure(A, bo);
    await pass(1_000);
    await kinds(A, theirs);
    await membership.presence(A, 'away');
    await membership.presence(A, 'present');
    expect([await kinds(A, theirs), log.secured]).toEqual([[], [peer]]);
    await membership.up(up([], true));
    await membership.presence(A, 'present');
    expect([await kinds(A, theirs), log.secured, membership.isHere(A)]).toEqual([
      ['admission', 'sender-key'],
      [peer, peer],
      true,
    ]);
    await pass(10 * RETENTION_MS);
    expect(membership.peers).toEqual([peer]);
  });

  it('gives nothing again to who is not let in', async () => {
    const { membership, secure, log, kinds } = room({ join: 'approve' });
    const { theirs } = await secure(A, bo);
    await membership.up(up([], true));
    await membership.presence(A, 'present');
    expect([await kinds(A, theirs), log.secured, membership.security.epoch]).toEqual([[], [], 0]);
  });

  it('is believed about seats with whose owners no keys are shared', async () => {
    const { membership } = room();
    await membership.presence(A, 'present');
    await membership.up(up([], true));
    expect(membership.expected).toEqual([]);
  });
});

describe('a room that moves', () => {
  it('waits for its members at the new place, and for nobody else', async () => {
    const { membership, secure, pass, log, approached } = room();
    const { peer } = await secure(A, bo);
    await membership.presence(B, 'present');
    await membership.moved();
    expect([peer.presence, membership.expected, membership.agreeing, log.released]).toEqual(['away', [], false, [B]]);
    await pass(5_000);
    expect(approached()).toEqual([]);
    await pass(RETENTION_MS);
    expect(membership.peers).toEqual([]);
  });

  it('waits as well for who shook hands at the place that was left', async () => {
    const { membership, secure, pass } = room();
    const { peer } = await secure(A, bo, { present: false });
    expect([peer.presence, membership.isHere(A)]).toEqual(['away', false]);
    await pass(RETENTION_MS);
    expect(membership.peers).toEqual([]);
    const { peer: there } = await secure(B, cy);
    expect([there.presence, membership.isHere(B)]).toEqual(['present', true]);
  });
});

describe('a seat whose owner seems to have other keys', () => {
  it('is offered a handshake after three seconds, where it is here and nothing came under ours', async () => {
    const { membership, secure, pass, approached } = room();
    await secure(A, bo);
    await membership.presence(B, 'away');
    approached();
    membership.doubt(A, true);
    membership.doubt(B, true);
    await pass(3_000);
    expect(approached()).toEqual([A]);
    const other = room();
    await other.secure(A, bo);
    other.approached();
    other.membership.doubt(A, true);
    other.membership.doubt(A, false);
    await other.pass(3_000);
    expect(other.approached()).toEqual([]);
  });

  it('is offered one again when it comes back, until keys are confirmed', async () => {
    const { membership, secure, pass, approached } = room();
    await secure(A, bo);
    membership.doubt(A, true);
    await pass(3_000);
    // What was offered came to nothing: nobody answered for as long as it is tried.
    await membership.presence(A, 'away');
    await pass(60_000);
    approached();
    await membership.presence(A, 'present');
    await pass(3_000);
    expect(approached()).toEqual([A]);
  });
});

describe('a key agreement that is refused', () => {
  it('is told of, keeps its seat from being waited for, and begins again when asked', async () => {
    const { membership, approached, log } = room();
    await membership.presence(A, 'present');
    const refused = new QsecError('VERSION_MISMATCH', 'another version');
    membership.speaksOtherwise(A, refused);
    expect([log.errors, membership.failure, membership.expected, membership.agreeing]).toEqual([[refused], refused, [], false]);
    expect(log.reports).toEqual(['key-agreement-aborted']);
    // The same refusal is told once.
    membership.speaksOtherwise(A, refused);
    expect(log.errors).toHaveLength(1);
    approached();
    const { changes } = log;
    membership.retry();
    expect(log.changes).toBeGreaterThan(changes);
    expect([membership.failure, membership.expected]).toEqual([undefined, [A]]);
    await vi.waitFor(() => expect(approached()).toEqual([A]));
  });

  it('is not begun again with who went meanwhile', async () => {
    const { membership, approached, pass } = room();
    await membership.presence(A, 'present');
    membership.speaksOtherwise(A, new QsecError('VERSION_MISMATCH', 'another version'));
    await membership.presence(A, 'gone');
    expect(membership.failure).toBeUndefined();
    membership.retry();
    await pass(5_000);
    expect(approached()).toEqual([]);
  });

  it('for another version leaves a member as it is: the word is anybody’s, and told once', async () => {
    const { membership, secure, log } = room();
    const { peer } = await secure(A, bo);
    for (let time = 0; time < 2; time++) membership.speaksOtherwise(A, new QsecError('VERSION_MISMATCH', 'another version'));
    expect([log.errors.length, membership.failure, membership.audience]).toEqual([1, undefined, [peer]]);
  });
});

describe('a handshake frame', () => {
  it('that says nothing about a seat begins nothing there, and the seat is approached as before', async () => {
    const { membership, approached, log, pass } = room();
    await membership.presence(A, 'present');
    log.reports.length = 0;
    await membership.receiveHandshake(A, randomBytes(SID_BYTES));
    expect([log.reports, approached()]).toEqual([[], []]);
    await pass(3_000);
    expect(approached()).toEqual([A]);
  });

  it('that begins one takes the place of ours, which would have begun later, up to confirmed keys', async () => {
    const [here, there] = [room(), room({ me: bo, seat: fromBase64url(A) })];
    const O = toBase64url(OWN);
    await here.membership.presence(A, 'present');
    await there.membership.up(up(present(O)));
    const carry = async (from: typeof here, seat: string, to: typeof here) => {
      for (const { frame } of from.log.pushed.splice(0)) {
        const { type, content } = decodeFrame(frame);
        if (type === FRAME_TYPE.handshake) await to.membership.receiveHandshake(seat, content);
      }
    };
    await carry(there, A, here);
    expect(here.log.reports).toEqual(['key-agreement-started']);
    await here.pass(5_000);
    expect(here.membership.agreeing).toBe(true);
    // Ours did not begin: what goes out is the answer alone.
    expect(here.log.pushed).toHaveLength(1);
    for (let turn = 0; turn < 4; turn++) {
      await carry(here, O, there);
      await carry(there, A, here);
    }
    expect(here.log.reports).toEqual(['key-agreement-started', 'key-agreement-finished']);
    expect([here.membership.audience.length, there.membership.audience.length]).toEqual([1, 1]);
    expect([here.membership.agreeing, there.membership.agreeing]).toEqual([false, false]);
    expect(here.membership.peerAt(A)?.safetyNumber).toBe(there.membership.peerAt(O)?.safetyNumber);
    expect(there.membership.peerAt(O)?.creator).toBe(true);
  });

  it('of somebody whom neither side can judge yet is tried again once the creator was met', async () => {
    const [here, there] = [room({ join: 'unknown', me: cy }), room({ me: bo, join: 'unknown', seat: fromBase64url(A) })];
    const O = toBase64url(OWN);
    await here.membership.presence(A, 'present');
    await there.membership.up(up(present(O)));
    const carry = async (from: typeof here, seat: string, to: typeof here) => {
      for (const { frame } of from.log.pushed.splice(0)) await to.membership.receiveHandshake(seat, decodeFrame(frame).content);
    };
    for (let turn = 0; turn < 3; turn++) {
      await carry(there, A, here);
      await carry(here, O, there);
    }
    // Neither has met the creator, which is no failure: it is tried again once that is known.
    expect([here.log.errors, there.log.errors, there.membership.failure]).toEqual([[], [], undefined]);
    const { peer: creator } = await there.secure(B, ana);
    await there.pass(0);
    expect(there.approached()).toEqual([]);
    await there.membership.admissions.receive(creator, { kind: 'policy', policy: policies.auto.encoded });
    await there.secure(C, di);
    await there.pass(0);
    expect(there.approached()).toEqual([O]);
    await there.secure(C, di);
    await there.pass(0);
    expect(there.approached()).toEqual([]);
  });
});

describe('what a room shows of its security', () => {
  it('is the same roster for the same members, whatever order they came in, and another for others', async () => {
    const [first, second] = [room(), room()];
    await first.secure(A, bo);
    await first.secure(B, cy);
    await second.secure(A, cy);
    const alone = second.membership.rosterHash();
    await second.secure(B, bo);
    expect(first.membership.rosterHash()).toEqual(second.membership.rosterHash());
    expect(second.membership.rosterHash()).not.toEqual(alone);
    expect(first.membership.rosterChangedAt).toBe(Date.now());
  });

  it('counts only who is let in', async () => {
    const { membership, secure } = room({ join: 'approve' });
    const before = membership.rosterHash();
    const { peer } = await secure(A, bo);
    expect(membership.rosterHash()).toEqual(before);
    peer.verify();
    expect(membership.security.verified).toBe(false);
    await membership.admissions.approve(peer.id);
    expect([membership.security.verified, membership.rosterHash()]).toEqual([true, expect.not.objectContaining(before)]);
  });

  it('is told again, to one member, where it may have lost our keys', async () => {
    const { membership, secure, told, pass } = room();
    const { peer, theirs } = await secure(A, bo);
    await pass(1_000);
    const [first] = (await told(A, theirs)).filter(({ kind }) => kind === 'sender-key');
    await membership.announceAgain(peer);
    expect(await told(A, theirs)).toEqual([first]);
  });
});

describe('messages', () => {
  it('make new keys due after fifty of them, and then after fifty more', async () => {
    const { membership, secure, kinds, pass } = room();
    const { theirs } = await secure(A, bo);
    await pass(1_000);
    await kinds(A, theirs);
    for (let number = 0; number < 49; number++) membership.countMessage();
    await pass(0);
    expect(await kinds(A, theirs)).toEqual([]);
    membership.countMessage();
    membership.countMessage();
    await pass(0);
    expect(await kinds(A, theirs)).toEqual(['rekey-request']);
  });
});

describe('a room that is left', () => {
  it('overwrites its keys, and nothing is begun any more', async () => {
    const { membership, secure, pass, approached } = room();
    const { peer } = await secure(A, bo);
    await membership.presence(B, 'present');
    await membership.up(up(present(B), true));
    membership.doubt(C, true);
    approached();
    membership.destroy();
    expect(membership.peers).toEqual([]);
    await expect(peer.channel.seal(NONE)).rejects.toMatchObject({ code: 'CLOSED' });
    await pass(10 * RETENTION_MS);
    expect(approached()).toEqual([]);
  });
});
