import { beforeAll, describe, expect, it } from 'vitest';
import { type Bytes, concat, Reader, utf8, Writer } from '../wire/index.ts';
import { FIRST_NONCE, seal } from './aead.ts';
import { Initiator, type Party, Responder } from './handshake.ts';
import { generateSigningKey } from './identity.ts';
import { expandLabel, extract, hash, mac, NOTHING, purpose } from './key-schedule.ts';
import { pad } from './padding.ts';
import { randomBytes } from './random.ts';
import { CIPHERTEXT_BYTES, encapsulate, generateKeyPair, PUBLIC_KEY_BYTES } from './x-wing.ts';

/**
 * Every refusal of M1, M2 and M3, each with a message that is right in all but one thing.
 * The peers here are written after docs/protocol.md, § 4, and hold the invite: what they seal opens.
 */

let a: Party;
let b: Party;
beforeAll(async () => {
  const common = { psk: randomBytes(32), roomId: randomBytes(16), generation: 3, accept: () => undefined };
  const [seatA, seatB] = [randomBytes(16), randomBytes(16)];
  a = { ...common, identity: await generateSigningKey(), seat: seatA, peerSeat: seatB, policy: randomBytes(8) };
  b = { ...common, identity: await generateSigningKey(), seat: seatB, peerSeat: seatA, policy: randomBytes(9) };
});

const refusal = (message: string | RegExp, code = 'HANDSHAKE_FAILED') =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

const changed = (bytes: Uint8Array, at: number): Bytes => {
  const copy = concat(bytes);
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
};

/** What a peer may say otherwise than it should in its proof. */
interface Lie {
  /** Another opening of the commitment. */
  rA?: Bytes;
  /** What goes into the box, after everything in it was computed. */
  content?: (content: Bytes) => Bytes;
  /** Over what the signature is made. */
  signed?: (transcript: Bytes) => Bytes;
  /** From whom the signature says that it is. */
  signs?: string;
  finished?: (mac: Bytes) => Bytes;
}

const handshakeSecret = (psk: Bytes, shared: Bytes): Bytes =>
  extract(expandLabel(extract(new Uint8Array(32), psk), 'derived', NOTHING), shared);

async function proof(from: 'a' | 'b', { identity, policy }: Party, hs: Bytes, th: Bytes, rA: Bytes, lie: Lie): Promise<Bytes> {
  const key = expandLabel(hs, `${from} hs`, th);
  const signed = hash(th, policy, rA, identity.publicKey);
  const signature = await identity.sign(lie.signs ?? `handshake ${from}`, lie.signed?.(signed) ?? signed);
  const finished = mac(expandLabel(key, 'finished', NOTHING), hash(th, identity.publicKey, signature));
  const content = new Writer()
    .variable(policy)
    .fixed(rA)
    .fixed(identity.publicKey)
    .fixed(signature)
    .fixed(lie.finished?.(finished) ?? finished)
    .bytes();
  return seal(key, FIRST_NONCE, pad(lie.content?.(content) ?? content, 1024), utf8(`m${from}`));
}

/** An A of our own against the real B: M1, and M3 with one lie in it. */
async function m3With(lie: Lie, answering = b): Promise<{ responder: Responder; m3: Bytes }> {
  const keyPair = await generateKeyPair();
  const rA = randomBytes(32);
  const body = new Writer()
    .u8(1)
    .u8(1)
    .fixed(a.roomId)
    .u32(a.generation)
    .fixed(randomBytes(16))
    .fixed(a.seat)
    .fixed(a.peerSeat)
    .fixed(keyPair.publicKey)
    .fixed(hash(purpose('sas commit'), rA, a.identity.publicKey))
    .bytes();
  const m1 = concat(body, mac(expandLabel(extract(new Uint8Array(32), a.psk), 'ext binder', NOTHING), hash(body)));
  const responder = await Responder.answer(answering, m1);
  const reader = new Reader(responder.m2);
  const ciphertext = reader.fixed(CIPHERTEXT_BYTES);
  const th2 = hash(m1, ciphertext, reader.fixed(32));
  const hs = handshakeSecret(a.psk, await keyPair.decapsulate(ciphertext));
  const m3 = await proof('a', a, hs, hash(th2, reader.rest()), lie.rA ?? rA, lie);
  return { responder, m3 };
}

