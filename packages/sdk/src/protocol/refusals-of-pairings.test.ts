import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { QsecError, type QsecErrorCode } from '../errors.ts';
import { type Bytes, concat, Reader, Writer } from '../wire/index.ts';
import { counterNonce, seal } from './aead.ts';
import { Agreement, type AgreementOptions } from './agreement.ts';
import { sidOfM1 } from './handshake.ts';
import { generateSigningKey, type SigningKey } from './identity.ts';
import { expandLabel } from './key-schedule.ts';
import { oneFlightSource } from './one-flight-source.fixture.ts';
import { firstM1, Pairing, type PairingOptions } from './pairing.ts';
import { type AgreementPolicy, encodeMemberPolicy } from './policy.ts';
import { randomBytes } from './random.ts';

/** Every refusal of a pairing: what carries the payloads may forge any of them, and the proven peer may be wrong. */

const KIND = { m1: 1, m2: 2, m3: 3, flight: 4, confirm: 5, end: 6 } as const;
const agreement: AgreementPolicy = { required: true, source: 'bb84', pulses: 64, threshold: 0.11 };
const seats = { a: randomBytes(16), b: randomBytes(16) };
const common = {
  psk: randomBytes(32),
  roomId: randomBytes(16),
  generation: 0,
  accept: () => undefined,
  onStage: () => undefined,
};
let identities: { a: SigningKey; b: SigningKey };
beforeAll(async () => {
  identities = { a: await generateSigningKey(), b: await generateSigningKey() };
});

/** @param demands what this side says of itself, which need not be what it does */
function options(side: 'a' | 'b', change: Partial<PairingOptions> = {}, demands: Partial<AgreementPolicy> = {}): PairingOptions {
  const nothing = new Uint8Array(0);
  const said = { ...agreement, ...demands };
  const policy = encodeMemberPolicy({ agreement: said, room: nothing, lock: nothing, admission: nothing, name: '' });
  const peerSeat = seats[side === 'a' ? 'b' : 'a'];
  const own = { identity: identities[side], seat: seats[side], peerSeat, policy, agreement };
  return { ...common, keySource: oneFlightSource(), ...own, ...change };
}

const section = (kind: number, content: Uint8Array): Bytes => new Writer().u8(kind).variable(content).bytes();

/** The section of one kind in a payload, as it travels. */
function only(payload: Bytes | undefined, kind: number): Bytes {
  const reader = new Reader(payload as Bytes);
  while (reader.remaining > 0) {
    const found = reader.u8();
    const content = reader.variable().slice();
    if (found === kind) return section(kind, content);
  }
  throw new Error(`no section of kind ${kind}`);
}

/** What a payload holds, in order. */
function kinds(payload: Bytes): number[] {
  const reader = new Reader(payload);
  const found: number[] = [];
  for (; reader.remaining > 0; reader.variable()) found.push(reader.u8());
  return found;
}

/** The first two messages of two sides. */
async function begun(optionsA = options('a'), optionsB = options('b')) {
  const a = await Pairing.initiate(optionsA);
  const b = await Pairing.respond(optionsB, a.payload);
  return { a: a.pairing, m1: a.payload, b: b.pairing, m2: b.payload };
}

/** Carries what is still to come to both, beginning with M2. */
async function finish(a: Pairing, b: Pairing, m2: Bytes): Promise<void> {
  let payload: Bytes | undefined = m2;
  for (let to = a; payload; to = to === a ? b : a) payload = await to.receive(payload);
  expect(a.result?.root).toBeDefined();
  expect(a.result?.root).toEqual(b.result?.root);
}

const refusal = (message: string, code: QsecErrorCode = 'HANDSHAKE_FAILED') =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });

/** What `receive` threw. */
async function error(receiving: Promise<unknown>): Promise<QsecError> {
  const thrown = await receiving.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(thrown).toBeInstanceOf(QsecError);
  return thrown as QsecError;
}

afterEach(() => void vi.restoreAllMocks());

