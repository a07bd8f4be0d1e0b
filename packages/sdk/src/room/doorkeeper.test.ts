import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { QsecError } from '../errors.ts';
import { Emitter } from '../events.ts';
import { decodePairContent } from '../protocol/content.ts';
import { decodeFrame, encodeFrame, FRAME_TYPE, type FrameType } from '../protocol/frame.ts';
import { Invite } from '../protocol/invite.ts';
import { ADMISSION_BYTES, type Removal } from '../protocol/orders.ts';
import { PairChannel } from '../protocol/pair-channel.ts';
import type { PairSecrets } from '../protocol/pairing.ts';
import { encodeMemberPolicy } from '../protocol/policy.ts';
import { randomBytes } from '../protocol/random.ts';
import type { RelaySessionEvents } from '../transport/relay-session.ts';
import { type Bytes, type Delivery, toBase64url } from '../wire/index.ts';
import { Doorkeeper, NOTICE_BYTES, type Step } from './doorkeeper.ts';
import type { IntroductionsOptions } from './introductions.ts';
import type { Membership } from './membership.ts';
import type { Peer } from './peer.ts';

/** Who looks after a former place, apart from any room. The clock is false; cryptography is not. */

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
afterEach(() => void vi.useRealTimers());

const NONE: Bytes = new Uint8Array(0);
const bytes = (...of: number[]): Bytes => Uint8Array.from(of);
const invite = new Invite({ generation: 0, roomId: randomBytes(16), secret: randomBytes(32), creator: randomBytes(16) });

const CY = randomBytes(32);
const DI = randomBytes(32);
const step = (number: number, removed: Bytes): Step => ({
  removal: { removed, encoded: randomBytes(number) } as Removal,
  secret: randomBytes(32),
});
/** Cy was removed first, and Di later. */
const FIRST = step(4, CY);
const SECOND = step(5, DI);

/** What two sides hold after a handshake: what ours is told by it, and the channel of the other one. */
function handshake(identity: Bytes, admission: Bytes = NONE) {
  const agreement = { required: false, source: 'bb84', pulses: 8192, threshold: 0.11 } as const;
  const policy = encodeMemberPolicy({ agreement, room: NONE, lock: NONE, admission, name: 'Eve' });
  const [sid, root, transcript] = [randomBytes(16), randomBytes(32), randomBytes(32)];
  const side = (role: 'a' | 'b') =>
    ({ sid, role, root: root.slice(), transcript, peer: { identity, policy } }) as unknown as PairSecrets;
  return { secrets: side('b'), theirs: new PairChannel(invite.roomId, side('a')) };
}

/** Lets tasks come to their end: cryptography runs on another thread and knows no false clock. */
const settled = async () => {
  for (let turn = 0; turn < 6; turn++) await crypto.subtle.digest('SHA-256', NONE);
};

