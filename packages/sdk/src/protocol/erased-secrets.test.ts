import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { QsecError } from '../errors.ts';
import type { KeyParty } from '../key-source/types.ts';
import { type Bytes, equalBytes, Reader, utf8 } from '../wire/index.ts';
import { Agreement, type AgreementOptions } from './agreement.ts';
import { Initiator, type Party, Responder } from './handshake.ts';
import { generateSigningKey } from './identity.ts';
import { erase, expandInfo, expandLabel, extract, mac } from './key-schedule.ts';
import { oneFlightSource } from './one-flight-source.fixture.ts';
import { PairChannel } from './pair-channel.ts';
import { Pairing, type PairingOptions } from './pairing.ts';
import { encodeMemberPolicy } from './policy.ts';
import { randomBytes } from './random.ts';
import { MAX_SKIPPED_KEYS, ReceiveChain, SendChain } from './ratchet.ts';
import { Rekeying, type RekeyingOptions } from './rekeying.ts';
import { generateKeyPair, type KeyPair } from './x-wing.ts';

/** What a handshake, an agreement and a rekeying needed and leave behind: nothing but zeros. */

vi.mock('./key-schedule.ts', { spy: true });
vi.mock('./x-wing.ts', { spy: true });
beforeEach(() => {
  for (const spied of [extract, expandLabel, mac]) vi.mocked(spied).mockClear();
});
afterEach(() => void vi.mocked(erase).mockReset());

const policy = { required: true, source: 'bb84', pulses: 64, threshold: 0.11 } as const;
const psk = randomBytes(32);

/** The secrets that were extracted so far, and what from; not the one of the invite, which is kept. */
const extracted = () => {
  const { calls, results } = vi.mocked(extract).mock;
  return calls.flatMap(([, from], i) => (from === psk ? [] : [{ from, to: results[i]?.value as Bytes }]));
};

/** The keys that were expanded under these labels. */
const keys = (...labels: string[]): Bytes[] => {
  const { calls, results } = vi.mocked(expandLabel).mock;
  return calls.flatMap(([, label], i) => (labels.includes(label) ? [results[i]?.value as Bytes] : []));
};

const isErased = (secret: Uint8Array): boolean => secret.every((byte) => byte === 0);
const FLIGHT_KEYS = ['qc', 'bb a', 'bb b'];

/** How many of them there are, and how many are zeros. */
const erasedOf = (secrets: readonly Uint8Array[]) => ({ all: secrets.length, erased: secrets.filter(isErased).length });

async function parties(): Promise<{ a: Party; b: Party }> {
  const nothing = new Uint8Array(0);
  const own = encodeMemberPolicy({ agreement: policy, room: nothing, lock: nothing, admission: nothing, name: '' });
  const common = { psk, roomId: randomBytes(16), generation: 0, policy: own, accept: () => undefined };
  const [seatA, seatB] = [randomBytes(16), randomBytes(16)];
  return {
    a: { ...common, identity: await generateSigningKey(), seat: seatA, peerSeat: seatB },
    b: { ...common, identity: await generateSigningKey(), seat: seatB, peerSeat: seatA },
  };
}

describe('a handshake overwrites', () => {
  it('the shared secrets and the keys of its boxes as soon as they are used, and its private key', async () => {
    const { a, b } = await parties();
    const keyPair = await generateKeyPair();
    const destroy = vi.spyOn(keyPair, 'destroy');
    const initiator = await Initiator.start({ ...a, keyPair: Promise.resolve(keyPair) });
    const responder = await Responder.answer(b, initiator.m1);
    expect(destroy).not.toHaveBeenCalled();
    const { m3, secrets } = await initiator.receiveM2(responder.m2);
    expect(destroy).toHaveBeenCalledOnce();
    await responder.receiveM3(m3);

    expect(erasedOf(extracted().map(({ from }) => from))).toEqual({ all: 2, erased: 2 });
    expect(erasedOf(keys('a hs', 'b hs'))).toEqual({ all: 4, erased: 4 });
    // The pairing goes on with it.
    expect(isErased(secrets.hs)).toBe(false);
  });
});