describe('a handshake begins', () => {
  it('with M1 alone, and tells it from other payloads', async () => {
    const { m1, m2 } = await begun();
    expect(firstM1(m1)).toEqual(m1.subarray(5));
    expect(firstM1(m2)).toBeUndefined();
    expect(firstM1(new Uint8Array(0))).toBeUndefined();
  });

  it.each<[string, (m1: Bytes, m2: Bytes) => Bytes, ReturnType<typeof refusal>]>([
    ['M1 with a section behind it', (m1, m2) => concat(m1, m2), refusal('Something was appended to M1')],
    ['M1 twice', (m1) => concat(m1, m1), refusal('Something was appended to M1')],
    ['M1 with an unknown section behind it', (m1) => concat(m1, section(9, randomBytes(2))), refusal('unknown kind 9')],
    ['an unknown section', (m1) => concat(Uint8Array.of(0), m1.subarray(1)), refusal('unknown kind 0')],
    ['a section after the last known one', () => section(7, randomBytes(2)), refusal('unknown kind 7')],
    ['M1 with a byte behind it', (m1) => concat(m1, Uint8Array.of(2)), refusal('truncated', 'INVALID_ARGUMENT')],
  ])('not with %s', async (_, forge, expected) => {
    const { m1, m2 } = await begun();
    expect(() => firstM1(forge(m1, m2))).toThrow(expected);
    await expect(Pairing.respond(options('b'), forge(m1, m2))).rejects.toEqual(expected);
  });

  it('not with another message than M1', async () => {
    const { m2 } = await begun();
    const expected = refusal('A handshake has to begin with M1');
    for (const payload of [m2, new Uint8Array(0), section(KIND.confirm, randomBytes(32))])
      await expect(Pairing.respond(options('b'), payload)).rejects.toEqual(expected);
  });
});

describe('a payload out of turn is refused and the handshake goes on', () => {
  const atA: [string, (m1: Bytes) => Bytes, ReturnType<typeof refusal>][] = [
    ['M1', (m1) => m1, refusal('The handshake message came out of turn')],
    ['M3', () => section(KIND.m3, randomBytes(1040)), refusal('M3 came out of turn')],
    [
      'a flight before M2',
      () => section(KIND.flight, randomBytes(34)),
      refusal('A flight of the key agreement came out of turn'),
    ],
    ['a confirmation before M2', () => section(KIND.confirm, randomBytes(32)), refusal('A confirmation came out of turn')],
    ['a last word before M2', () => section(KIND.end, randomBytes(17)), refusal('The handshake is not that far')],
    ['an unknown section', () => section(7, randomBytes(17)), refusal('unknown kind 7')],
  ];
  it.each(atA)('%s, at A', async (_, forge, expected) => {
    const { a, b, m1, m2 } = await begun();
    await expect(a.receive(forge(m1))).rejects.toEqual(expected);
    expect(a.over).toBe(false);
    await finish(a, b, m2);
  });

  const atB: [string, (m1: Bytes, m2: Bytes) => Bytes, ReturnType<typeof refusal>][] = [
    ['M1', (m1) => m1, refusal('The handshake message came out of turn')],
    ['M2', (_, m2) => m2, refusal('M2 came out of turn')],
    [
      'a flight before M3',
      () => section(KIND.flight, randomBytes(34)),
      refusal('A flight of the key agreement came out of turn'),
    ],
    ['a confirmation before M3', () => section(KIND.confirm, randomBytes(32)), refusal('A confirmation came out of turn')],
    ['a last word before M3', () => section(KIND.end, randomBytes(17)), refusal('The handshake is not that far')],
    ['an unknown section', () => section(0, randomBytes(17)), refusal('unknown kind 0')],
  ];
  it.each(atB)('%s, at B', async (_, forge, expected) => {
    const { a, b, m1, m2 } = await begun();
    await expect(b.receive(forge(m1, m2))).rejects.toEqual(expected);
    expect(b.over).toBe(false);
    await finish(a, b, m2);
  });

  it('a confirmation before the key agreement is finished', async () => {
    const { a, b, m2 } = await begun();
    const answer = (await a.receive(m2)) as Bytes;
    const early = section(KIND.confirm, randomBytes(32));
    await expect(a.receive(early)).rejects.toEqual(refusal('A confirmation came out of turn'));
    await finish(b, a, answer);
  });

  it('a confirmation of another key, at A and at B', async () => {
    const { a, b, m2 } = await begun();
    const wrong = section(KIND.confirm, randomBytes(32));
    const toA = (await b.receive((await a.receive(m2)) as Bytes)) as Bytes;
    await expect(b.receive(wrong)).rejects.toEqual(refusal('The other side ended with another key'));
    await a.receive(only(toA, KIND.flight));
    await expect(a.receive(wrong)).rejects.toEqual(refusal('The other side ended with another key'));
    // Its own, which B cannot have computed: each side has a MAC of its own.
    await expect(b.receive(only(toA, KIND.confirm))).rejects.toEqual(refusal('The other side ended with another key'));
    expect([a.over, b.over]).toEqual([false, false]);
    await finish(a, b, only(toA, KIND.confirm));
  });

  it('a last word that the peer did not seal, at A and at B', async () => {
    const { a, b, m2 } = await begun();
    const toB = (await a.receive(m2)) as Bytes;
    await b.receive(only(toB, KIND.m3));
    for (const side of [a, b]) {
      await expect(side.receive(section(KIND.end, randomBytes(17)))).rejects.toEqual(refusal('A box does not open'));
      expect(side.over).toBe(false);
    }
    await finish(b, a, toB);
  });
});

