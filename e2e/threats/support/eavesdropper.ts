import { createDecipheriv, createHash, createHmac } from 'node:crypto';

/**
 * Somebody with a recording of everything that went over the relay and some of the secrets, who tries to read it. Written from
 * docs/protocol.md with Node's cryptography and none of the SDK's code: what it reads, a second implementation reads.
 */

export interface RecordedFrame {
  /** Seat of the sender, as the relay knows it. */
  from: string;
  body: Uint8Array;
}

/** What the eavesdropper was given; what it lacks it replaces by zeros. */
export interface Loot {
  psk?: Buffer;
  /** Shared secret of a session's X-Wing, from its key halves or otherwise. */
  kemSecret(m1: Buffer, m2: Buffer): Buffer;
  /** K_qkd of a session. */
  agreedKey?: Buffer;
  roomId: Buffer;
  generation: number;
}

/** What both sides counted and named at the end of the key agreement: in the transcript, and no secret. */
export interface Counted {
  errors: number;
  sampled: number;
  provenance: string;
  keyId: string;
}

const ZEROS = Buffer.alloc(32);
export const sha256 = (...parts: readonly Uint8Array[]): Buffer =>
  parts.reduce((digest, part) => digest.update(part), createHash('sha256')).digest();
export const hmac = (key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer =>
  parts.reduce((digest, part) => digest.update(part), createHmac('sha256', key)).digest();
export const u32 = (value: number): Buffer => {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value);
  return out;
};
const variable = (bytes: Uint8Array): Buffer => Buffer.concat([u32(bytes.length), bytes]);

/** HKDF-Expand-Label (RFC 8446 §7.1, RFC 5869 §2.3) with this protocol's prefix. */
export function expandLabel(secret: Uint8Array, label: string, context: Uint8Array, length = 32): Buffer {
  const name = Buffer.from(`qsec2 v1 ${label}`);
  const info = Buffer.concat([
    Buffer.from([length >> 8, length & 0xff, name.length]),
    name,
    Buffer.from([context.length]),
    context,
  ]);
  let block: Buffer = Buffer.alloc(0);
  let out: Buffer = Buffer.alloc(0);
  for (let i = 1; out.length < length; i++) {
    block = hmac(secret, block, info, Buffer.from([i]));
    out = Buffer.concat([out, block]);
  }
  return out.subarray(0, length);
}

export function openBox(key: Uint8Array, nonce: Uint8Array, box: Uint8Array, additionalData: Uint8Array): Buffer | undefined {
  if (box.length < 16) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(additionalData).setAuthTag(box.subarray(-16));
  try {
    return Buffer.concat([decipher.update(box.subarray(0, -16)), decipher.final()]);
  } catch {
    // Not sealed with this key: the answer to the only question asked here.
    return undefined;
  }
}

export const unpad = (padded: Buffer): Buffer => padded.subarray(4, 4 + padded.readUInt32BE(0));

export const counterNonce = (counter: number): Buffer => Buffer.concat([Buffer.alloc(8), u32(counter)]);

export function guarded(nonce: Uint8Array, guard: Uint8Array): Buffer {
  return Buffer.from(nonce).map((byte, i) => byte ^ (guard[i] ?? 0)) as Buffer;
}

/** Steps a chain from its key at counter `from` to the key and nonce of `counter`. */
export function messageKey(chainKey: Uint8Array, from: number, counter: number): { key: Buffer; nonce: Buffer } | undefined {
  let chain: Buffer = Buffer.from(chainKey);
  for (let at = from; at <= counter; at++) {
    const okm = expandLabel(chain, 'step', Buffer.alloc(0), 76);
    if (at === counter) return { key: okm.subarray(32, 64), nonce: okm.subarray(64) };
    chain = okm.subarray(0, 32);
  }
  return undefined;
}

interface Session {
  sid: Buffer;
  m1: Buffer;
  m2: Buffer;
  m3: Buffer;
  flights: Buffer[];
}

/** Sessions of a recording whose handshake went as far as its flights. */
export function sessionsIn(frames: readonly RecordedFrame[]): Session[] {
  const sessions = new Map<string, Partial<Session> & { flights: Buffer[] }>();
  for (const { body } of frames) {
    if (body[1] !== 1) continue;
    const frame = Buffer.from(body);
    const sid = frame.subarray(2, 18);
    const session = sessions.get(sid.toString('hex')) ?? { sid, flights: [] };
    sessions.set(sid.toString('hex'), session);
    for (let at = 18; at < frame.length; ) {
      const [kind, length] = [frame.readUInt8(at), frame.readUInt32BE(at + 1)];
      const content = frame.subarray(at + 5, at + 5 + length);
      at += 5 + length;
      if (kind === 1) session.m1 = content;
      else if (kind === 2) session.m2 = content;
      else if (kind === 3) session.m3 = content;
      else if (kind === 4) session.flights.push(content);
    }
  }
  return [...sessions.values()].filter((session): session is Session => Boolean(session.m1 && session.m2 && session.m3));
}

