import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { QsecError } from '../errors.ts';
import { decodeFrame, FRAME_TYPE } from '../protocol/frame.ts';
import { SID_BYTES } from '../protocol/handshake.ts';
import { generateSigningKey, type SigningKey } from '../protocol/identity.ts';
import { Invite } from '../protocol/invite.ts';
import { oneFlightSource } from '../protocol/one-flight-source.fixture.ts';
import type { PairSecrets } from '../protocol/pairing.ts';
import { type AgreementPolicy, encodeMemberPolicy } from '../protocol/policy.ts';
import { randomBytes } from '../protocol/random.ts';
import { generateKeyPair } from '../protocol/x-wing.ts';
import { type Bytes, concat, toBase64url } from '../wire/index.ts';
import { Introductions, type IntroductionsOptions } from './introductions.ts';

vi.mock('../protocol/x-wing.ts', { spy: true });

/** Handshakes between seats, carried by hand. The clock is false; cryptography is not. */

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  // Pauses are neither longer nor shorter by chance.
  vi.spyOn(Math, 'random').mockReturnValue(0.5);
});
afterEach(() => {
  vi.clearAllMocks();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const NONE: Bytes = new Uint8Array(0);
const AGREEMENT: AgreementPolicy = { required: true, source: 'bb84', pulses: 64, threshold: 0.11 };
const PSK = randomBytes(32);
const INVITE = new Invite({ generation: 0, roomId: randomBytes(16), secret: randomBytes(32), creator: randomBytes(16) });
const LOW = new Uint8Array(16).fill(1);
const HIGH = new Uint8Array(16).fill(2);

let identities: SigningKey[];
beforeAll(async () => {
  identities = [await generateSigningKey(), await generateSigningKey()];
});

function side(seat: Bytes, change: Partial<IntroductionsOptions> = {}) {
  const tasks: Promise<void>[] = [];
  const log = {
    sent: [] as { to: Bytes; content: Bytes }[],
    secured: [] as PairSecrets[],
    pendingThen: [] as number[],
    failed: [] as QsecError[],
    silent: 0,
    unanswered: 0,
    unfinished: 0,
    changes: 0,
    accepted: [] as Bytes[],
  };
  const introductions: Introductions = new Introductions({
    invite: INVITE,
    psk: PSK,
    identity: identities[seat === LOW ? 0 : 1] as SigningKey,
    seat,
    agreement: AGREEMENT,
    keySource: oneFlightSource(),
    demands: () => encodeMemberPolicy({ agreement: AGREEMENT, room: NONE, lock: NONE, admission: NONE, name: 'Eve' }),
    send: (to, frame) => {
      const { type, content } = decodeFrame(frame);
      expect(type).toBe(FRAME_TYPE.handshake);
      log.sent.push({ to, content });
    },
    enqueue: (task) => void tasks.push(task()),
    accept: async (_, { identity }) => void log.accepted.push(identity),
    onStage: () => undefined,
    onSecured: async (_, secrets) => {
      log.secured.push(secrets);
      log.pendingThen.push(introductions.count);
    },
    onFailed: (_, error) => log.failed.push(error),
    onSilent: () => void log.silent++,
    onUnanswered: () => void log.unanswered++,
    onUnfinished: () => void log.unfinished++,
    isPresent: () => true,
    onChange: () => void log.changes++,
    ...change,
  });
  /** Lets time pass, and what it began come to its end. */
  const pass = async (ms: number) => {
    await vi.advanceTimersByTimeAsync(ms);
    await Promise.all(tasks.splice(0));
  };
  /** What was sent since this was asked last. */
  const sent = () => log.sent.splice(0).map(({ content }) => content);
  return { seat, introductions, log, pass, sent };
}

type Side = ReturnType<typeof side>;

const sidOf = (content: Bytes | undefined): string => toBase64url((content as Bytes).subarray(0, SID_BYTES));

/** Carries everything that two sides have to say until neither says anything more. */
async function finish(a: Side, b: Side): Promise<void> {
  for (let said = true; said; ) {
    said = false;
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      for (const content of from.sent()) {
        said = true;
        await to.introductions.receive(from.seat, content);
      }
    }
  }
}

/** One frame from one side to the other. Returns it. */
async function carry(from: Side, to: Side): Promise<Bytes> {
  const [content] = from.sent();
  await to.introductions.receive(from.seat, content as Bytes);
  return content as Bytes;
}

describe('a handshake', () => {
  it('is begun once, and ends with the same root on both sides', async () => {
    const [low, high] = [side(LOW), side(HIGH)];
    await low.introductions.initiate(HIGH);
    await low.introductions.initiate(HIGH);
    expect(low.log.sent).toHaveLength(1);
    expect([low.introductions.isPending(HIGH), low.introductions.isPending(LOW), low.introductions.count]).toEqual([
      true,
      false,
      1,
    ]);
    await finish(low, high);
    const [[mine], [theirs]] = [low.log.secured, high.log.secured];
    expect(mine?.root).toEqual(theirs?.root);
    expect([low.log.secured.length, high.log.secured.length]).toEqual([1, 1]);
    // It is over only once the member is there: in between, the room would look empty.
    expect([low.log.pendingThen, high.log.pendingThen]).toEqual([[1], [1]]);
    expect([low.introductions.count, high.introductions.count]).toEqual([0, 0]);
    expect([low.log.accepted, high.log.accepted]).toEqual([[identities[1]?.publicKey], [identities[0]?.publicKey]]);
    await low.pass(600_000);
    expect([low.sent(), low.log.silent, low.log.unanswered, high.log.silent]).toEqual([[], 0, 0, 0]);
  });

  it('names an identity that is proven until it is over', async () => {
    const [low, high] = [side(LOW), side(HIGH)];
    await low.introductions.initiate(HIGH);
    await carry(low, high);
    expect(high.introductions.proving).toEqual([]);
    await carry(high, low);
    expect(low.introductions.proving).toEqual([identities[1]?.publicKey]);
    await finish(low, high);
    expect(low.introductions.proving).toEqual([]);
  });

  it('takes keys that were made while it was being found out with whom, once', async () => {
    const low = side(LOW);
    low.introductions.prepare();
    low.introductions.prepare();
    expect(generateKeyPair).toHaveBeenCalledTimes(1);
    await low.introductions.initiate(HIGH);
    expect(generateKeyPair).toHaveBeenCalledTimes(1);
    await low.introductions.initiate(LOW);
    expect(generateKeyPair).toHaveBeenCalledTimes(2);
    const [first, second] = low.sent();
    expect(first?.subarray(SID_BYTES)).not.toEqual(second?.subarray(SID_BYTES));
  });

  it('fails where its keys could not be made, and has others the next time', async () => {
    vi.mocked(generateKeyPair).mockRejectedValueOnce(new Error('no entropy'));
    const low = side(LOW);
    low.introductions.prepare();
    await vi.advanceTimersByTimeAsync(0);
    await expect(low.introductions.initiate(HIGH)).rejects.toThrow('no entropy');
    await low.pass(16_000);
    expect(low.sent()).toHaveLength(1);
  });

  it('that is never begun leaves no prepared keys behind', async () => {
    const low = side(LOW);
    low.introductions.prepare();
    const made = await vi.mocked(generateKeyPair).mock.results[0]?.value;
    const destroyed = vi.spyOn(made, 'destroy');
    low.introductions.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(destroyed).toHaveBeenCalledOnce();
    await low.introductions.initiate(HIGH);
    expect(generateKeyPair).toHaveBeenCalledTimes(2);
    vi.mocked(generateKeyPair).mockRejectedValueOnce(new Error('no entropy'));
    const other = side(LOW);
    other.introductions.prepare();
    other.introductions.close();
    await vi.advanceTimersByTimeAsync(0);
  });
});

describe('two that begin at once', () => {
  it('finish the handshake of the lower seat, and only that', async () => {
    const [low, high] = [side(LOW), side(HIGH)];
    await low.introductions.initiate(HIGH);
    await high.introductions.initiate(LOW);
    const [mine] = low.log.sent;
    await finish(low, high);
    expect([low.log.secured.length, high.log.secured.length]).toEqual([1, 1]);
    for (const { log } of [low, high]) expect(toBase64url(log.secured[0]?.sid as Bytes)).toBe(sidOf(mine?.content));
    expect([low.introductions.count, high.introductions.count]).toEqual([0, 0]);
  });

  it('go on also where a forged frame names the one of the two that proved nothing', async () => {
    const [low, high] = [side(LOW), side(HIGH)];
    await high.introductions.initiate(LOW);
    const [own] = high.sent();
    await low.introductions.initiate(HIGH);
    await carry(low, high);
    expect(high.introductions.count).toBe(2);
    // Without a word in it: nothing is refused, and nobody is proven.
    await high.introductions.receive(LOW, (own as Bytes).slice(0, SID_BYTES));
    expect(high.introductions.count).toBe(2);
    await finish(low, high);
    expect([low.log.secured.length, high.log.secured.length]).toEqual([1, 1]);
  });

  it('keep the higher seat’s own until the other one is proven: an M1 may be an old one', async () => {
    const [low, high] = [side(LOW), side(HIGH)];
    await low.introductions.initiate(HIGH);
    const [old] = low.sent();
    low.introductions.close();
    await high.introductions.initiate(LOW);
    const begins = high.sent();
    await high.introductions.receive(LOW, old as Bytes);
    high.sent();
    expect(high.introductions.count).toBe(2);
    await low.introductions.receive(HIGH, begins[0] as Bytes);
    await finish(low, high);
    expect([low.log.secured.length, high.log.secured.length, high.introductions.count]).toEqual([1, 1, 0]);
  });

  it('are told of one refusal, not of two', async () => {
    const refuse = async () => Promise.reject(new QsecError('ROOM_FULL', 'full'));
    const [low, high] = [side(LOW), side(HIGH, { accept: refuse })];
    await low.introductions.initiate(HIGH);
    await high.introductions.initiate(LOW);
    await finish(low, high);
    await high.pass(600_000);
    expect(high.log.failed).toEqual([expect.objectContaining({ code: 'ROOM_FULL' })]);
    expect(high.introductions.count).toBe(0);
  });
});

describe('a handshake message', () => {
  it('that is played again begins nothing, neither while it is answered nor later', async () => {
    const [low, high] = [side(LOW), side(HIGH)];
    await low.introductions.initiate(HIGH);
    const m1 = await carry(low, high);
    await high.introductions.receive(LOW, m1);
    expect(high.log.sent).toHaveLength(1);
    await finish(low, high);
    await high.introductions.receive(LOW, m1);
    expect([high.introductions.count, high.sent().length]).toEqual([0, 0]);
  });

  it('under another session’s name begins nothing, and says nothing about a present one', async () => {
    const [low, high] = [side(LOW), side(HIGH)];
    await low.introductions.initiate(HIGH);
    const [m1] = low.sent() as [Bytes];
    const other = concat(randomBytes(SID_BYTES), m1.subarray(SID_BYTES));
    await high.introductions.receive(LOW, other);
    expect(high.introductions.count).toBe(0);
    await high.introductions.receive(LOW, m1);
    const [m2] = high.sent() as [Bytes];
    await low.introductions.receive(HIGH, concat(randomBytes(SID_BYTES), m2.subarray(SID_BYTES)));
    await low.introductions.receive(LOW, m2);
    expect(low.sent()).toEqual([]);
  });

  it('that is forged is refused and costs nothing: the genuine one still counts', async () => {
    const [low, high] = [side(LOW), side(HIGH)];
    await low.introductions.initiate(HIGH);
    await carry(low, high);
    const [m2] = high.sent() as [Bytes];
    const forged = m2.slice();
    forged[forged.length - 1] = (forged.at(-1) as number) ^ 1;
    await expect(low.introductions.receive(HIGH, forged)).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
    expect([low.log.failed, low.introductions.count]).toEqual([[], 1]);
    await low.introductions.receive(HIGH, m2);
    await finish(low, high);
    expect(low.log.secured).toHaveLength(1);
  });

  it('that begins a new session and proves nothing costs none that is under way', async () => {
    const [low, high, eve] = [side(LOW), side(HIGH), side(LOW, { psk: randomBytes(32) })];
    await low.introductions.initiate(HIGH);
    await carry(low, high);
    await eve.introductions.initiate(HIGH);
    const [without] = eve.sent();
    await expect(high.introductions.receive(LOW, without as Bytes)).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
    await finish(low, high);
    expect(high.log.secured).toHaveLength(1);
  });

  it('of a seat that begins anew takes the place of the earlier one, which may have ended there', async () => {
    const [low, high] = [side(LOW), side(HIGH)];
    await low.introductions.initiate(HIGH);
    await carry(low, high);
    low.introductions.drop(HIGH);
    await low.introductions.initiate(HIGH);
    await carry(low, high);
    expect([high.introductions.count, high.log.unfinished]).toEqual([1, 0]);
    // From M3 on the other side may get our confirmation and we not its own.
    high.log.sent.shift();
    await carry(high, low);
    await carry(low, high);
    low.introductions.drop(HIGH);
    await low.introductions.initiate(HIGH);
    low.log.sent.splice(0, low.log.sent.length - 1);
    await carry(low, high);
    expect([high.introductions.count, high.log.unfinished]).toEqual([1, 1]);
    // Of the earlier one nothing is left that could end later.
    await high.pass(15_000);
    expect([high.introductions.count, high.log.unfinished, high.log.silent]).toEqual([0, 1, 1]);
  });

  it('that is taken while its handshake is dropped is not answered', async () => {
    const [low, high] = [side(LOW), side(HIGH)];
    await low.introductions.initiate(HIGH);
    await carry(low, high);
    const [m2] = high.sent() as [Bytes];
    const taking = low.introductions.receive(HIGH, m2);
    low.introductions.drop(HIGH);
    await taking.catch(() => undefined);
    expect([low.sent(), low.log.failed, low.introductions.count]).toEqual([[], [], 0]);
  });

  it('of seats without end is answered for twice a full room, and to those always', async () => {
    const high = side(HIGH);
    const seats = Array.from({ length: 33 }, (_, i) => new Uint8Array(16).fill(i + 10));
    for (const seat of seats) {
      const other = side(seat, { seat });
      await other.introductions.initiate(HIGH);
      await high.introductions.receive(seat, other.sent()[0] as Bytes);
    }
    expect([high.introductions.count, high.sent().length]).toEqual([32, 32]);
    const again = side(seats[0] as Bytes, { seat: seats[0] as Bytes });
    await again.introductions.initiate(HIGH);
    await high.introductions.receive(seats[0] as Bytes, again.sent()[0] as Bytes);
    expect([high.introductions.count, high.sent().length]).toEqual([32, 1]);
    high.introductions.close();
    expect(high.introductions.count).toBe(0);
  });
});

describe('a peer that is refused', () => {
  it.each<[string, Error, string, string]>([
    ['for a reason is told of by it', new QsecError('NOT_ADMITTED', 'nobody knows you'), 'NOT_ADMITTED', 'nobody knows you'],
    [
      'for what it said not to decode failed the handshake, which is no mistake of ours',
      new QsecError('INVALID_ARGUMENT', 'no policy'),
      'HANDSHAKE_FAILED',
      'The other side sent a handshake message that does not decode.',
    ],
    [
      'by a fault failed the handshake, too',
      new TypeError('broken'),
      'HANDSHAKE_FAILED',
      'The other side sent a handshake message that does not decode.',
    ],
  ])('%s', async (_, cause, code, message) => {
    const [low, high] = [side(LOW, { accept: () => Promise.reject(cause) }), side(HIGH)];
    await low.introductions.initiate(HIGH);
    await finish(low, high);
    expect(low.log.failed).toEqual([expect.objectContaining({ code, message })]);
    expect(low.introductions.count).toBe(0);
    await low.pass(600_000);
    expect(low.log.failed).toHaveLength(1);
  });

  it('where the key agreement cannot begin hears that it ended', async () => {
    const etsi = { ...oneFlightSource(), kind: 'etsi014' as const };
    const agreement = { ...AGREEMENT, source: 'etsi014' as const };
    const policy = () => encodeMemberPolicy({ agreement, room: NONE, lock: NONE, admission: NONE, name: 'Eve' });
    const [low, high] = [side(LOW, { keySource: etsi, agreement, demands: policy }), side(HIGH)];
    await low.introductions.initiate(HIGH);
    await finish(low, high);
    for (const { log, introductions } of [low, high]) {
      expect(log.failed).toEqual([expect.objectContaining({ code: 'KEY_SOURCE_FAILED' })]);
      expect(introductions.count).toBe(0);
    }
  });
});

describe('a handshake that is not answered', () => {
  it('is begun again after pauses that grow up to half a minute, and is shown as under way all the time', async () => {
    const low = side(LOW);
    await low.introductions.initiate(HIGH);
    low.sent();
    const at: number[] = [];
    const begun = Date.now();
    let idle = false;
    low.log.changes = 0;
    while (Date.now() - begun < 250_000) {
      await low.pass(500);
      idle ||= low.introductions.count !== 1;
      if (low.sent().length > 0) at.push((Date.now() - begun) / 1_000);
    }
    expect(at.map((time, i) => time - (at[i - 1] ?? 0) - 15)).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);
    expect(idle).toBe(false);
  });

  it('waits up to a quarter more or less', async () => {
    for (const [random, ms] of [
      [0, 750],
      [1, 1_250],
    ] as const) {
      vi.mocked(Math.random).mockReturnValue(random);
      const low = side(LOW);
      await low.introductions.initiate(HIGH);
      low.sent();
      await low.pass(15_000 + ms - 1);
      expect(low.sent()).toHaveLength(0);
      await low.pass(1);
      expect(low.sent()).toHaveLength(1);
      low.introductions.close();
    }
  });

  it('is told of after five minutes, once, and again when a later one takes as long', async () => {
    const [low, high] = [side(LOW), side(HIGH)];
    await low.introductions.initiate(HIGH);
    // The tenth try ends after 301 seconds: it is the first that is over by then.
    let ms = 0;
    while (low.log.unanswered === 0 && ms < 400_000) {
      await low.pass(500);
      ms += 500;
    }
    expect(ms).toBe(301_000);
    await low.pass(900_000);
    expect(low.log.unanswered).toBe(1);
    low.log.sent.splice(0, low.log.sent.length - 1);
    await finish(low, high);
    // The last M1 may have been given up by then: it is begun anew.
    low.introductions.drop(HIGH);
    await low.introductions.initiate(HIGH);
    await low.pass(400_000);
    expect(low.log.unanswered).toBe(2);
  });

  it('by who is away is over, and begun again by whoever comes', async () => {
    const low = side(LOW, { isPresent: () => false });
    await low.introductions.initiate(HIGH);
    low.sent();
    await low.pass(15_000);
    expect([low.introductions.count, low.log.silent]).toEqual([0, 1]);
    // However often that happens: nobody has to be told that somebody is away.
    for (let time = 0; time < 30; time++) {
      await low.introductions.initiate(HIGH);
      await low.pass(15_000);
    }
    low.sent();
    await low.pass(600_000);
    expect([low.sent().length, low.log.unanswered]).toEqual([0, 0]);
  });

  it('is over where the other one stopped in the middle, and what it may have got by then is asked for', async () => {
    for (const proven of [false, true]) {
      const [low, high] = [side(LOW), side(HIGH)];
      await low.introductions.initiate(HIGH);
      await carry(low, high);
      if (proven) {
        await carry(high, low);
        await carry(low, high);
      }
      await high.pass(14_999);
      expect(high.introductions.count).toBe(1);
      await high.pass(1);
      expect([high.introductions.count, high.log.silent, high.log.unfinished]).toEqual([0, proven ? 0 : 1, proven ? 1 : 0]);
      low.introductions.close();
    }
  });

  it('of two leaves the other one, and nobody is called silent', async () => {
    const [low, high] = [side(LOW), side(HIGH)];
    await high.introductions.initiate(LOW);
    high.sent();
    await high.pass(500);
    await low.introductions.initiate(HIGH);
    await carry(low, high);
    expect(high.introductions.count).toBe(2);
    high.sent();
    await high.pass(15_000);
    expect([high.introductions.count, high.log.silent, high.sent().length]).toEqual([1, 0, 0]);
    await high.pass(500);
    expect([high.introductions.count, high.sent().length]).toEqual([1, 1]);
    high.introductions.close();
    low.introductions.close();
  });

  it('is begun no more once it was dropped, or everything was', async () => {
    for (const end of ['drop', 'close'] as const) {
      const low = side(LOW);
      await low.introductions.initiate(HIGH);
      await low.pass(15_500);
      low.introductions[end](HIGH);
      low.sent();
      await low.pass(600_000);
      expect([low.sent().length, low.introductions.count]).toEqual([0, 0]);
    }
  });

  it('that was dropped while its keys were made is not begun', async () => {
    const low = side(LOW);
    const begun = low.introductions.initiate(HIGH);
    low.introductions.drop(HIGH);
    await begun;
    expect([low.sent(), low.introductions.count]).toEqual([[], 0]);
  });
});