function place(known?: (frame: Delivery) => boolean | undefined) {
  const session = Object.assign(new Emitter<RelaySessionEvents>(), {
    pushed: [] as { frame: Bytes; to: readonly Bytes[] }[],
    read: [] as number[],
    left: 0,
    closed: 0,
    failure: undefined as Error | undefined,
    push: async (frame: Bytes, { to }: { to: readonly Bytes[] }) => {
      session.pushed.push({ frame, to });
      if (session.failure) throw session.failure;
    },
    markRead: (seq: number) => session.read.push(seq),
    leave: async () => {
      session.left++;
      if (session.failure) throw session.failure;
    },
    close: () => void session.closed++,
  });
  const log = {
    initiated: [] as string[],
    received: [] as string[],
    closed: 0,
    behind: [] as string[],
    asked: [] as Bytes[][],
    others: [] as Delivery[],
    ended: 0,
    said: [] as string[],
    queued: [] as (number | undefined)[],
    failed: [] as unknown[],
  };
  const peers = new Map<string, Peer>();
  const here = new Set<string>();
  const members = new Set<Bytes>();
  const refuse = { handshakes: false };
  let hooks!: IntroductionsOptions;
  const membership = {
    introduce: (_: unknown, given: IntroductionsOptions) => {
      hooks = given;
      return {
        initiate: async (seat: Bytes) => void log.initiated.push(toBase64url(seat)),
        receive: async (seat: Bytes) => {
          if (refuse.handshakes) throw new QsecError('HANDSHAKE_FAILED', 'forged');
          log.received.push(toBase64url(seat));
        },
        close: () => void log.closed++,
      };
    },
    isHere: (seat: string) => here.has(seat),
    isOwn: (seat: string) => seat === toBase64url(OWN),
    peerAt: (seat: string) => peers.get(seat),
    securedBehind: async (seat: Bytes) => void log.behind.push(toBase64url(seat)),
  };
  const doorkeeper = new Doorkeeper({ invite, psk: randomBytes(32), session } as never, {
    membership: membership as unknown as Membership,
    logger: (level, message) => log.said.push(`${level} ${message}`),
    enqueue: (task, size) => {
      log.queued.push(size);
      task().catch((error: unknown) => log.failed.push(error));
    },
    steps: () => [FIRST, SECOND],
    isMember: async (identity, admission) => {
      log.asked.push([identity, admission]);
      return members.has(identity);
    },
    receive: async (delivery) => {
      log.others.push(delivery);
      return known?.(delivery);
    },
    onEnded: () => void log.ended++,
  });
  /** Somebody with whom keys are shared. */
  const share = (seat: Bytes, identityKey: Bytes, { presence = 'away', trusted = true } = {}) => {
    const { secrets, theirs } = handshake(identityKey);
    peers.set(toBase64url(seat), {
      seat,
      identityKey,
      presence,
      trusted,
      channel: new PairChannel(invite.roomId, secrets),
    } as unknown as Peer);
    return theirs;
  };
  const comes = async (seat: Bytes, presence: 'present' | 'away' | 'gone' = 'present') => {
    session.emit('presence', { seat: toBase64url(seat), presence });
    await settled();
  };
  const brings = async (from: Bytes, type: FrameType, transient = false) => {
    const body = encodeFrame(type, bytes(1, 2, 3));
    session.emit('frame', { seq: 7, time: 0, from, cid: randomBytes(16), transient, body } as Delivery);
    await settled();
    return body;
  };
  /** What the owner of a seat has been told so far, opened with its own keys. */
  const told = async (theirs: PairChannel, seat: Bytes) => {
    const contents = [];
    for (const { frame, to } of session.pushed) {
      if (to.length !== 1 || to[0] !== seat) continue;
      contents.push(decodePairContent(await theirs.open(decodeFrame(frame).content)));
    }
    return contents;
  };
  return { doorkeeper, session, log, peers, here, members, refuse, hooks, share, comes, brings, told };
}

const OWN = randomBytes(16);
const SEAT = randomBytes(16);

const leads = ({ removal, secret }: Step) => ({ kind: 'removal', order: removal.encoded, secret, admission: NONE });
const tellsOf = ({ removal }: Step) => ({ kind: 'removal', order: removal.encoded, secret: NONE, admission: NONE });

