import { createCipheriv, createPublicKey, verify } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  deriveRoot,
  expandLabel,
  hmac,
  messageKey,
  openBox,
  openFlights,
  openGroupFrame,
  openHandshake,
  openPairFrame,
  readAnnouncement,
  saidIn,
  sessionsIn,
  sha256,
  u32,
} from '../threats/support/eavesdropper.ts';
import { buildLab } from '../threats/support/lab.ts';
import { KEY_FROM_ELSEWHERE, OBSERVE } from '../threats/support/sources.ts';
import { DETERMINISTIC, DRAWN_KEYS, draw } from './deterministic.ts';
import { FILE_CONTENT, makeVectors, type Vectors } from './make-vectors.ts';

/** The committed vectors: the SDK makes them again, and cryptography that is not the SDK's agrees with every value. */

const FILE = fileURLToPath(new URL('../../packages/sdk/vectors/qs2.json', import.meta.url));
const b = (text: string): Buffer => Buffer.from(text, 'hex');
const NOTHING = Buffer.alloc(0);
const purpose = (name: string): Buffer => Buffer.from(`qsec2 v1 ${name}\0`);

function isSignedBy(publicKey: Buffer, about: string, message: Buffer, signature: Buffer): boolean {
  const key = createPublicKey({ key: Buffer.concat([b('302a300506032b6570032100'), publicKey]), format: 'der', type: 'spki' });
  return verify(null, Buffer.concat([purpose(about), message]), key, signature);
}

let vectors: Vectors;
beforeAll(async () => {
  if (process.env.QSEC2_WRITE_VECTORS) {
    const lab = await buildLab({ edits: [...OBSERVE, ...DRAWN_KEYS], replacements: { ...DETERMINISTIC, ...KEY_FROM_ELSEWHERE } });
    globalThis.__qsec2Observed = [];
    await writeFile(FILE, `${JSON.stringify(await makeVectors(lab), null, 2)}\n`);
  }
  vectors = JSON.parse(await readFile(FILE, 'utf8')) as Vectors;
});

describe('the SDK', () => {
  it('makes the committed vectors from the same random bytes', async () => {
    const lab = await buildLab({ edits: [...OBSERVE, ...DRAWN_KEYS], replacements: { ...DETERMINISTIC, ...KEY_FROM_ELSEWHERE } });
    globalThis.__qsec2Observed = [];
    expect(await makeVectors(lab)).toEqual(vectors);
  });
});