const CIPHERTEXT = 1120;

export interface Opened {
  hs: Buffer;
  th2: Buffer;
  thF: Buffer;
  policyA: Buffer;
  policyB: Buffer;
  idA: Buffer;
  idB: Buffer;
  rA: Buffer;
  sas: Buffer;
  /** Plaintext flights of the last attempt. */
  flights: Buffer[];
  attempt: number;
}

/** Reads the handshake and the key agreement's flights of a session, if the loot suffices for that. */
export function openHandshake({ m1, m2, m3, flights }: Session, { psk = ZEROS, kemSecret }: Loot): Opened | undefined {
  const es = hmac(ZEROS, psk);
  const hs = hmac(expandLabel(es, 'derived', Buffer.alloc(0)), kemSecret(m1, m2));
  const [exchange, boxB] = [m2.subarray(0, CIPHERTEXT + 32), m2.subarray(CIPHERTEXT + 32)];
  const th2 = sha256(m1, exchange);
  const th3 = sha256(th2, boxB);
  const proofB = openBox(expandLabel(hs, 'b hs', th2), Buffer.alloc(12), boxB, Buffer.from('mb'));
  const proofA = openBox(expandLabel(hs, 'a hs', th3), Buffer.alloc(12), m3, Buffer.from('ma'));
  if (!proofA || !proofB) return undefined;
  const [a, b] = [readProof(unpad(proofA), 32), readProof(unpad(proofB), 0)];
  const thF = sha256(th3, m3);
  const agreed = openFlights(flights, hs, thF);
  if (!agreed) return undefined;
  const sas = expandLabel(hs, 'sas', sha256(th2, b.identity, a.identity, a.rA), 6);
  return {
    hs,
    th2,
    thF,
    policyA: a.policy,
    policyB: b.policy,
    idA: a.identity,
    idB: b.identity,
    rA: a.rA,
    sas,
    ...agreed,
  };
}

/** Plaintext of an agreement's flights, those of its last attempt, if the secret is the one they descend from. */
export function openFlights(
  flights: readonly Buffer[],
  secret: Buffer,
  transcript: Buffer,
): Pick<Opened, 'flights' | 'attempt'> | undefined {
  const opened: Buffer[] = [];
  let attempt = 0;
  for (const flight of flights) {
    const [number, header] = [flight.readUInt8(1), flight.subarray(0, 2)];
    if (flight.readUInt8(0) !== attempt) opened.length = 0;
    attempt = flight.readUInt8(0);
    const label = number === 1 ? 'qc' : number % 2 === 1 ? 'bb a' : 'bb b';
    const key = expandLabel(secret, label, Buffer.concat([transcript, Buffer.from([attempt])]));
    const plain = openBox(key, counterNonce(number === 1 ? 0 : (number >> 1) - 1), flight.subarray(2), header);
    if (!plain) return undefined;
    opened.push(unpad(plain));
  }
  return { flights: opened, attempt };
}

function readProof(proof: Buffer, nonceBytes: number): { policy: Buffer; rA: Buffer; identity: Buffer } {
  const length = proof.readUInt32BE(0);
  const behind = 4 + length;
  return {
    policy: proof.subarray(4, behind),
    rA: proof.subarray(behind, behind + nonceBytes),
    identity: proof.subarray(behind + nonceBytes, behind + nonceBytes + 32),
  };
}

export interface Root {
  master: Buffer;
  transcript: Buffer;
  thQ: Buffer;
  root: Buffer;
  m4: Buffer;
  m5: Buffer;
}

/** Hash of what both sides said and counted in an agreement. */
export function saidIn({ flights, attempt }: Pick<Opened, 'flights' | 'attempt'>, counted: Counted): Buffer {
  const { errors, sampled, provenance, keyId } = counted;
  const counts = [Buffer.from([attempt]), u32(errors), u32(sampled)];
  return sha256(...flights.map(variable), ...counts, variable(Buffer.from(provenance)), variable(Buffer.from(keyId)));
}

