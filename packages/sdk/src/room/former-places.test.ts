import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Emitter } from '../events.ts';
import { decodePairContent, encodePairContent, orderName } from '../protocol/content.ts';
import { decodeFrame } from '../protocol/frame.ts';
import { fingerprint, generateSigningKey, type SigningKey } from '../protocol/identity.ts';
import { Invite } from '../protocol/invite.ts';
import { isAdmitted, RIGHTS, signAdmission, signRemoval } from '../protocol/orders.ts';
import { PairChannel } from '../protocol/pair-channel.ts';
import type { PairSecrets } from '../protocol/pairing.ts';
import { type AgreementPolicy, encodeMemberPolicy, type SignedRoomPolicy, signRoomPolicy } from '../protocol/policy.ts';
import { randomBytes } from '../protocol/random.ts';
import type { RelaySessionEvents } from '../transport/relay-session.ts';
import { type Bytes, toBase64url } from '../wire/index.ts';
import { Authority, type KeptAuthority } from './authority.ts';
import type { RoomContext } from './context.ts';
import type { IntroductionsOptions } from './introductions.ts';
import type { Membership } from './membership.ts';
import type { Peer } from './peer.ts';
import { Removals, readStep } from './removals.ts';

/** A removal and the places that it leaves behind, apart from any room. The clock is false; cryptography is not. */

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
afterEach(() => void vi.useRealTimers());

const NONE: Bytes = new Uint8Array(0);
const AGREEMENT: AgreementPolicy = { required: true, source: 'bb84', pulses: 8192, threshold: 0.11 };
const RETENTION_MS = 60_000;

let ana: SigningKey;
let bo: SigningKey;
let cy: SigningKey;
let di: SigningKey;
let ed: SigningKey;
let invite: Invite;
/** Bo may do everything. */
let policy: SignedRoomPolicy;
beforeAll(async () => {
  ana = await generateSigningKey();
  bo = await generateSigningKey();
  cy = await generateSigningKey();
  di = await generateSigningKey();
  ed = await generateSigningKey();
  const creator = fingerprint(ana.publicKey);
  invite = new Invite({ generation: 0, roomId: randomBytes(16), secret: randomBytes(32), creator });
  const delegates = [{ identity: bo.publicKey, rights: RIGHTS }];
  policy = await signRoomPolicy(invite, ana, { n: 1, join: 'approve', capacity: 8, name: '', delegates });
});

const settled = async () => {
  for (let turn = 0; turn < 12; turn++) await crypto.subtle.digest('SHA-256', NONE);
};

interface FakePlace {
  invite: Invite;
  hooks: IntroductionsOptions | undefined;
  session: Emitter<RelaySessionEvents> & { pushed: { frame: Bytes; to: readonly Bytes[] }[]; left: number; closed: number };
}

function placeAt(at: Invite, limits?: { retentionMs: number }): FakePlace {
  const session = Object.assign(new Emitter<RelaySessionEvents>(), {
    limits,
    pushed: [] as { frame: Bytes; to: readonly Bytes[] }[],
    left: 0,
    closed: 0,
    push: async (frame: Bytes, { to }: { to: readonly Bytes[] }) => void session.pushed.push({ frame, to }),
    markRead: () => undefined,
    leave: async () => void session.left++,
    close: () => void session.closed++,
  });
  return { invite: at, hooks: undefined, session };
}

interface Somebody {
  identity: SigningKey;
  theirs: PairChannel;
  peer: Peer;
}

function somebody(identity: SigningKey, { presence = 'present', trusted = true, announced = true } = {}): Somebody {
  const [seat, sid, root, transcript] = [randomBytes(16), randomBytes(16), randomBytes(32), randomBytes(32)];
  const channel = (role: 'a' | 'b') =>
    new PairChannel(invite.roomId, { sid, role, root: root.slice(), transcript } as unknown as PairSecrets);
  const id = toBase64url(identity.publicKey);
  const peer = { id, seat, identityKey: identity.publicKey, presence, trusted, announced, channel: channel('b') };
  return { identity, theirs: channel('a'), peer: peer as unknown as Peer };
}

interface Options {
  me?: SigningKey;
  /** Whether the relay says how long it waits for who is away. */
  limited?: boolean;
  kept?: Partial<KeptAuthority>;
  left?: { invite: string; members: Bytes[]; until: number }[];
}