/** A B of our own against the real A: M2 with one lie in it. */
async function m2With(lie: Lie): Promise<{ initiator: Initiator; m2: Bytes }> {
  const initiator = await Initiator.start(a);
  const { m1 } = initiator;
  const { ciphertext, sharedSecret } = await encapsulate(m1.subarray(70, 70 + PUBLIC_KEY_BYTES));
  const rB = randomBytes(32);
  const hs = handshakeSecret(b.psk, sharedSecret);
  const box = await proof('b', b, hs, hash(m1, ciphertext, rB), NOTHING, lie);
  return { initiator, m2: concat(ciphertext, rB, box) };
}

describe('M1 is refused', () => {
  it.each<[string, (m1: Bytes) => Bytes, ReturnType<typeof refusal>]>([
    [
      'of a later version',
      (m1) => concat(Uint8Array.of(2), m1.subarray(1)),
      refusal('handshake 2, and here 1', 'VERSION_MISMATCH'),
    ],
    ['of an earlier version', (m1) => concat(Uint8Array.of(0), m1.subarray(1)), refusal('handshake 0, and', 'VERSION_MISMATCH')],
    ['of another suite', (m1) => concat(Uint8Array.of(1, 2), m1.subarray(2)), refusal('suite 2, and here 1', 'VERSION_MISMATCH')],
    [
      'of another version and length, as one of another version',
      () => Uint8Array.of(2, 1),
      refusal('handshake 2', 'VERSION_MISMATCH'),
    ],
    ['without a byte', () => new Uint8Array(0), refusal('truncated', 'INVALID_ARGUMENT')],
    ['with a byte too many', (m1) => concat(m1, new Uint8Array(1)), refusal('M1 has 1351 bytes instead of 1350')],
    ['with a byte too few', (m1) => m1.slice(0, -1), refusal('M1 has 1349 bytes instead of 1350')],
    ['with a changed binder', (m1) => changed(m1, 1349), refusal('does not know the secret of the invite')],
    ['with a changed commitment', (m1) => changed(m1, 1286), refusal('does not know the secret of the invite')],
    ['with a changed public key', (m1) => changed(m1, 70), refusal('does not know the secret of the invite')],
  ])('%s', async (_, forge, expected) => {
    const { m1 } = await Initiator.start(a);
    await expect(Responder.answer(b, forge(m1))).rejects.toEqual(expected);
  });

  it.each<[string, () => Partial<Party>, string]>([
    ['for another room', () => ({ roomId: randomBytes(16) }), 'M1 is for another room'],
    ['from an earlier link', () => ({ generation: 2 }), 'a link that is no longer valid'],
    ['from another seat than it names', () => ({ seat: randomBytes(16) }), 'names other seats'],
    ['for another seat than it reached', () => ({ peerSeat: randomBytes(16) }), 'names other seats'],
    [
      'from somebody without the secret of the invite',
      () => ({ psk: randomBytes(32) }),
      'does not know the secret of the invite',
    ],
  ])('%s, though its binder is right', async (_, change, message) => {
    const { m1 } = await Initiator.start({ ...a, ...change() });
    await expect(Responder.answer(b, m1)).rejects.toEqual(refusal(message));
  });

  it('with a public key that X-Wing does not have, though its binder is right', async () => {
    const keyPair = { ...(await generateKeyPair()), publicKey: new Uint8Array(PUBLIC_KEY_BYTES).fill(255) };
    const { m1 } = await Initiator.start({ ...a, keyPair: Promise.resolve(keyPair) });
    await expect(Responder.answer(b, m1)).rejects.toEqual(refusal('not an ML-KEM-768 public key'));
  });
});