/** From the handshake and the agreed key to the root of the pair. */
export function deriveRoot(opened: Opened, counted: Counted, agreedKey: Buffer = ZEROS): Root {
  const thQ = sha256(saidIn(opened, counted), variable(opened.policyA), variable(opened.policyB));
  const transcript = sha256(opened.thF, thQ);
  const master = hmac(expandLabel(opened.hs, 'derived', Buffer.alloc(0)), agreedKey);
  return {
    master,
    transcript,
    thQ,
    root: expandLabel(master, 'pair root', transcript),
    m4: hmac(expandLabel(master, 'confirm b', transcript), Buffer.from('M4')),
    m5: hmac(expandLabel(master, 'confirm a', transcript), Buffer.from('M5')),
  };
}

/** Content of a pair frame of pair epoch 0, if the root is right. */
export function openPairFrame(body: Uint8Array, { root, transcript }: Root, roomId: Buffer): Buffer | undefined {
  const frame = Buffer.from(body).subarray(2);
  const [sid, epoch, counter] = [frame.subarray(0, 16), frame.readUInt32BE(16), frame.readUInt32BE(20)];
  const [guard, box, mac] = [frame.subarray(24, 28), frame.subarray(28, -16), frame.subarray(-16)];
  for (const direction of ['a>b', 'b>a']) {
    const authenticated = Buffer.concat([roomId, variable(Buffer.from(direction)), frame.subarray(0, -16)]);
    if (
      !hmac(expandLabel(root, `mac ${direction}`, transcript), authenticated)
        .subarray(0, 16)
        .equals(mac)
    )
      continue;
    const keys = messageKey(expandLabel(root, `pair ${direction}`, transcript), 0, counter);
    const bound = Buffer.concat([roomId, sid, u32(epoch), variable(Buffer.from(direction)), u32(counter)]);
    const plain = keys && openBox(keys.key, guarded(keys.nonce, guard), box, bound);
    if (plain) return unpad(plain);
  }
  return undefined;
}

export interface Announced {
  epoch: number;
  epochId: Buffer;
  counter: number;
  seed: Buffer;
  signingKey: Buffer;
  roster: Buffer;
}

/** The announcement inside a pair frame's content, if that is what it is. */
export function readAnnouncement(content: Buffer): Announced | undefined {
  if (content[0] !== 1) return undefined;
  const at = content.subarray(5);
  return {
    epoch: at.readUInt32BE(0),
    epochId: at.subarray(4, 12),
    counter: at.readUInt32BE(12),
    seed: at.subarray(16, 48),
    signingKey: at.subarray(48, 80),
    roster: at.subarray(80, 112),
  };
}

/** Plaintext of a group frame sealed by `identity` in the announced epoch. */
export function openGroupFrame(body: Uint8Array, announced: Announced, identity: Buffer, roomId: Buffer): Buffer | undefined {
  const frame = Buffer.from(body).subarray(2);
  const [header, box] = [frame.subarray(0, 20), frame.subarray(20, -64)];
  if (!header.subarray(0, 8).equals(announced.epochId)) return undefined;
  const keys = messageKey(announced.seed, announced.counter, header.readUInt32BE(12));
  const bound = Buffer.concat([roomId, identity, u32(announced.epoch), announced.roster, Buffer.from([2, 3]), header]);
  const plain = keys && openBox(keys.key, guarded(keys.nonce, header.subarray(16, 20)), box, bound);
  return plain && unpad(plain);
}

/** Everything that the loot opens: contents of pair frames and of group frames. */
export function eavesdrop(frames: readonly RecordedFrame[], loot: Loot, counted: readonly Counted[]): Buffer[] {
  const contents: Buffer[] = [];
  for (const session of sessionsIn(frames)) {
    const opened = openHandshake(session, loot);
    if (!opened) continue;
    const roots = counted.map((each) => deriveRoot(opened, each, loot.agreedKey));
    const pairFrames = frames.filter(({ body }) => body[1] === 2 && session.sid.equals(body.subarray(2, 18)));
    const inside = pairFrames.flatMap(({ body }) =>
      roots.map((root) => openPairFrame(body, root, loot.roomId)).filter((c) => c !== undefined),
    );
    const announcements = inside.map(readAnnouncement).filter((a) => a !== undefined);
    const groupFrames = frames.filter(({ body }) => body[1] === 3);
    for (const announced of announcements) {
      for (const identity of [opened.idA, opened.idB]) {
        const texts = groupFrames.map(({ body }) => openGroupFrame(body, announced, identity, loot.roomId));
        contents.push(...texts.filter((text) => text !== undefined));
      }
    }
    contents.push(...inside);
  }
  return contents;
}