function room(others: readonly Somebody[], { me = ana, limited = true, kept, left }: Options = {}) {
  const limits = limited ? { retentionMs: RETENTION_MS } : undefined;
  const places: FakePlace[] = [placeAt(invite, limits)];
  const peers = new Map(others.map(({ peer }) => [toBase64url(peer.seat), peer]));
  const log = {
    sent: [] as { to: Peer; content: ReturnType<typeof decodePairContent>; name: Bytes }[],
    waited: [] as { to: Peer; here: boolean }[][],
    gone: [] as string[],
    moved: 0,
    disowned: 0,
    told: [] as unknown[],
    behind: [] as string[],
    admissions: [] as Bytes[],
    removed: 0,
    outdated: [] as Peer[],
    stored: 0,
    brought: [] as unknown[],
  };
  const tasks: Promise<void>[] = [];
  const membership = {
    get peers() {
      return [...peers.values()];
    },
    get audience() {
      return [...peers.values()].filter(({ trusted }) => trusted);
    },
    peerAt: (seat: string) => peers.get(seat),
    isOwn: () => false,
    isHere: () => true,
    introduce: (at: FakePlace, hooks: IntroductionsOptions) => {
      at.hooks = hooks;
      return { initiate: async () => undefined, receive: async () => undefined, close: () => undefined };
    },
    securedBehind: async (seat: Bytes) => void log.behind.push(toBase64url(seat)),
    sendToPeer: async (to: Peer, content: Bytes) =>
      void log.sent.push({ to, content: decodePairContent(content), name: orderName(content) }),
    gone: async (seat: string) => {
      log.gone.push(seat);
      peers.delete(seat);
    },
    moved: async () => void log.moved++,
    tell: (kind: string, target: Peer | undefined) => log.told.push([kind, target]),
    admissions: {
      confirmations: { wait: async (sent: { to: Peer; here: boolean }[]) => void log.waited.push(sent) },
      receiveAdmission: async (admission: Bytes) => void log.admissions.push(admission),
      disown: async () => void log.disowned++,
    },
  };
  let current = places[0] as FakePlace;
  const context = {
    get place() {
      return current;
    },
    identity: me,
    keeping: { kept: left && { room: { left } }, room: async () => void log.stored++ },
    logger: () => undefined,
    enqueue: (task: () => Promise<void>) => void tasks.push(task()),
  };
  const authority = new Authority(invite, me, AGREEMENT, policy, {
    admission: NONE,
    lock: undefined,
    orders: 0,
    banned: [],
    carriedOver: false,
    removal: undefined,
    ...kept,
  });
  const removals = new Removals(context as unknown as RoomContext, {
    authority,
    membership: membership as unknown as Membership,
    relocate: (at) => {
      const place = placeAt(at, limits);
      places.push(place);
      return place as never;
    },
    steps: [],
    onMoved: (to) => {
      current = to as unknown as FakePlace;
    },
    receive: async (delivery, at) => {
      log.brought.push([delivery, at]);
      return undefined;
    },
    onRemoved: async () => void log.removed++,
    onOutdated: (from) => void log.outdated.push(from),
  });
  /** Somebody comes to a place. Returns what it is told there. */
  const returnsTo = async (place: FakePlace | undefined, { peer, theirs }: Somebody) => {
    const before = place?.session.pushed.length ?? 0;
    place?.session.emit('presence', { seat: toBase64url(peer.seat), presence: 'present' });
    await settled();
    const frames = place?.session.pushed.slice(before) ?? [];
    return Promise.all(frames.map(async ({ frame }) => decodePairContent(await theirs.open(decodeFrame(frame).content))));
  };
  /** Somebody shook hands at a place, and shows this admission. Returns whether it was taken for a member. */
  const isMemberAt = async (place: FakePlace | undefined, { publicKey }: SigningKey, admission = NONE) => {
    const shown = encodeMemberPolicy({ agreement: AGREEMENT, room: NONE, lock: NONE, admission, name: 'Eve' });
    const [seat, sid, root, transcript] = [randomBytes(16), randomBytes(16), randomBytes(32), randomBytes(32)];
    const secrets = { sid, role: 'b', root, transcript, peer: { identity: publicKey, policy: shown } };
    await place?.hooks?.onSecured(seat, secrets as unknown as PairSecrets);
    return log.behind.includes(toBase64url(seat));
  };
  const remove = async ({ peer }: Somebody) => (await removals.remove(peer.id)).done;
  return { removals, authority, places, peers, log, tasks, current: () => current, returnsTo, isMemberAt, remove };
}