describe('whoever looks after a former place', () => {
  it('leads a member on that is away from where the room is, as soon as it comes', async () => {
    const { share, comes, told, session } = place();
    const bo = share(SEAT, randomBytes(32));
    await comes(SEAT, 'away');
    await comes(SEAT, 'gone');
    expect(session.pushed).toEqual([]);
    await comes(SEAT);
    expect(await told(bo, SEAT)).toEqual([leads(FIRST), leads(SECOND)]);
  });

  it('tells a member nothing that is where the room is', async () => {
    const { share, comes, session, log } = place();
    share(SEAT, randomBytes(32), { presence: 'present' });
    await comes(SEAT);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(session.pushed).toEqual([]);
    expect(log.initiated).toEqual([]);
  });

  it('tells somebody who is not let in that the room moved, and not where to', async () => {
    const { share, comes, told } = place();
    const waits = share(SEAT, randomBytes(32), { trusted: false });
    await comes(SEAT);
    expect(await told(waits, SEAT)).toEqual([tellsOf(FIRST)]);
  });

  it('calls everyone whom the relay names as present when it is there again', async () => {
    const { share, session, told, log } = place();
    const away = randomBytes(16);
    const bo = share(SEAT, randomBytes(32));
    share(away, randomBytes(32));
    const members = [
      { seat: toBase64url(SEAT), presence: 'present' as const },
      { seat: toBase64url(away), presence: 'away' as const },
    ];
    session.emit('up', { members, renewed: false } as unknown as RelaySessionEvents['up']);
    await settled();
    expect(await told(bo, SEAT)).toHaveLength(2);
    expect(session.pushed).toHaveLength(2);
    expect(log.queued).toEqual([NOTICE_BYTES]);
  });

  it('takes who beats here for one that does not know where the room is, and nobody else who sends something', async () => {
    const { share, brings, told, log } = place();
    const bo = share(SEAT, randomBytes(32));
    const body = await brings(SEAT, FRAME_TYPE.group);
    expect(await told(bo, SEAT)).toEqual([]);
    await brings(SEAT, FRAME_TYPE.group, true);
    expect(await told(bo, SEAT)).toEqual([leads(FIRST), leads(SECOND)]);
    // Either is handed on: a member may have sent it before it followed.
    expect(log.others.map(({ body: brought }) => brought)).toEqual([body, body]);
    expect(log.queued).toEqual([NOTICE_BYTES + body.length, NOTICE_BYTES + body.length]);
  });
});

describe('a seat at a former place with which no keys are shared', () => {
  it('is offered a handshake once nothing came for three seconds', async () => {
    const { comes, log } = place();
    await comes(SEAT);
    await vi.advanceTimersByTimeAsync(2_999);
    expect(log.initiated).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(log.initiated).toEqual([toBase64url(SEAT)]);
  });

  it('is offered none where its owner is already where the room is, nor is our own', async () => {
    const { comes, here, log } = place();
    here.add(toBase64url(SEAT));
    await comes(SEAT);
    await comes(OWN);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(log.initiated).toEqual([]);
  });

  it('is offered one for a frame under other keys, and none where one under shared keys follows', async () => {
    const answers: (boolean | undefined)[] = [undefined, false, true, false];
    const { brings, log } = place(() => answers.shift());
    await brings(SEAT, FRAME_TYPE.pair);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(log.initiated).toEqual([]);
    await brings(SEAT, FRAME_TYPE.pair);
    await brings(SEAT, FRAME_TYPE.pair);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(log.initiated).toEqual([]);
    await brings(SEAT, FRAME_TYPE.pair);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(log.initiated).toEqual([toBase64url(SEAT)]);
  });

  it('is offered none any more once it shook hands by itself', async () => {
    const { comes, hooks, log } = place();
    await comes(SEAT);
    await hooks.onSecured(SEAT, handshake(randomBytes(32)).secrets);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(log.initiated).toEqual([]);
  });

  it('is offered one again where a handshake stopped in the middle', async () => {
    const { hooks, log } = place();
    hooks.onUnfinished(SEAT);
    await settled();
    expect(log.initiated).toEqual([toBase64url(SEAT)]);
  });
});