describe('cryptography that is not the SDK’s', () => {
  it('derives what an invite leads to', () => {
    const { roomId, secret, creator, code, generation, psk, relayRoom, relayToken } = vectors.invite;
    const P = hmac(Buffer.from('qsec2 v1 invite'), b(secret));
    const context = Buffer.concat([b(roomId), u32(generation)]);
    expect(expandLabel(P, 'psk', context).toString('hex')).toBe(psk);
    expect(expandLabel(P, 'relay room', context, 16).toString('hex')).toBe(relayRoom);
    expect(expandLabel(P, 'relay token', context).toString('hex')).toBe(relayToken);
    const packed = Buffer.concat([Buffer.from([1]), u32(generation), b(roomId), b(secret), b(creator)]);
    expect(code).toBe(`q2.${packed.toString('base64url')}`);
    expect(sha256(purpose('fingerprint'), b(vectors.members.b.identity)).subarray(0, 16).toString('hex')).toBe(creator);
  });

  it('finds in M1 what it says, bound by the invite', () => {
    const { handshake, invite, members } = vectors;
    const m1 = b(handshake.m1);
    const { publicKey } = ml_kem768_x25519.keygen(draw(6, 32));
    const commitment = sha256(purpose('sas commit'), b(handshake.rA), b(members.a.identity));
    const body = Buffer.concat([
      Buffer.from([1, 1]),
      b(invite.roomId),
      u32(invite.generation),
      b(handshake.sid),
      b(members.a.seat),
      b(members.b.seat),
      publicKey,
      commitment,
    ]);
    const es = hmac(Buffer.alloc(32), b(invite.psk));
    expect(m1.subarray(0, -32).toString('hex')).toBe(body.toString('hex'));
    expect(m1.subarray(-32)).toEqual(hmac(expandLabel(es, 'ext binder', NOTHING), sha256(body)));
  });

  it('decapsulates M2 to the same secret', () => {
    const { handshake, rekeying } = vectors;
    const { secretKey } = ml_kem768_x25519.keygen(draw(6, 32));
    expect(Buffer.from(ml_kem768_x25519.decapsulate(b(handshake.m2).subarray(0, 1120), secretKey)).toString('hex')).toBe(
      handshake.kemSecret,
    );
    expect(rekeying.kemSecret).not.toBe(handshake.kemSecret);
  });

  function read() {
    const { handshake, invite, agreement } = vectors;
    const frames = handshake.payloads.map((payload) => ({
      from: '',
      body: Buffer.concat([b('0201'), b(handshake.sid), b(payload)]),
    }));
    const [session] = sessionsIn(frames);
    const loot = { psk: b(invite.psk), kemSecret: () => b(handshake.kemSecret), roomId: b(invite.roomId), generation: 0 };
    const opened = session && openHandshake(session, loot);
    if (!session || !opened) throw new Error('the handshake does not open');
    return { session, opened, root: deriveRoot(opened, agreement, b(agreement.agreedKey)) };
  }

  it('opens both proofs and the flights, and comes to the same transcripts, SAS and root', () => {
    const { handshake, agreement, members } = vectors;
    const { opened, root, session } = read();
    expect(opened).toMatchObject({ hs: b(handshake.hs), th2: b(handshake.th2), thF: b(handshake.thF), sas: b(handshake.sas) });
    expect(opened).toMatchObject({ policyA: b(members.a.policy), policyB: b(members.b.policy), idA: b(members.a.identity) });
    expect(opened.flights.map((flight) => flight.toString('hex'))).toEqual(agreement.flights);
    expect(root).toMatchObject({ thQ: b(agreement.thQ), transcript: b(agreement.transcript), root: b(agreement.root) });
    const last = (payload: string | undefined) => b(payload ?? '').subarray(-32);
    expect([root.m4, root.m5]).toEqual([last(handshake.payloads.at(-2)), last(handshake.payloads.at(-1))]);

    for (const side of ['a', 'b'] as const) {
      const transcript = side === 'a' ? sha256(opened.th2, session.m2.subarray(1152)) : opened.th2;
      const key = expandLabel(opened.hs, `${side} hs`, transcript);
      const proof = openBox(
        key,
        Buffer.alloc(12),
        side === 'a' ? session.m3 : session.m2.subarray(1152),
        Buffer.from(`m${side}`),
      );
      if (!proof) throw new Error('a proof does not open');
      const content = proof.subarray(4, 4 + proof.readUInt32BE(0));
      const [signature, finished] = [content.subarray(-96, -32), content.subarray(-32)];
      const [policy, rA] = side === 'a' ? [opened.policyA, opened.rA] : [opened.policyB, NOTHING];
      const identity = side === 'a' ? opened.idA : opened.idB;
      expect(isSignedBy(identity, `handshake ${side}`, sha256(transcript, policy, rA, identity), signature)).toBe(true);
      expect(finished).toEqual(hmac(expandLabel(key, 'finished', NOTHING), sha256(transcript, identity, signature)));
      expect(content.length).toBe(4 + policy.length + rA.length + 32 + 64 + 32);
    }
  });

  it('opens the pair frame and the group frame, and checks the signature', () => {
    const { group, invite, members, pair } = vectors;
    const { root } = read();
    expect(messageKey(expandLabel(root.root, 'pair a>b', root.transcript), 0, 0)?.key.toString('hex')).toBe(pair.key0);
    const content = openPairFrame(b(pair.frame), root, b(invite.roomId));
    expect(content?.toString('hex')).toBe(pair.content);
    const announced = readAnnouncement(b(pair.content));
    if (!announced) throw new Error('no epoch was announced');
    const identity = b(members.a.identity);
    expect(openGroupFrame(b(group.frame), announced, identity, b(invite.roomId))?.toString('hex')).toBe(group.content);
    const sorted = [members.a.identity, members.b.identity].sort().map(b);
    const label = Buffer.from('qsec2 v1 roster');
    expect(sha256(u32(label.length), label, u32(0), ...sorted).toString('hex')).toBe(group.roster);
    const [header, box] = [b(group.frame).subarray(2, 22), b(group.frame).subarray(22, -64)];
    const bound = Buffer.concat([b(invite.roomId), identity, u32(announced.epoch), announced.roster, b('0203'), header]);
    expect(isSignedBy(announced.signingKey, 'group frame', Buffer.concat([bound, box]), b(group.frame).subarray(-64))).toBe(true);
    expect(header.subarray(8, 12)).toEqual(sha256(announced.epochId, identity).subarray(0, 4));
    const id = sha256(purpose('message id'), identity, b(group.content).subarray(1, 17)).subarray(0, 16);
    expect(id.toString('hex')).toBe(group.messageId);
  });

  it('checks the signed orders, and finds the room that a removal leads to', () => {
    const { invite, members, orders } = vectors;
    const [a, creator, roomId] = [b(members.a.identity), b(members.b.identity), b(invite.roomId)];
    const signed = (about: string, order: string, before: Buffer, signer: Buffer) =>
      isSignedBy(signer, about, Buffer.concat([before, b(order).subarray(0, -64)]), b(order).subarray(-64));
    expect(signed('room policy', orders.roomPolicy, roomId, creator)).toBe(true);
    // n | approve | capacity | label | one delegate: A may approve and lock | creator
    const label = Buffer.from('The mill');
    const fields = [u32(1), b('0002'), u32(label.length), label, b('01'), a, b('03'), creator];
    expect(b(orders.roomPolicy).subarray(0, -64)).toEqual(Buffer.concat(fields));

    const admission = b(orders.admissionOfA);
    const vouched = Buffer.concat([roomId, u32(invite.generation), a, admission.subarray(0, 4)]);
    expect(admission.subarray(4, 36)).toEqual(creator);
    expect(isSignedBy(creator, 'admission', vouched, admission.subarray(36))).toBe(true);

    expect(signed('lock', orders.lock, roomId, a)).toBe(true);
    expect(b(orders.lock).subarray(0, -64)).toEqual(Buffer.concat([u32(3), b('01'), a]));

    expect(signed('removal', orders.removalOfA, roomId, creator)).toBe(true);
    const secret = b(orders.renewed.secret);
    const commitment = sha256(purpose('renewed secret'), roomId, secret);
    const removal = [u32(4), u32(invite.generation + 1), a, commitment, creator];
    expect(b(orders.removalOfA).subarray(0, -64)).toEqual(Buffer.concat(removal));
    const context = Buffer.concat([roomId, u32(invite.generation + 1)]);
    const extracted = hmac(Buffer.from('qsec2 v1 invite'), secret);
    expect(expandLabel(extracted, 'psk', context).toString('hex')).toBe(orders.renewed.psk);
    expect(expandLabel(extracted, 'relay room', context, 16).toString('hex')).toBe(orders.renewed.relayRoom);
    expect(expandLabel(extracted, 'relay token', context, 32).toString('hex')).toBe(orders.renewed.relayToken);
  });

  it('comes to the same root after a light rekeying', () => {
    const { pair, rekeying } = vectors;
    const [r1, answer] = [b(rekeying.r1).subarray(5), b(rekeying.answer)];
    const ciphertext = answer.subarray(5, 5 + 1120);
    const th = sha256(r1, ciphertext);
    const mid = hmac(expandLabel(b(pair.rekeySecret), 'rekey', th), b(rekeying.kemSecret));
    const root = expandLabel(mid, 'pair root', th);
    expect([th.toString('hex'), root.toString('hex')]).toEqual([rekeying.transcript, rekeying.root]);
    expect(answer.subarray(-32)).toEqual(hmac(expandLabel(root, 'rekey b', th), Buffer.from('R2')));
    expect(b(rekeying.r3).subarray(-32)).toEqual(hmac(expandLabel(root, 'rekey a', th), Buffer.from('R3')));
  });

  it('comes to the same root after a full rekeying', () => {
    const { pair, fullRekeying } = vectors;
    const sections = fullRekeying.payloads.flatMap((payload) => [...sectionsOf(b(payload))]);
    const contents = (kind: number) => sections.filter((section) => section.kind === kind).map(({ content }) => content);
    const [[r1], [ciphertext], flights, confirmations] = [contents(1), contents(2), contents(3), contents(4)];
    if (!r1 || !ciphertext) throw new Error('R1 and R2 have to be there');
    expect(r1.subarray(0, 5)).toEqual(b('0000000101'));
    const th = sha256(r1, ciphertext);
    const mid = hmac(expandLabel(b(pair.rekeySecret), 'rekey', th), b(fullRekeying.kemSecret));
    const opened = openFlights(flights, mid, th);
    if (!opened) throw new Error('the flights do not open');
    expect(opened.flights).toHaveLength(2);
    const transcript = sha256(th, saidIn(opened, fullRekeying));
    const master = hmac(expandLabel(mid, 'derived', NOTHING), b(fullRekeying.agreedKey));
    const root = expandLabel(master, 'pair root', transcript);
    expect([transcript.toString('hex'), root.toString('hex')]).toEqual([fullRekeying.transcript, fullRekeying.root]);
    expect(confirmations).toEqual([
      hmac(expandLabel(root, 'rekey b', transcript), Buffer.from('R2')),
      hmac(expandLabel(root, 'rekey a', transcript), Buffer.from('R3')),
    ]);
  });

  it('seals the same file, chunk by chunk', () => {
    const { file } = vectors;
    const [id, secret] = [b(file.id), b(file.secret)];
    const derive = (label: string) => Buffer.from(hkdfExpand(secret, Buffer.concat([purpose(`file ${label}`), id])));
    expect(derive('commitment').toString('hex')).toBe(file.commitment);
    const padded = Buffer.alloc(71_680);
    padded.set(FILE_CONTENT);
    const boxes = [padded.subarray(0, 65_536), padded.subarray(65_536)].map((chunk, n, all) => {
      const nonce = Buffer.alloc(12);
      nonce[10] = n;
      nonce[11] = n === all.length - 1 ? 1 : 0;
      const cipher = createCipheriv('aes-256-gcm', derive('key'), nonce).setAAD(id);
      return Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()]);
    });
    expect(boxes.map(({ length }) => length)).toEqual(file.lengths);
    const digest = sha256(purpose('file digest'), id, b(file.commitment), ...boxes.map((box) => sha256(box)));
    expect(digest.toString('hex')).toBe(file.digest);
  });
});

/** kind u8 | length u32 | content, one after the other. */
function* sectionsOf(payload: Buffer): Generator<{ kind: number; content: Buffer }> {
  for (let at = 0; at < payload.length; ) {
    const end = at + 5 + payload.readUInt32BE(at + 1);
    yield { kind: payload.readUInt8(at), content: payload.subarray(at + 5, end) };
    at = end;
  }
}

/** HKDF-Expand of one block (RFC 5869 §2.3). */
const hkdfExpand = (secret: Buffer, info: Buffer): Buffer => hmac(secret, Buffer.concat([info, Buffer.of(1)]));