describe('who removes a member', () => {
  it('tells those who stay where the room goes, those who wait that it moved, and the removed one that it was removed', async () => {
    const [stays, away, waits, goes] = [
      somebody(bo),
      somebody(di, { presence: 'away' }),
      somebody(ed, { trusted: false }),
      somebody(cy),
    ];
    const { remove, log, current, authority } = room([stays, away, waits, goes]);
    await remove(goes);
    const { invite: renewed } = current();
    const said = log.sent.map(({ to, content }) => ({ to, ...(content as Extract<typeof content, { kind: 'removal' }>) }));
    expect(said.map(({ to }) => to)).toEqual([stays.peer, away.peer, waits.peer, goes.peer]);
    expect(said.map(({ secret }) => secret)).toEqual([renewed.secret, renewed.secret, NONE, NONE]);
    expect(new Set(said.map(({ order }) => toBase64url(order))).size).toBe(1);
    const powers = { creator: policy.creator, delegates: [] };
    for (const { to, admission } of said) {
      expect(await isAdmitted(renewed, powers, to.identityKey, admission).catch(() => false)).toBe(
        to.trusted && to !== goes.peer,
      );
    }
    // Who only waits, and who is removed, is not waited for.
    expect(log.waited).toEqual([
      [
        { to: stays.peer, name: log.sent[0]?.name, here: true },
        { to: away.peer, name: log.sent[1]?.name, here: false },
      ],
    ]);
    expect(authority.banned).toEqual([cy.publicKey]);
  });

  it('goes there itself, forgets the removed one, and stores it', async () => {
    const goes = somebody(cy);
    const { remove, log, current, removals } = room([somebody(bo), goes]);
    await remove(goes);
    expect(current().invite.generation).toBe(1);
    expect(log.gone).toEqual([toBase64url(goes.peer.seat)]);
    expect([log.moved, log.disowned, log.stored]).toEqual([1, 1, 1]);
    expect(log.told).toEqual([['member-removed', goes.peer]]);
    expect(removals.kept.steps.map(({ secret }) => secret)).toEqual([current().invite.secret]);
    expect(removals.kept.left).toEqual([
      { invite: invite.code, members: [bo.publicKey, cy.publicKey], until: Date.now() + RETENTION_MS },
    ]);
  });

  it('is refused for somebody who is not here, and tells nobody', async () => {
    const { removals, log } = room([somebody(bo)]);
    await expect(removals.remove('nobody')).rejects.toMatchObject({
      code: 'PEER_GONE',
      message: 'This member is not here any more.',
    });
    expect(log.sent).toEqual([]);
  });
});