describe('a key agreement overwrites', () => {
  const options = (role: 'alice' | 'bob', keySource = oneFlightSource()): AgreementOptions => {
    const secrets = { secret: new Uint8Array(32).fill(3), transcript: new Uint8Array(32).fill(4) };
    return { ...secrets, role, own: policy, theirs: policy, keySource, onStage: () => undefined };
  };

  it('the keys of its flights and the flights when it is destroyed', async () => {
    const taken: Uint8Array[] = [];
    const next = (flight?: Uint8Array) => {
      if (flight) taken.push(flight);
      return Uint8Array.of(7);
    };
    const { step } = await Agreement.start(options('alice'));
    const { agreement } = await Agreement.start(options('bob', oneFlightSource({ next })));
    await agreement.receive(step.flights[0] as Bytes);
    vi.mocked(expandLabel).mockClear();
    expect(taken).toEqual([Uint8Array.of(7)]);
    agreement.destroy();
    expect(taken).toEqual([Uint8Array.of(0)]);

    const other = await Agreement.start(options('bob'));
    expect(erasedOf(keys(...FLIGHT_KEYS))).toEqual({ all: 3, erased: 0 });
    other.agreement.destroy();
    expect(erasedOf(keys(...FLIGHT_KEYS))).toEqual({ all: 3, erased: 3 });
  });

  it('those of an attempt that both sides dropped before it begins the next', async () => {
    const { step } = await Agreement.start(options('alice'));
    const failure = new QsecError('QBER_EXCEEDED', 'too many errors');
    vi.mocked(expandLabel).mockClear();
    const { agreement } = await Agreement.start(options('bob', oneFlightSource({ failure } as Partial<KeyParty>)));
    await agreement.receive(step.flights[0] as Bytes);
    const made = keys(...FLIGHT_KEYS);
    expect(erasedOf(made.slice(0, 3))).toEqual({ all: 3, erased: 3 });
    expect(erasedOf(made.slice(3))).toEqual({ all: 3, erased: 0 });
  });
});

describe('a pairing overwrites', () => {
  async function begun() {
    const { a, b } = await parties();
    const more = { agreement: policy, keySource: oneFlightSource(), onStage: () => undefined };
    const options = (party: Party): PairingOptions => ({ ...party, ...more });
    const first = await Pairing.initiate(options(a));
    const second = await Pairing.respond(options(b), first.payload);
    return { a: first.pairing, b: second.pairing, m2: second.payload };
  }

  it('the handshake’s secret and the keys under it once both sides confirmed, on both sides', async () => {
    const { a, b, m2 } = await begun();
    let payload: Bytes | undefined = m2;
    for (let to = a; payload; to = to === a ? b : a) payload = await to.receive(payload);
    expect(a.result?.root).toEqual(b.result?.root);
    expect(isErased(a.result?.root as Bytes)).toBe(false);
    // On each side the handshake's secret from the shared one, and the master secret from the agreed key.
    expect(erasedOf(extracted().map(({ from }) => from))).toEqual({ all: 4, erased: 4 });
    expect(erasedOf(extracted().map(({ to }) => to))).toEqual({ all: 4, erased: 4 });
    expect(erasedOf(keys(...FLIGHT_KEYS))).toEqual({ all: 6, erased: 6 });
  });

  it('them when it is given up on the way', async () => {
    const { a, b, m2 } = await begun();
    await b.receive(sectionsUpTo((await a.receive(m2)) as Bytes, 1));
    const secrets = () => [...extracted().map(({ to }) => to), ...keys(...FLIGHT_KEYS)];
    expect(erasedOf(secrets())).toEqual({ all: 8, erased: 0 });
    a.destroy();
    expect(erasedOf(secrets())).toEqual({ all: 8, erased: 4 });
    b.destroy();
    expect(erasedOf(secrets())).toEqual({ all: 8, erased: 8 });
  });
});

