import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { KeyParty, KeySource } from '../key-source/types.ts';
import { type Bytes, compareBytes, concat } from '../wire/index.ts';
import { decodePairContent, encodeGroupContent, encodePairContent, messageId } from './content.ts';
import { encodeFrame, FRAME_TYPE } from './frame.ts';
import { fingerprint, generateSigningKey, type SigningKey } from './identity.ts';
import { Invite } from './invite.ts';
import { isAdmitted, signAdmission, signLock, signRemoval, verifyLock, verifyRemoval } from './orders.ts';
import { PairChannel } from './pair-channel.ts';
import { Pairing, type PairingOptions, type PairSecrets } from './pairing.ts';
import { encodeMemberPolicy, signRoomPolicy, verifyRoomPolicy } from './policy.ts';
import { randomBytes } from './random.ts';
import { Rekeying, type RekeyingOptions } from './rekeying.ts';
import { deriveRoomKeys } from './room-keys.ts';
import { emojiOf, safetyNumber } from './safety-number.ts';
import { rosterHash, SenderKey } from './sender-key.ts';

/**
 * The conversation of the committed vectors, made again step by step from the same random bytes: what two of our own sides agree on may
 * still be another protocol than the one of docs/protocol.md. `e2e/vectors` checks the same values with cryptography that is not ours.
 */

const draws = vi.hoisted(() => ({ next: 0, make: (_number: number, _length: number): Uint8Array => new Uint8Array(0) }));
vi.mock('./random.ts', () => ({ randomBytes: (length: number) => draws.make(draws.next++, length) }));
// The platform's ML-KEM takes no randomness from outside.
vi.mock('./ml-kem-platform.ts', () => ({ platformMlKem: async () => undefined }));

/** Byte string number n: SHA-256(label | u32 n | u32 0) | SHA-256(label | u32 n | u32 1) | … */
draws.make = (number, length) => {
  const blocks: Uint8Array[] = [];
  for (let block = 0; block * 32 < length; block++) {
    const counter = new Uint8Array(8);
    new DataView(counter.buffer).setUint32(0, number);
    new DataView(counter.buffer).setUint32(4, block);
    blocks.push(createHash('sha256').update('qsec2 test vectors').update(counter).digest());
  }
  return concat(...blocks).slice(0, length);
};

/** Signing keys are drawn, too: PKCS #8 (RFC 8410 §7) around 32 bytes. */
async function drawnKey(): Promise<CryptoKeyPair> {
  const prefix = new Uint8Array([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20]);
  const privateKey = await crypto.subtle.importKey('pkcs8', concat(prefix, randomBytes(32)), 'Ed25519', true, ['sign']);
  const { x } = await crypto.subtle.exportKey('jwk', privateKey);
  const jwk = { kty: 'OKP', crv: 'Ed25519', ...(x !== undefined && { x }) };
  return { privateKey, publicKey: await crypto.subtle.importKey('jwk', jwk, 'Ed25519', true, ['verify']) };
}

const file = new URL('../../vectors/qs2.json', import.meta.url);
const vectors = JSON.parse(readFileSync(file, 'utf8'));
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');
const bytes = (text: string): Bytes => new Uint8Array(Buffer.from(text, 'hex'));

/** Both sides have the key from elsewhere, as quantum hardware gives it. */
function keyFromElsewhere(): KeySource {
  const side = (sends: boolean) => (): KeyParty => ({
    result: undefined as KeyParty['result'],
    failure: undefined,
    sampled: 0,
    errors: 0,
    on: () => () => undefined,
    next(this: { result: unknown }, flight?: Uint8Array) {
      if (flight) this.result = { key: bytes(vectors.agreement.agreedKey), report: {} };
      return sends && flight ? undefined : Uint8Array.of(1, 2, 3);
    },
  });
  return { kind: 'bb84', provenance: 'hardware', alice: side(true), bob: side(false), flightBound: () => 64 };
}

/** Carries payloads to and fro until there is no answer. */
async function carry(first: Bytes, to: readonly ((payload: Bytes) => Promise<Bytes | undefined>)[]): Promise<string[]> {
  const payloads = [hex(first)];
  let payload: Bytes | undefined = first;
  for (let turn = 0; payload; turn++) {
    payload = await to[turn % to.length]?.(payload);
    if (payload) payloads.push(hex(payload));
  }
  return payloads;
}