describe('a peer counts as proven', () => {
  it('at A with the genuine M2, and not before', async () => {
    const { a, m2 } = await begun();
    expect([a.proven, a.proving]).toEqual([false, undefined]);
    const forged = m2.slice();
    forged[forged.length - 1] = (forged[forged.length - 1] as number) ^ 1;
    await expect(a.receive(forged)).rejects.toEqual(refusal('A box does not open'));
    expect([a.proven, a.proving]).toEqual([false, undefined]);
    await a.receive(m2);
    expect([a.proven, a.proving]).toEqual([true, identities.b.publicKey]);
  });

  it('at B with the genuine M3, and not with M1, which anybody can repeat', async () => {
    const { a, b, m2 } = await begun();
    expect([b.proven, b.proving]).toEqual([false, undefined]);
    const toB = (await a.receive(m2)) as Bytes;
    await expect(b.receive(section(KIND.m3, randomBytes(1040)))).rejects.toEqual(refusal('A box does not open'));
    expect([b.proven, b.proving]).toEqual([false, undefined]);
    await b.receive(only(toB, KIND.m3));
    expect([b.proven, b.proving]).toEqual([true, identities.a.publicKey]);
  });
});

describe('a pairing is over', () => {
  it('once it is given up: nothing more is taken', async () => {
    const { a, m2 } = await begun();
    a.destroy();
    await expect(a.receive(m2)).rejects.toEqual(refusal('This handshake is over'));
  });

  it('when this side refuses the proven identity, at A and at B', async () => {
    const accept = () => {
      throw new QsecError('NOT_ADMITTED', 'not this one');
    };
    const atA = await begun(options('a', { accept }));
    await expect(atA.a.receive(atA.m2)).rejects.toEqual(refusal('not this one', 'NOT_ADMITTED'));
    const atB = await begun(options('a'), options('b', { accept }));
    const toB = (await atB.a.receive(atB.m2)) as Bytes;
    await expect(atB.b.receive(toB)).rejects.toEqual(refusal('not this one', 'NOT_ADMITTED'));
    expect([atA.a.over, atB.b.over]).toEqual([true, true]);
  });

  it('when the proven peer wants to send too many pulses, and the peer is told', async () => {
    const { a, b, m2 } = await begun(options('a', {}, { pulses: 0xffff_ffff }));
    const toB = (await a.receive(m2)) as Bytes;
    const thrown = await error(b.receive(toB));
    expect(thrown).toEqual(refusal('4294967295 pulses'));
    expect(b.over).toBe(true);
    await expect(a.receive(thrown.details.lastWords as Bytes)).rejects.toEqual(refusal('The other side could not go on'));
    expect(a.over).toBe(true);
  });

  it('when the proven peer takes its keys from elsewhere, and the peer is told with the same code', async () => {
    const { a, b, m2 } = await begun(options('a', {}, { source: 'etsi014' }));
    const thrown = await error(b.receive((await a.receive(m2)) as Bytes));
    expect(thrown).toEqual(refusal('the other from etsi014', 'KEY_SOURCE_FAILED'));
    const told = refusal('The other side could not go on', 'KEY_SOURCE_FAILED');
    await expect(a.receive(thrown.details.lastWords as Bytes)).rejects.toEqual(told);
  });

  it('when the key source of A throws: B gets M3 with the last word, and reads it', async () => {
    const next = () => {
      throw new Error('no light');
    };
    const { a, b, m2 } = await begun(options('a', { keySource: oneFlightSource({ next }) }));
    const thrown = await error(a.receive(m2));
    expect(thrown).toEqual(refusal('no light', 'KEY_SOURCE_FAILED'));
    const told = refusal('The other side could not go on', 'KEY_SOURCE_FAILED');
    await expect(b.receive(thrown.details.lastWords as Bytes)).rejects.toEqual(told);
    expect([a.over, b.over]).toEqual([true, true]);
  });

  it('when the proven peer sends a flight that the key source refuses, and the peer is told', async () => {
    const next = () => {
      throw new QsecError('INVALID_ARGUMENT', 'no such basis');
    };
    const { a, b, m2 } = await begun(options('a'), options('b', { keySource: oneFlightSource({ next }) }));
    const thrown = await error(b.receive((await a.receive(m2)) as Bytes));
    expect(thrown).toEqual(refusal('no such basis', 'INVALID_ARGUMENT'));
    await expect(a.receive(thrown.details.lastWords as Bytes)).rejects.toEqual(refusal('The other side could not go on'));
  });

  it('when the key has another length', async () => {
    const keySource = oneFlightSource({ result: { key: new Uint8Array(16).fill(1), report: {} as never } });
    const { a, b, m2 } = await begun(options('a'), options('b', { keySource }));
    const thrown = await error(b.receive((await a.receive(m2)) as Bytes));
    expect(thrown).toEqual(refusal('gave 16 bytes instead of 32'));
    expect([b.over, b.result]).toEqual([true, undefined]);
  });

  it('when the peer is of another version, without a last word: that one travels in the open', async () => {
    const policy = options('a').policy.slice();
    policy[0] = 2;
    const { a, b, m2 } = await begun(options('a', { policy }));
    const thrown = await error(b.receive((await a.receive(m2)) as Bytes));
    expect(thrown).toEqual(refusal('policy 2, and here 1', 'VERSION_MISMATCH'));
    expect(thrown.details.lastWords).toBeUndefined();
    expect(b.over).toBe(true);
  });

  it('when an agreement that one side demands failed for both, with what the peer waits for', async () => {
    const failure = new QsecError('KEY_SOURCE_FAILED', 'the other key management entity has no key');
    const next = () => Uint8Array.of(9);
    const { a, b, m2 } = await begun(options('a'), options('b', { keySource: oneFlightSource({ failure, next }) }));
    const thrown = await error(b.receive((await a.receive(m2)) as Bytes));
    expect(thrown).toEqual(refusal('has no key', 'KEY_SOURCE_FAILED'));
    expect(only(thrown.details.lastWords as Bytes, KIND.flight)[0]).toBe(KIND.flight);
    expect(b.over).toBe(true);
    expect(thrown.cause).toBe(failure);
  });

  it('when the first step of A ends it, with what B waits for and no last word', async () => {
    const failure = new QsecError('KEY_SOURCE_FAILED', 'no key');
    const { a, b, m2 } = await begun(options('a', { keySource: oneFlightSource({ failure }) }));
    const thrown = await error(a.receive(m2));
    expect(thrown).toEqual(refusal('no key', 'KEY_SOURCE_FAILED'));
    const lastWords = thrown.details.lastWords as Bytes;
    expect(kinds(lastWords)).toEqual([KIND.m3, KIND.flight]);
    expect(a.over).toBe(true);
    await b.receive(lastWords);
    expect(b.proven).toBe(true);
  });

  it('when a party of a key source cannot be listened to, and the peer is told', async () => {
    const cause = new Error('no such event');
    const on = () => {
      throw cause;
    };
    const { a, b, m2 } = await begun(options('a', { keySource: oneFlightSource({ on }) }));
    const thrown = await error(a.receive(m2));
    expect(thrown).toEqual(refusal('The key source of this side failed: no such event', 'KEY_SOURCE_FAILED'));
    expect(kinds(thrown.details.lastWords as Bytes)).toEqual([KIND.m3, KIND.end]);
    const told = refusal('The other side could not go on', 'KEY_SOURCE_FAILED');
    await expect(b.receive(thrown.details.lastWords as Bytes)).rejects.toEqual(told);
  });

  it('when a step fails as nothing is known to fail, and the peer is told', async () => {
    const cause = new Error('of the platform');
    const { a, b, m2 } = await begun();
    vi.spyOn(Agreement, 'start').mockRejectedValueOnce(cause);
    const thrown = await error(a.receive(m2));
    expect(thrown).toEqual(refusal('A step of the handshake failed.'));
    expect((thrown.cause as QsecError).cause).toBe(cause);
    await expect(b.receive(thrown.details.lastWords as Bytes)).rejects.toEqual(refusal('The other side could not go on'));
  });

  it('when it failed with the last flight of the peer, which waits for nothing any more', async () => {
    const failure = new QsecError('KEY_SOURCE_FAILED', 'no key', { details: { entity: 'kme-1' } });
    // B has said its flight; A has none to answer with.
    function next(this: { failure: unknown }, flight?: Uint8Array): Uint8Array | undefined {
      if (flight) this.failure = failure;
      return flight ? undefined : Uint8Array.of(7);
    }
    const { a, b, m2 } = await begun(options('a', { keySource: oneFlightSource({ next }) }));
    const thrown = await error(a.receive((await b.receive((await a.receive(m2)) as Bytes)) as Bytes));
    expect(thrown).toEqual(refusal('no key', 'KEY_SOURCE_FAILED'));
    expect(thrown.details).toEqual({ entity: 'kme-1' });
    expect(a.over).toBe(true);
  });
});