describe('a removal that a member passes on', () => {
  const passed = async (secret?: Bytes, by: SigningKey = ana, who: SigningKey = cy, at: Invite = invite) => {
    const { removal, renewed } = await signRemoval(at, by, who.publicKey, 5);
    return {
      renewed,
      content: { kind: 'removal' as const, order: removal.encoded, secret: secret ?? renewed.secret, admission: NONE },
    };
  };

  it('is followed, passed on to who is removed, and confirmed, with the word that came along', async () => {
    const [from, goes] = [somebody(bo), somebody(cy)];
    const { removals, log, current } = room([from, goes], { me: di });
    const { renewed, content } = await passed();
    const admission = randomBytes(100);
    await removals.receive(from.peer, { ...content, admission });
    expect(current().invite.code).toBe(renewed.code);
    expect(log.admissions).toEqual([admission]);
    const names = [orderName(encodePairContent({ ...content, admission }))];
    expect(log.sent.map(({ to, content: said }) => [to, said])).toEqual([
      [goes.peer, { ...content, secret: NONE }],
      [from.peer, { kind: 'obeyed', names }],
    ]);
    expect(log.gone).toEqual([toBase64url(goes.peer.seat)]);
  });

  it('brings no word where none came along', async () => {
    const { removals, log } = room([somebody(bo)], { me: di });
    await removals.receive(somebody(bo).peer, (await passed()).content);
    expect(log.admissions).toEqual([]);
  });

  it('is confirmed again where it was followed before, and followed once', async () => {
    const from = somebody(bo);
    const { removals, log, places } = room([from], { me: di });
    const { content } = await passed();
    await removals.receive(from.peer, content);
    await removals.receive(from.peer, content);
    expect(log.sent.map(({ content: { kind } }) => kind)).toEqual(['obeyed', 'obeyed']);
    expect(places).toHaveLength(2);
  });

  it('with a secret that it does not commit to changes nothing', async () => {
    const from = somebody(bo);
    const { removals, log, places } = room([from], { me: di });
    await expect(removals.receive(from.peer, (await passed(randomBytes(32))).content)).rejects.toMatchObject({
      code: 'HANDSHAKE_FAILED',
    });
    expect([places.length, log.sent.length, log.moved]).toEqual([1, 0, 0]);
  });

  it('of ourselves is the end, whether or not it says where the room goes', async () => {
    for (const secret of [undefined, NONE]) {
      const { removals, log, places } = room([somebody(bo)], { me: cy });
      await removals.receive(somebody(bo).peer, (await passed(secret)).content);
      expect([log.removed, places.length, log.sent.length]).toEqual([1, 1, 0]);
    }
  });

  it('without a way there is the word of a doorkeeper, and said by a member it is nothing', async () => {
    const [keeper, liar] = [somebody(bo, { announced: false }), somebody(ed)];
    const { removals, log, places } = room([keeper, liar], { me: di });
    const { content } = await passed(NONE);
    await removals.receive(keeper.peer, content);
    await removals.receive(liar.peer, content);
    expect(log.outdated).toEqual([keeper.peer]);
    expect([places.length, log.sent.length]).toEqual([1, 0]);
  });

  it('at the same time as ours, and by the creator, takes the place of ours, which is given again on top of it', async () => {
    const [creator, first, second] = [somebody(ana), somebody(cy), somebody(di)];
    const { removals, remove, log, places, tasks, authority } = room([creator, first, second], { me: bo });
    await remove(first);
    const ours = places[1] as FakePlace;
    await removals.receive(creator.peer, (await passed(undefined, ana, di)).content);
    await Promise.all(tasks);
    expect(authority.banned.map(toBase64url).sort()).toEqual([cy, di].map(({ publicKey }) => toBase64url(publicKey)).sort());
    expect(removals.kept.steps).toHaveLength(2);
    expect(places.map((place) => place.invite.generation)).toEqual([0, 1, 1, 2]);
    expect(log.moved).toBe(3);
    // Who went to the place that our order led to is led on from there by both.
    creator.peer.presence = 'away';
    expect(await returnsBoth(ours)).toEqual([places[2], places[3]].map((place) => place?.invite.secret));
    async function returnsBoth(place: FakePlace) {
      place.session.emit('presence', { seat: toBase64url(creator.peer.seat), presence: 'present' });
      await settled();
      const contents = await Promise.all(
        place.session.pushed.map(async ({ frame }) => decodePairContent(await creator.theirs.open(decodeFrame(frame).content))),
      );
      return contents.map((content) => (content as Extract<typeof content, { kind: 'removal' }>).secret);
    }
  });
});