const agreement = { required: true, source: 'bb84', pulses: 32_768, threshold: 0.11 } as const;
const NOTHING: Bytes = new Uint8Array(0);
const [roomId, secret, creator] = ['roomId', 'secret', 'creator'].map((field) => bytes(vectors.invite[field])) as [
  Bytes,
  Bytes,
  Bytes,
];
const invite = new Invite({ generation: 0, roomId, secret, creator });
const members = { a: bytes(vectors.members.a.identity), b: bytes(vectors.members.b.identity) };
/** The numbers of the draws, in the order of the conversation. */
const DRAW = {
  identities: 0,
  invite: 2,
  pairing: 6,
  senderKey: 11,
  pairGuard: 14,
  text: 15,
  rekeying: 17,
  renewed: 19,
  full: 22,
};

let a: SigningKey;
let b: SigningKey;
beforeAll(async () => {
  vi.spyOn(crypto.subtle, 'generateKey').mockImplementation(drawnKey as never);
  draws.next = DRAW.identities;
  [a, b] = [await generateSigningKey(), await generateSigningKey()];
});
afterAll(() => void vi.restoreAllMocks());

/** The whole handshake, and what both sides hold then. */
async function paired(): Promise<{ payloads: string[]; atA: PairSecrets; atB: PairSecrets }> {
  draws.next = DRAW.pairing;
  const seats = { a: bytes(vectors.members.a.seat), b: bytes(vectors.members.b.seat) };
  const common = { psk: deriveRoomKeys(invite).psk, roomId, generation: 0, agreement, keySource: keyFromElsewhere() };
  const silent = { accept: () => undefined, onStage: () => undefined };
  const options = (side: 'a' | 'b'): PairingOptions => {
    const [identity, peerSeat] = side === 'a' ? [a, seats.b] : [b, seats.a];
    return { ...common, ...silent, identity, seat: seats[side], peerSeat, policy: bytes(vectors.members[side].policy) };
  };
  const begun = await Pairing.initiate(options('a'));
  const answered = await Pairing.respond(options('b'), begun.payload);
  const sides = [begun.pairing, answered.pairing].map((side) => (payload: Bytes) => side.receive(payload));
  const payloads = [hex(begun.payload), ...(await carry(answered.payload, sides))];
  return { payloads, atA: begun.pairing.result as PairSecrets, atB: answered.pairing.result as PairSecrets };
}

