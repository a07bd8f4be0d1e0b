import { beforeAll, describe, expect, it } from 'vitest';
import type { Bytes } from '../wire/index.ts';
import type { Attachment } from './attachment.ts';
import { decodeGroupContent, decodePairContent, encodeGroupContent, encodePairContent } from './content.ts';
import { Initiator, type Party, Responder } from './handshake.ts';
import { fingerprint, generateSigningKey, type SigningKey } from './identity.ts';
import { Invite } from './invite.ts';
import { readRemoval, signLock, signRemoval, verifyLock } from './orders.ts';
import { decodeMemberPolicy, encodeMemberPolicy, signRoomPolicy, verifyRoomPolicy } from './policy.ts';
import { randomBytes } from './random.ts';
import { decodeAnnouncement, encodeAnnouncement } from './sender-key.ts';

/** What is read is kept for long, and the bytes it was read from are not: a transport may use them again, and secrets in them are erased. */

let signer: SigningKey;
let invite: Invite;
beforeAll(async () => {
  signer = await generateSigningKey();
  const creator = fingerprint(signer.publicKey);
  invite = new Invite({ generation: 0, roomId: randomBytes(16), secret: randomBytes(32), creator });
});

/** Reads, then overwrites what was read from. */
async function afterwards<T>(encoded: Bytes, read: (bytes: Bytes) => T | Promise<T>): Promise<{ value: T; expected: T }> {
  const bytes = encoded.slice();
  const value = await read(bytes);
  bytes.fill(0xee);
  return { value, expected: await read(encoded) };
}

const [id, target] = [randomBytes(16), randomBytes(16)];
const head = { id, index: 7, sentAt: 1_700_000_000_000 };
const attachment: Attachment = {
  id,
  secret: randomBytes(32),
  commitment: randomBytes(32),
  digest: randomBytes(32),
  size: 10,
  name: 'a.png',
  type: 'image/png',
  thumbnail: randomBytes(9),
};
const announcement = {
  epoch: 1,
  epochId: randomBytes(8),
  counter: 0,
  seed: randomBytes(32),
  signingKey: randomBytes(32),
  rosterHash: randomBytes(32),
  previousCount: 0,
};

describe('does not change with the bytes it was read from:', () => {
  it.each<Parameters<typeof encodeGroupContent>[0]>([
    { kind: 'text', ...head, replyTo: target, text: 'hi' },
    { kind: 'file', ...head, attachment },
    {
      kind: 'voice',
      ...head,
      attachment: { ...attachment, thumbnail: new Uint8Array(0), durationMs: 5, peaks: randomBytes(3) },
    },
    { kind: 'edit', ...head, target, text: 'hi' },
    { kind: 'heartbeat', heads: [{ member: target, next: 1, epoch: 1 }], roster: randomBytes(32) },
  ])('content for everyone, of kind $kind', async (content) => {
    const { value, expected } = await afterwards(encodeGroupContent(content), decodeGroupContent);
    expect(value).toEqual(expected);
  });

  it.each<Parameters<typeof encodePairContent>[0]>([
    { kind: 'sender-key', announcement, name: 'Ana', first: 3 },
    { kind: 'receipt', ids: [target] },
    { kind: 'read', ids: [target] },
    { kind: 'obeyed', names: [target] },
    { kind: 'resend', content: randomBytes(5) },
    { kind: 'admission', admission: randomBytes(100) },
    { kind: 'credentials', admission: randomBytes(100) },
    { kind: 'policy', policy: randomBytes(90) },
    { kind: 'rekey', payload: randomBytes(5) },
    { kind: 'removal', order: randomBytes(168), secret: randomBytes(32), admission: randomBytes(100) },
    { kind: 'lock', order: randomBytes(101) },
  ])('content for one member, of kind $kind', async (content) => {
    const { value, expected } = await afterwards(encodePairContent(content), decodePairContent);
    expect(value).toEqual(expected);
    expect(value).toEqual(content);
  });

  it('an announced key', async () => {
    const { value, expected } = await afterwards(encodeAnnouncement(announcement), decodeAnnouncement);
    expect(value).toEqual(expected);
  });

  it('what a member demands', async () => {
    const agreement = { required: false, source: 'etsi014', pulses: 4, threshold: 0.05 } as const;
    const said = { agreement, room: randomBytes(90), lock: randomBytes(101), admission: randomBytes(100), name: 'Bo' };
    const { value, expected } = await afterwards(encodeMemberPolicy(said), decodeMemberPolicy);
    expect(value).toEqual(expected);
    expect(value).toEqual(said);
  });

  it('who made a room and whom it trusts, and who locked it', async () => {
    const fields = { n: 1, join: 'auto', capacity: 4, name: '', delegates: [{ identity: randomBytes(32), rights: ['lock'] }] };
    const room = await afterwards((await signRoomPolicy(invite, signer, fields as never)).encoded, (bytes) =>
      verifyRoomPolicy(invite, bytes),
    );
    expect({ ...room.value, encoded: undefined }).toEqual({ ...room.expected, encoded: undefined });
    const powers = { creator: signer.publicKey, delegates: [] };
    const lock = await afterwards((await signLock(invite, signer, 1, true)).encoded, (bytes) =>
      verifyLock(invite, powers, bytes),
    );
    expect(lock.value?.signer).toEqual(signer.publicKey);
  });

  it('a removal', async () => {
    const { encoded } = (await signRemoval(invite, signer, randomBytes(32), 1)).removal;
    const { value, expected } = await afterwards(encoded, readRemoval);
    expect({ ...value, encoded: undefined }).toEqual({ ...expected, encoded: undefined });
  });

  it('an invite', () => {
    const fields = { generation: 0, roomId: randomBytes(16), secret: randomBytes(32), creator: randomBytes(16) };
    const made = new Invite(fields);
    const { code } = made;
    for (const field of [fields.roomId, fields.secret, fields.creator]) field.fill(0xee);
    expect(made.code).toBe(code);
  });

  it('what B remembers of M1', async () => {
    const [seatA, seatB] = [randomBytes(16), randomBytes(16)];
    const common = {
      psk: randomBytes(32),
      roomId: randomBytes(16),
      generation: 0,
      accept: () => undefined,
      policy: randomBytes(8),
    };
    const a: Party = { ...common, identity: signer, seat: seatA, peerSeat: seatB };
    const b: Party = { ...common, identity: await generateSigningKey(), seat: seatB, peerSeat: seatA };
    const initiator = await Initiator.start(a);
    const m1 = initiator.m1.slice();
    const responder = await Responder.answer(b, m1);
    m1.fill(0xee);
    expect(responder.sid).toEqual(initiator.sid);
    const { m3, secrets } = await initiator.receiveM2(responder.m2);
    expect((await responder.receiveM3(m3)).hs).toEqual(secrets.hs);
  });
});