describe('a place that the room left', () => {
  /** Ana removed Cy, then Di. Bo is away. */
  async function twice(options?: Options) {
    const [stays, goes, next] = [somebody(bo, { presence: 'away' }), somebody(cy), somebody(di)];
    const made = room([stays, goes, next], options);
    await made.remove(goes);
    await made.remove(next);
    return { ...made, stays, goes, next };
  }

  it('leads who comes back on by what came after it, and by nothing earlier', async () => {
    const { places, stays, returnsTo } = await twice();
    const secretsAt = async (place: FakePlace | undefined) =>
      (await returnsTo(place, stays)).map((content) => (content as Extract<typeof content, { kind: 'removal' }>).secret);
    expect(await secretsAt(places[0])).toEqual([places[1]?.invite.secret, places[2]?.invite.secret]);
    expect(await secretsAt(places[1])).toEqual([places[2]?.invite.secret]);
    expect(await secretsAt(places[2])).toEqual([]);
  });

  it('is left at the relay when the room is, and only closed where it may be returned to', async () => {
    for (const forGood of [true, false]) {
      const { places, removals } = await twice();
      removals.close(forGood);
      await settled();
      const [first, second, present] = places.map(({ session }) => [session.left, session.closed]);
      expect([first, second]).toEqual(
        forGood
          ? [
              [1, 1],
              [1, 1],
            ]
          : [
              [0, 1],
              [0, 1],
            ],
      );
      expect(present).toEqual([0, 0]);
      expect(removals.kept.left).toEqual([]);
      // Nothing is left to be done there later.
      await vi.advanceTimersByTimeAsync(10 * RETENTION_MS);
      expect(places[0]?.session.closed).toBe(1);
    }
  });

  it('is left once nobody is waited for there any more', async () => {
    const { places, removals } = await twice();
    await vi.advanceTimersByTimeAsync(RETENTION_MS - 1);
    expect([places[0]?.session.left, removals.kept.left.length]).toEqual([0, 2]);
    await vi.advanceTimersByTimeAsync(1);
    await settled();
    expect(places.map(({ session }) => session.left)).toEqual([1, 1, 0]);
    expect(removals.kept.left).toEqual([]);
  });

  it('is looked after for ten minutes where the relay does not say how long it waits', async () => {
    const { removals } = await twice({ limited: false });
    expect(removals.kept.left.map(({ until }) => until - Date.now())).toEqual([600_000, 600_000]);
  });

  it('is looked after no more when the relay ends it, without a farewell', async () => {
    const { places, removals } = await twice();
    places[0]?.session.emit('ended', {} as RelaySessionEvents['ended']);
    await settled();
    expect([places[0]?.session.left, places[0]?.session.closed]).toEqual([0, 1]);
    expect(removals.kept.left.map((left) => left.invite)).toEqual([places[1]?.invite.code]);
  });

  it('hands on what a member sent before it followed', async () => {
    const { places, log } = await twice();
    const body = Uint8Array.of(2, 3, 0);
    const delivery = { seq: 1, time: 0, from: randomBytes(16), cid: randomBytes(16), transient: false, body };
    places[0]?.session.emit('frame', delivery);
    await settled();
    expect(log.brought).toEqual([[delivery, places[0]]]);
  });

  it('knows its members: who is one, who was one there, and for whom somebody gave their word, unless they were removed', async () => {
    const [stays, waits, goes] = [somebody(bo), somebody(di, { trusted: false }), somebody(cy)];
    const { remove, places, peers, isMemberAt } = room([stays, waits, goes]);
    await remove(goes);
    const [left] = places;
    expect(await isMemberAt(left, bo)).toBe(true);
    expect(await isMemberAt(left, di)).toBe(false);
    expect(await isMemberAt(left, cy)).toBe(false);
    expect(await isMemberAt(left, cy, await signAdmission(invite, ana, cy.publicKey, 2))).toBe(false);
    // Bo is not seen any more, and was a member when the room left.
    peers.delete(toBase64url(stays.peer.seat));
    expect(await isMemberAt(left, bo)).toBe(true);
    expect(await isMemberAt(left, ed)).toBe(false);
    expect(await isMemberAt(left, ed, await signAdmission(invite, bo, ed.publicKey, 2))).toBe(true);
    // Ed came later: a member now, who was none when the room left.
    const late = somebody(ed);
    peers.set(toBase64url(late.peer.seat), late.peer);
    expect(await isMemberAt(left, ed)).toBe(true);
  });

  it('of before a reload is gone back to while somebody may come there, and no longer', () => {
    const now = Date.now();
    const former = (generation: number, until: number) => {
      const { code } = new Invite({ generation, roomId: invite.roomId, secret: randomBytes(32), creator: invite.creator });
      return { invite: code, members: [bo.publicKey], until };
    };
    const left = [former(1, now), former(2, now + 1), former(3, now + 1_000)];
    const { removals, places } = room([], { left });
    removals.resume();
    expect(places.slice(1).map((place) => place.invite.code)).toEqual(left.slice(1).map((each) => each.invite));
    expect(removals.kept.left).toEqual(left.slice(1));
    expect(room([]).removals.resume()).toBeUndefined();
  });

  it('is one of 16 at most, and what led on from others is told to nobody', async () => {
    const stays = somebody(bo);
    const { removals, places, peers, remove } = room([stays]);
    for (let number = 0; number < 17; number++) {
      const eve = somebody({ ...cy, publicKey: randomBytes(32) } as SigningKey);
      peers.set(toBase64url(eve.peer.seat), eve.peer);
      await remove(eve);
    }
    await settled();
    expect(removals.kept.left.map((left) => left.invite)).toEqual(places.slice(1, 17).map((place) => place.invite.code));
    expect([places[0]?.session.left, places[1]?.session.left]).toEqual([1, 0]);
    const [first] = removals.kept.steps.map(readStep);
    expect([first?.removal.generation, removals.kept.steps.length]).toEqual([1, 17]);
  });
});