describe('the last word of a peer that cannot go on', () => {
  /** Both sides after M3, and a last word as the peer seals it. */
  async function proven() {
    const starting = vi.spyOn(Agreement, 'start');
    const { a, b, m2 } = await begun();
    const toB = (await a.receive(m2)) as Bytes;
    const [[{ secret, transcript }]] = starting.mock.calls as [[AgreementOptions]];
    const word = async (from: 'a' | 'b', content: Bytes): Promise<Bytes> =>
      section(KIND.end, await seal(expandLabel(secret, `end ${from}`, transcript), counterNonce(0), content, new Uint8Array(0)));
    return { a, b, toB, word };
  }

  it.each<[what: string, content: Uint8Array, code: QsecErrorCode]>([
    ['for any reason', Uint8Array.of(0), 'HANDSHAKE_FAILED'],
    ['for a fault of its key source', Uint8Array.of(1), 'KEY_SOURCE_FAILED'],
    ['for a reason to come', Uint8Array.of(2), 'HANDSHAKE_FAILED'],
    ['without a reason', new Uint8Array(0), 'HANDSHAKE_FAILED'],
  ])('ends the pairing %s', async (_, content, code) => {
    const { a, word } = await proven();
    const thrown = await error(a.receive(await word('b', content as Bytes)));
    expect(thrown).toEqual(refusal('The other side could not go on with the key agreement.', code));
    expect(thrown.details).toEqual({ reason: 'peer' });
    expect(a.over).toBe(true);
  });

  it('is not one of this side, sent back to it', async () => {
    const { a, b, toB, word } = await proven();
    await expect(a.receive(await word('a', Uint8Array.of(0)))).rejects.toEqual(refusal('A box does not open'));
    expect(a.over).toBe(false);
    await b.receive(only(toB, KIND.m3));
    await expect(b.receive(await word('b', Uint8Array.of(0)))).rejects.toEqual(refusal('A box does not open'));
    expect(b.over).toBe(false);
  });

  it('is passed over once both sides confirmed, as everything is that comes late', async () => {
    const { a, b, toB, word } = await proven();
    const last = await word('b', Uint8Array.of(0));
    await finish(b, a, toB);
    for (const late of [last, section(KIND.flight, randomBytes(34)), section(KIND.confirm, randomBytes(32))])
      expect(await a.receive(late)).toBeUndefined();
    expect([a.over, a.proven, a.proving]).toEqual([false, true, undefined]);
  });
});

describe('a session', () => {
  it('is the same on both sides from M1 on', async () => {
    const { a, b, m1, m2 } = await begun();
    expect(sidOfM1(firstM1(m1) as Bytes)).toEqual(a.sid);
    expect(b.sid).toEqual(a.sid);
    await finish(a, b, m2);
    expect(a.result?.sid).toEqual(a.sid);
    expect([a.result?.role, b.result?.role]).toEqual(['a', 'b']);
  });
});