describe('the committed vectors say', () => {
  it('what an invite is and leads to', () => {
    draws.next = DRAW.invite;
    expect([randomBytes(16), randomBytes(32)]).toEqual([roomId, secret]);
    expect(fingerprint(members.b)).toEqual(creator);
    expect(invite.code).toBe(vectors.invite.code);
    expect(Invite.parse(vectors.invite.code)).toEqual(invite);
    const { psk, relayRoom, relayToken } = deriveRoomKeys(invite);
    expect([psk, relayRoom, relayToken].map(hex)).toEqual([
      vectors.invite.psk,
      vectors.invite.relayRoom,
      vectors.invite.relayToken,
    ]);
  });

  it('who the members are and which numbers they compare', () => {
    expect([a.publicKey, b.publicKey]).toEqual([members.a, members.b]);
    expect(safetyNumber(roomId, members.a, members.b)).toBe(vectors.members.safetyNumber);
    expect(safetyNumber(roomId, members.b, members.a)).toBe(vectors.members.safetyNumber);
    expect(emojiOf(bytes(vectors.handshake.sas)).map(({ name }) => name)).toEqual(vectors.handshake.emoji);
  });

  it('how a member and the creator say what they demand', async () => {
    const delegates = [{ identity: members.a, rights: ['approve', 'lock'] as const }];
    const room = { n: 1, join: 'auto', capacity: 2, name: 'The mill', delegates } as const;
    const signed = await signRoomPolicy(invite, b, room);
    expect(hex(signed.encoded)).toBe(vectors.orders.roomPolicy);
    expect(await verifyRoomPolicy(invite, signed.encoded)).toEqual(signed);
    const own = { agreement, lock: NOTHING, admission: NOTHING };
    expect(hex(encodeMemberPolicy({ ...own, room: NOTHING, name: 'Ana' }))).toBe(vectors.members.a.policy);
    expect(hex(encodeMemberPolicy({ ...own, room: signed.encoded, name: 'Bo' }))).toBe(vectors.members.b.policy);
  });

  it('every payload of a handshake, and what both sides hold afterwards', async () => {
    const { payloads, atA, atB } = await paired();
    expect(payloads).toEqual(vectors.handshake.payloads);
    for (const secrets of [atA, atB]) {
      expect(hex(secrets.sid)).toBe(vectors.handshake.sid);
      expect(hex(secrets.sas)).toBe(vectors.handshake.sas);
      expect(hex(secrets.transcript)).toBe(vectors.agreement.transcript);
      expect(hex(secrets.root)).toBe(vectors.agreement.root);
    }
    expect([atA.peer.identity, atB.peer.identity]).toEqual([members.b, members.a]);
    expect([atA.shown, atB.shown].map(hex)).toEqual([vectors.members.a.policy, vectors.members.b.policy]);
    expect([atA.peer.policy, atB.peer.policy].map(hex)).toEqual([vectors.members.b.policy, vectors.members.a.policy]);
  });

  it('the frames for one member and for everyone', async () => {
    const { atA, atB } = await paired();
    const [toB, fromA] = [new PairChannel(roomId, atA), new PairChannel(roomId, atB)];
    expect(hex(toB.rekeySecret)).toBe(vectors.pair.rekeySecret);
    const roster = rosterHash(0, [members.a, members.b].sort(compareBytes));
    expect(hex(roster)).toBe(vectors.group.roster);
    draws.next = DRAW.senderKey;
    const sender = await SenderKey.create(roomId, members.a, roster, undefined);
    const { announcement } = sender;
    const announced = encodePairContent({ kind: 'sender-key', announcement, name: 'Ana', first: 0 });
    expect(hex(announced)).toBe(vectors.pair.content);
    expect(decodePairContent(announced)).toEqual({ kind: 'sender-key', announcement, name: 'Ana', first: 0 });
    draws.next = DRAW.pairGuard;
    const sealed = await toB.seal(announced);
    expect(hex(encodeFrame(FRAME_TYPE.pair, sealed))).toBe(vectors.pair.frame);
    expect(hex(await fromA.open(sealed))).toBe(vectors.pair.content);

    draws.next = DRAW.text;
    const id = randomBytes(16);
    const text = { kind: 'text', id, index: 0, sentAt: 1_700_000_000_000, text: 'noon at the mill' } as const;
    const content = encodeGroupContent(text);
    expect(hex(content)).toBe(vectors.group.content);
    expect(hex(messageId(members.a, id))).toBe(vectors.group.messageId);
    expect(hex(encodeFrame(FRAME_TYPE.group, await sender.seal(content)))).toBe(vectors.group.frame);
  });

  it.each([
    ['light', DRAW.rekeying, vectors.rekeying],
    ['full', DRAW.full, vectors.fullRekeying],
  ])('every payload of a %s rekeying, and the root it leads to', async (how, draw, expected) => {
    const options = (role: 'a' | 'b'): RekeyingOptions => {
      const common = { epoch: 1, secret: bytes(vectors.pair.rekeySecret), keySource: keyFromElsewhere() };
      return { ...common, role, agreement: { own: agreement, theirs: agreement }, onStage: () => undefined };
    };
    draws.next = draw;
    const begun = await Rekeying.initiate(options('a'), how === 'full');
    const answered = await Rekeying.respond(options('b'), begun.payload);
    const roots = answered.step.result ? [answered.step.result] : [];
    const sides = [begun.rekeying, answered.rekeying].map((side) => async (payload: Bytes) => {
      const { payload: answer, result } = await side.receive(payload);
      if (result) roots.push(result);
      return answer;
    });
    const payloads = [hex(begun.payload), ...(await carry(answered.step.payload as Bytes, sides))];
    expect(payloads).toEqual(expected.payloads ?? [expected.r1, expected.answer, expected.r3]);
    const ending = { epoch: 1, root: expected.root, transcript: expected.transcript };
    const found = roots.map(({ epoch, root, transcript }) => ({ epoch, root: hex(root), transcript: hex(transcript) }));
    expect(found).toEqual([ending, ending]);
  });

  it('the signed orders, and where a removal leads', async () => {
    const { orders } = vectors;
    const powers = { creator: members.b, delegates: [{ identity: members.a, rights: ['approve', 'lock'] as const }] };
    const admission = await signAdmission(invite, b, members.a, 2);
    expect(hex(admission)).toBe(orders.admissionOfA);
    expect(await isAdmitted(invite, powers, members.a, admission)).toBe(true);
    const lock = await signLock(invite, a, 3, true);
    expect(hex(lock.encoded)).toBe(orders.lock);
    expect(await verifyLock(invite, powers, lock.encoded)).toEqual(lock);
    draws.next = DRAW.renewed;
    const { removal, renewed } = await signRemoval(invite, b, members.a, 4);
    expect(hex(removal.encoded)).toBe(orders.removalOfA);
    expect(await verifyRemoval(invite, powers, removal.encoded)).toEqual(removal);
    expect([hex(renewed.secret), renewed.code]).toEqual([orders.renewed.secret, orders.renewed.code]);
    const { psk, relayRoom, relayToken } = deriveRoomKeys(renewed);
    const { renewed: keys } = orders;
    expect([psk, relayRoom, relayToken].map(hex)).toEqual([keys.psk, keys.relayRoom, keys.relayToken]);
  });
});