describe('a rekeying overwrites', () => {
  const options = (role: 'a' | 'b'): RekeyingOptions => {
    const agreement = { own: policy, theirs: policy };
    const secret = new Uint8Array(32).fill(5);
    return { role, epoch: 1, secret, agreement, keySource: oneFlightSource(), onStage: () => undefined };
  };
  const macs = (): Bytes[] => {
    const { calls, results } = vi.mocked(mac).mock;
    const isConfirmation = (message: Uint8Array) => ['R2', 'R3'].some((text) => equalBytes(message, utf8(text)));
    return calls.flatMap(([, message], i) => (isConfirmation(message) ? [results[i]?.value as Bytes] : []));
  };

  it.each([
    ['light', false],
    ['full', true],
  ])('%s: its secrets when it is over', async (_, full) => {
    const a = await Rekeying.initiate(options('a'), full);
    const b = await Rekeying.respond(options('b'), a.payload);
    let payload = b.step.payload;
    for (let to = a.rekeying; payload; to = to === a.rekeying ? b.rekeying : a.rekeying)
      ({ payload } = await to.receive(payload));

    const each = full ? 4 : 2;
    expect(erasedOf(extracted().map(({ from }) => from))).toEqual({ all: each, erased: each });
    expect(erasedOf(macs())).toEqual({ all: 4, erased: 0 });
    a.rekeying.destroy();
    b.rekeying.destroy();
    expect(erasedOf(macs())).toEqual({ all: 4, erased: 4 });
    expect(erasedOf(extracted().map(({ to }) => to))).toEqual({ all: each, erased: each });
    expect(erasedOf(keys(...FLIGHT_KEYS))).toEqual(full ? { all: 6, erased: 6 } : { all: 0, erased: 0 });
    expect(erasedOf(keys('pair root'))).toEqual({ all: 2, erased: 0 });
  });

  it('its private key, with the answer or when it is given up', async () => {
    const begin = async () => {
      const { rekeying, payload } = await Rekeying.initiate(options('a'), true);
      const made = vi.mocked(generateKeyPair).mock.settledResults.at(-1)?.value as KeyPair;
      return { rekeying, payload, destroy: vi.spyOn(made, 'destroy') };
    };
    const answered = await begin();
    const { step } = await Rekeying.respond(options('b'), answered.payload);
    expect(answered.destroy).not.toHaveBeenCalled();
    await answered.rekeying.receive(step.payload as Bytes);
    expect(answered.destroy).toHaveBeenCalledOnce();

    const givenUp = await begin();
    givenUp.rekeying.destroy();
    expect(givenUp.destroy).toHaveBeenCalledOnce();
  });
});