describe('whoever shakes hands at a former place', () => {
  it('is led on as a member, by what it shows, and counts as one behind', async () => {
    const { hooks, members, share, told, log } = place();
    const [identity, admission] = [randomBytes(32), randomBytes(ADMISSION_BYTES)];
    members.add(identity);
    const theirs = share(SEAT, identity);
    const { secrets } = handshake(identity, admission);
    await hooks.onSecured(SEAT, secrets);
    expect(log.asked).toEqual([[identity, admission]]);
    expect(log.behind).toEqual([toBase64url(SEAT)]);
    expect(await told(theirs, SEAT)).toEqual([leads(FIRST), leads(SECOND)]);
  });

  it('is told of its own removal where it was removed, however many there were', async () => {
    const { hooks, told, log } = place();
    const { secrets, theirs } = handshake(DI);
    await hooks.onSecured(SEAT, secrets);
    expect(await told(theirs, SEAT)).toEqual([tellsOf(SECOND)]);
    expect(log.behind).toEqual([]);
  });

  it('is told of the first removal, and not where the room is, where it was never a member', async () => {
    const { hooks, told } = place();
    const { secrets, theirs } = handshake(randomBytes(32));
    await hooks.onSecured(SEAT, secrets);
    expect(await told(theirs, SEAT)).toEqual([tellsOf(FIRST)]);
  });

  it('leaves no keys behind where it is no member', async () => {
    const destroyed = vi.spyOn(PairChannel.prototype, 'destroy');
    const { hooks } = place();
    await hooks.onSecured(SEAT, handshake(randomBytes(32)).secrets);
    expect(destroyed).toHaveBeenCalledOnce();
    destroyed.mockRestore();
  });

  it('is refused by nobody, and is answered also when it comes back later', async () => {
    const { hooks } = place();
    await expect(hooks.accept(SEAT, { identity: CY, policy: NONE })).resolves.toBeUndefined();
    expect(hooks.isPresent(SEAT)).toBe(true);
  });

  it('is told nothing where that fails, and why is logged', async () => {
    const { hooks, log } = place();
    hooks.onFailed(SEAT, new QsecError('HANDSHAKE_FAILED', 'no proof'));
    expect(log.said).toEqual(['info a handshake under an old link failed: no proof']);
  });
});

describe('a handshake frame at a former place', () => {
  it('is taken from others, not from ourselves, and is read either way', async () => {
    const { brings, log, session } = place();
    await brings(SEAT, FRAME_TYPE.handshake);
    await brings(OWN, FRAME_TYPE.handshake);
    expect(log.received).toEqual([toBase64url(SEAT)]);
    expect(session.read).toEqual([7, 7]);
    expect(log.others).toEqual([]);
  });

  it('that is forged is read, too: it does not come again', async () => {
    const { brings, refuse, log, session } = place();
    refuse.handshakes = true;
    await brings(SEAT, FRAME_TYPE.handshake);
    expect(session.read).toEqual([7]);
    expect(log.failed).toEqual([expect.objectContaining({ code: 'HANDSHAKE_FAILED' })]);
  });

  it('of ours goes to the seat that it is for', async () => {
    const { hooks, session } = place();
    hooks.send(SEAT, bytes(9));
    expect(session.pushed).toEqual([{ frame: bytes(9), to: [SEAT] }]);
  });
});

describe('a former place', () => {
  it('is left for good, or only closed, and nobody is called there any more', async () => {
    for (const forGood of [true, false]) {
      const { doorkeeper, comes, session, log } = place();
      await comes(SEAT);
      await doorkeeper.close(forGood);
      expect([session.left, session.closed, log.closed]).toEqual([forGood ? 1 : 0, 1, 1]);
      await vi.advanceTimersByTimeAsync(60_000);
      expect(log.initiated).toEqual([]);
    }
  });

  it('is closed also where the relay does not answer', async () => {
    const { doorkeeper, session, log } = place();
    session.failure = new Error('no answer');
    await doorkeeper.close(true);
    expect(session.closed).toBe(1);
    expect(log.said).toEqual(['info a seat at a former place ends by itself']);
  });

  it('is over when the relay ends it or refuses us', () => {
    const { session, log } = place();
    session.emit('ended', {} as RelaySessionEvents['ended']);
    expect(log.ended).toBe(1);
    session.emit('refused', new QsecError('ROOM_NOT_FOUND', 'no such room'));
    expect(log.ended).toBe(2);
  });

  it('whose relay complains is no event of the room: that is logged, as is a frame that was lost', async () => {
    const { session, hooks, log } = place();
    session.emit('fault', new QsecError('RELAY_REFUSED', 'too fast'));
    session.failure = new QsecError('CLOSED', 'left');
    hooks.send(SEAT, bytes(9));
    await settled();
    expect(log.said).toEqual(['info too fast']);
    session.failure = new QsecError('RATE_LIMITED', 'full');
    hooks.send(SEAT, bytes(9));
    await settled();
    expect(log.said).toEqual(['info too fast', 'info a frame for who stayed behind was lost']);
  });
});