/** What no honest peer seals, and how it is refused, in M2 as in M3. */
const lies: [string, Lie, ReturnType<typeof refusal>][] = [
  ['a signature over something else', { signed: () => randomBytes(32) }, refusal('signature .* is wrong')],
  ['a signature made for something else', { signs: 'room policy' }, refusal('signature .* is wrong')],
  ['a wrong MAC behind a right signature', { finished: (right) => changed(right, 31) }, refusal('wrong MAC')],
  ['something behind its end', { content: (all) => concat(all, randomBytes(1)) }, refusal('1 unexpected', 'INVALID_ARGUMENT')],
  ['an end too early', { content: (all) => all.slice(0, -1) }, refusal('truncated', 'INVALID_ARGUMENT')],
  ['a policy too long', { content: () => new Writer().u32(4097).bytes() }, refusal('exceeds its limit', 'INVALID_ARGUMENT')],
];

describe('M3 of a member who holds the invite and the keys is', () => {
  it('accepted with nothing wrong in it', async () => {
    const { responder, m3 } = await m3With({});
    await expect(responder.receiveM3(m3)).resolves.toMatchObject({ role: 'b', peer: { identity: a.identity.publicKey } });
  });

  it.each(lies)('refused with %s', async (_, lie, expected) => {
    const { responder, m3 } = await m3With(lie);
    await expect(responder.receiveM3(m3)).rejects.toEqual(expected);
  });

  it('refused with another random value than it committed to, which may have been searched for', async () => {
    const { responder, m3 } = await m3With({ rA: randomBytes(32) });
    await expect(responder.receiveM3(m3)).rejects.toEqual(refusal('does not open the commitment'));
  });

  it('refused before its identity is judged', async () => {
    const judged: unknown[] = [];
    const judging = { ...b, accept: (peer: unknown) => void judged.push(peer) };
    const { responder, m3 } = await m3With({ rA: randomBytes(32) }, judging);
    await expect(responder.receiveM3(m3)).rejects.toEqual(refusal('does not open the commitment'));
    expect(judged).toEqual([]);
    const honest = await m3With({}, judging);
    await honest.responder.receiveM3(honest.m3);
    expect(judged).toHaveLength(1);
  });
});

describe('M2 of a member who holds the invite and the keys is', () => {
  it('accepted with nothing wrong in it', async () => {
    const { initiator, m2 } = await m2With({});
    const { secrets } = await initiator.receiveM2(m2);
    expect(secrets).toMatchObject({ role: 'a', peer: { identity: b.identity.publicKey } });
  });

  it.each(lies)('refused with %s', async (_, lie, expected) => {
    const { initiator, m2 } = await m2With(lie);
    await expect(initiator.receiveM2(m2)).rejects.toEqual(expected);
  });

  it('refused once the private key of M1 is overwritten', async () => {
    const { initiator, m2 } = await m2With({});
    initiator.destroy();
    await expect(initiator.receiveM2(m2)).rejects.toEqual(refusal('These keys were destroyed', 'CLOSED'));
  });
});

describe('the box of a proof', () => {
  it.each([
    [0, 1024],
    // A length 4, the policy's 4, identity 32, signature 64 and MAC 32 go with it.
    [1024 - 136, 1024],
    [1025 - 136, 1088],
    [4096, 4352],
  ])('with a policy of %i bytes has %i in M2, whatever it says', async (length, padded) => {
    const initiator = await Initiator.start(a);
    const { m2 } = await Responder.answer({ ...b, policy: randomBytes(length) }, initiator.m1);
    expect(m2.length).toBe(CIPHERTEXT_BYTES + 32 + padded + 16);
    const { secrets, m3 } = await initiator.receiveM2(m2);
    expect(secrets.policyB).toHaveLength(length);
    expect(m3).toHaveLength(1024 + 16);
  });

  it('is refused when it was sealed for the other direction', async () => {
    const { responder } = await m3With({});
    await expect(responder.receiveM3(responder.m2.subarray(CIPHERTEXT_BYTES + 32))).rejects.toEqual(refusal('does not open'));
  });
});