describe('the channel of a pair overwrites', () => {
  const LABELS = ['pair a>b', 'pair b>a', 'mac a>b', 'mac b>a', 'rekey'];
  /** Of each epoch so far, in order: sending chain, receiving chain, MAC of what is sent, MAC of what comes, rekey secret. */
  function epochs(): boolean[][] {
    const made = keys(...LABELS).map(isErased);
    return Array.from({ length: made.length / 5 }, (_, i) => made.slice(5 * i, 5 * i + 5));
  }
  const WHOLE = [false, false, false, false, false];
  const GONE = [true, true, true, true, true];
  /** Nothing is sent in it any more, and what is on its way still opens. */
  const PREVIOUS = [true, false, false, false, true];

  it('its root, and each epoch when it is replaced', () => {
    const roots: Bytes[] = [];
    const root = () => {
      const made = randomBytes(32);
      roots.push(made);
      return made;
    };
    const transcript = randomBytes(32);
    const peer = { identity: randomBytes(32), policy: new Uint8Array(0) };
    const shown = new Uint8Array(0);
    const secrets = { sid: randomBytes(16), role: 'a', root: root(), transcript, sas: randomBytes(6), peer, shown } as const;
    const channel = new PairChannel(randomBytes(16), { ...secrets, report: undefined });
    expect(epochs()).toEqual([WHOLE]);
    channel.prepare(1, root(), transcript);
    expect(epochs()).toEqual([WHOLE, WHOLE]);
    channel.prepare(1, root(), transcript);
    expect(epochs()).toEqual([WHOLE, GONE, WHOLE]);
    channel.advance();
    expect(epochs()).toEqual([PREVIOUS, GONE, WHOLE]);
    channel.prepare(2, root(), transcript);
    channel.advance();
    expect(epochs()).toEqual([GONE, GONE, PREVIOUS, WHOLE]);
    channel.prepare(3, root(), transcript);
    channel.destroy();
    expect(epochs()).toEqual([GONE, GONE, GONE, GONE, GONE]);
    expect(erasedOf(roots)).toEqual({ all: 5, erased: 5 });
  });
});

describe('a chain overwrites', () => {
  const hex = (secret: Uint8Array | undefined): string => Buffer.from(secret ?? []).toString('hex');
  /** What was overwritten since, as it was before. */
  function overwritten(): Set<string> {
    const found = new Set<string>();
    vi.mocked(erase).mockImplementation((...secrets: readonly (Uint8Array | undefined)[]) => {
      for (const secret of secrets) {
        found.add(hex(secret));
        secret?.fill(0);
      }
    });
    return found;
  }
  /** The keys of messages under a chain key of nines. */
  function messageKeys(count: number): string[] {
    const chain = new SendChain(new Uint8Array(32).fill(9));
    return Array.from({ length: count }, () => hex(chain.next().key));
  }

  it('every chain key with the step that follows it, and what the step computed', () => {
    const [sending, receiving] = [new Uint8Array(32).fill(9), new Uint8Array(32).fill(9)];
    const [send, receive] = [new SendChain(sending), new ReceiveChain(receiving)];
    vi.mocked(expandInfo).mockClear();
    send.next();
    receive.take(3);
    expect([isErased(sending), isErased(receiving)]).toEqual([true, true]);
    const computed = vi.mocked(expandInfo).mock.results.map(({ value }) => value as Bytes);
    expect(erasedOf(computed)).toEqual({ all: 5, erased: 5 });
  });

  it('the keys of overtaken messages that it does without', () => {
    const expected = messageKeys(MAX_SKIPPED_KEYS + 1);
    const chain = new ReceiveChain(new Uint8Array(32).fill(9));
    const found = overwritten();
    const gone = () => expected.filter((key) => found.has(key));
    chain.take(MAX_SKIPPED_KEYS);
    expect(gone()).toEqual([]);
    chain.forgetOldest();
    expect(gone()).toEqual(expected.slice(0, 1));
    chain.take(MAX_SKIPPED_KEYS + 3);
    expect(gone()).toEqual(expected.slice(0, 2));
    chain.erase();
    expect(gone()).toEqual(expected.slice(0, MAX_SKIPPED_KEYS));
  });

  it('nothing of a message whose key was handed out', () => {
    const [first] = messageKeys(1);
    const chain = new ReceiveChain(new Uint8Array(32).fill(9));
    chain.take(1);
    const found = overwritten();
    expect(hex(chain.take(0).key)).toBe(first);
    chain.erase();
    expect(found.has(first as string)).toBe(false);
  });
});

/** The first sections of a payload. */
function sectionsUpTo(payload: Bytes, count: number): Bytes {
  const reader = new Reader(payload);
  for (let i = 0; i < count; i++) {
    reader.u8();
    reader.variable();
  }
  return payload.slice(0, payload.length - reader.remaining);
}
