import { QsecError } from '../errors.ts';
import { versionMismatch } from '../version.ts';
import { type Bytes, concat, equalBytes, Reader, SEAT_BYTES, utf8, Writer } from '../wire/index.ts';
import { FIRST_NONCE, open, seal } from './aead.ts';
import { PUBLIC_KEY_BYTES as IDENTITY_BYTES, importVerificationKey, SIGNATURE_BYTES, type SigningKey } from './identity.ts';
import { erase, expandLabel, extract, HASH_BYTES, hash, mac, NOTHING, purpose } from './key-schedule.ts';
import { pad, padme, unpad } from './padding.ts';
import { randomBytes } from './random.ts';
import { shortAuthenticationString } from './safety-number.ts';
import { CIPHERTEXT_BYTES, encapsulate, generateKeyPair, PUBLIC_KEY_BYTES as KEM_PUBLIC_BYTES, type KeyPair } from './x-wing.ts';

/**
 * The authenticated key exchange, messages M1 to M3: SIGMA-I (Krawczyk 2003) over X-Wing with the invite's secret mixed in as
 * an external PSK (RFC 8773), on the key schedule of TLS 1.3. Byte layouts: docs/protocol.md.
 *
 * A is who sends M1. Nothing here is negotiated: another version or suite byte is refused.
 */

/** Raised with every layout inside a handshake that has no version of its own, BB84's flights among them. */
export const HANDSHAKE_VERSION = 1;
export const SUITE = 1;
const ROOM_ID_BYTES = 16;
export const SID_BYTES = 16;
const NONCE_BYTES = 32;
const M1_BYTES = 2 + ROOM_ID_BYTES + 4 + SID_BYTES + 2 * SEAT_BYTES + KEM_PUBLIC_BYTES + HASH_BYTES + HASH_BYTES;
const POLICY_LIMIT = 4096;
/** What a box is padded to: the length of a policy, with the label of the room in it, is not the relay's business. */
const PROOF_BYTES = 1024;

/** One side's part in a handshake. */
export interface Party {
  /** From the invite: EL(P, "psk", …). */
  psk: Bytes;
  roomId: Bytes;
  generation: number;
  identity: SigningKey;
  seat: Bytes;
  peerSeat: Bytes;
  /** What this side demands, encoded; the peer gets it inside its box. */
  policy: Bytes;
  /** Called with the peer's proven identity before anything more is sent. Throws to refuse. */
  accept(peer: Peer): void | Promise<void>;
  /** Made ahead, for this handshake alone; who answers needs none. */
  keyPair?: Promise<KeyPair>;
}

export interface Peer {
  /** Ed25519 public key, 32 bytes, proven by a signature over the transcript. */
  identity: Bytes;
  policy: Bytes;
}

/** What both sides hold after M3. */
export interface HandshakeSecrets {
  role: 'a' | 'b';
  sid: Bytes;
  /** The handshake secret that everything later descends from. */
  hs: Bytes;
  /** Hash of the whole transcript M1…M3. */
  thF: Bytes;
  peer: Peer;
  policyA: Bytes;
  policyB: Bytes;
  /** 42 bits for people to compare; to be shown only after the confirmations. */
  sas: Bytes;
}

interface M1Fields {
  sid: Bytes;
  seatA: Bytes;
  seatB: Bytes;
  publicKey: Bytes;
  commitment: Bytes;
}

/** The side that sends M1 and M3. */
export class Initiator {
  readonly sid: Bytes;
  readonly m1: Bytes;
  readonly #party: Party;
  readonly #keyPair: KeyPair;
  readonly #rA: Bytes;

  private constructor(party: Party, sid: Bytes, m1: Bytes, keyPair: KeyPair, rA: Bytes) {
    this.#party = party;
    this.sid = sid;
    this.m1 = m1;
    this.#keyPair = keyPair;
    this.#rA = rA;
  }

  static async start(party: Party): Promise<Initiator> {
    const keyPair = await (party.keyPair ?? generateKeyPair());
    const sid = randomBytes(SID_BYTES);
    const rA = randomBytes(NONCE_BYTES);
    const body = new Writer()
      .u8(HANDSHAKE_VERSION)
      .u8(SUITE)
      .fixed(party.roomId)
      .u32(party.generation)
      .fixed(sid)
      .fixed(party.seat)
      .fixed(party.peerSeat)
      .fixed(keyPair.publicKey)
      .fixed(commit(rA, party.identity.publicKey))
      .bytes();
    return new Initiator(party, sid, concat(body, binder(party.psk, body)), keyPair, rA);
  }

  /**
   * Checks M2 and answers it. An M2 that proves nothing changes nothing: the genuine one may still come.
   * @throws {QsecError} `HANDSHAKE_FAILED` when the peer does not prove itself, or what `accept` throws
   */
  async receiveM2(m2: Uint8Array): Promise<{ m3: Bytes; secrets: HandshakeSecrets }> {
    const { identity, policy: policyA, psk } = this.#party;
    const reader = new Reader(m2);
    const ciphertext = reader.fixed(CIPHERTEXT_BYTES);
    const rB = reader.fixed(NONCE_BYTES);
    const boxB = reader.rest();

    const th2 = hash(this.m1, ciphertext, rB);
    const hs = handshakeSecret(psk, await this.#keyPair.decapsulate(ciphertext));
    const peer = await openProof('b', hs, th2, boxB);
    await this.#party.accept(peer);
    this.destroy();

    const th3 = hash(th2, boxB);
    const m3 = await sealProof('a', hs, th3, identity, policyA, this.#rA);
    const sas = shortAuthenticationString(hs, hash(th2, peer.identity, identity.publicKey, this.#rA));
    return {
      m3,
      secrets: { role: 'a', sid: this.sid, hs, thF: hash(th3, m3), peer, policyA, policyB: peer.policy, sas },
    };
  }

  /** Overwrites the private key: no M2 can be read any more. */
  destroy(): void {
    this.#keyPair.destroy();
  }
}

/** The side that answers M1 with M2. */
export class Responder {
  readonly sid: Bytes;
  readonly m2: Bytes;
  readonly #party: Party;
  readonly #commitment: Bytes;
  readonly #hs: Bytes;
  readonly #th2: Bytes;
  readonly #th3: Bytes;

  private constructor(party: Party, fields: M1Fields, m2: Bytes, hs: Bytes, th2: Bytes, th3: Bytes) {
    this.sid = fields.sid;
    this.#commitment = fields.commitment;
    this.#party = party;
    this.m2 = m2;
    this.#hs = hs;
    this.#th2 = th2;
    this.#th3 = th3;
  }

  /** @throws {QsecError} `HANDSHAKE_FAILED` unless M1 is for this seat and comes from someone with the invite */
  static async answer(party: Party, m1: Uint8Array): Promise<Responder> {
    const fields = readM1(party, m1);
    const { ciphertext, sharedSecret } = await encapsulate(fields.publicKey);
    const rB = randomBytes(NONCE_BYTES);
    const th2 = hash(m1, ciphertext, rB);
    const hs = handshakeSecret(party.psk, sharedSecret);
    const boxB = await sealProof('b', hs, th2, party.identity, party.policy, NOTHING);
    return new Responder(party, fields, concat(ciphertext, rB, boxB), hs, th2, hash(th2, boxB));
  }

  /** @throws {QsecError} `HANDSHAKE_FAILED` when the peer does not prove itself, or what `accept` throws */
  async receiveM3(m3: Uint8Array): Promise<HandshakeSecrets> {
    const { identity, policy: policyB } = this.#party;
    const peer = await openProof('a', this.#hs, this.#th3, m3);
    // The commitment was made before B's nonce was known, so A cannot have searched for a matching SAS.
    if (!equalBytes(this.#commitment, commit(peer.rA, peer.identity))) {
      throw refused('The other side does not open the commitment it made.');
    }
    await this.#party.accept(peer);
    const sas = shortAuthenticationString(this.#hs, hash(this.#th2, identity.publicKey, peer.identity, peer.rA));
    const thF = hash(this.#th3, m3);
    return { role: 'b', sid: this.sid, hs: this.#hs, thF, peer, policyA: peer.policy, policyB, sas };
  }
}

function readM1({ roomId, generation, seat, peerSeat, psk }: Party, m1: Uint8Array): M1Fields {
  const reader = new Reader(m1);
  // Before the length: another version may have another one.
  const version = reader.u8();
  const suite = reader.u8();
  if (version !== HANDSHAKE_VERSION) throw versionMismatch({ what: 'handshake', theirs: version, ours: HANDSHAKE_VERSION });
  if (suite !== SUITE) throw versionMismatch({ what: 'suite', theirs: suite, ours: SUITE });
  // The transcript would differ on bytes behind M1 too, but only once M2 is made and sent.
  if (m1.length !== M1_BYTES) throw refused(`M1 has ${m1.length} bytes instead of ${M1_BYTES}.`);
  if (!equalBytes(reader.fixed(ROOM_ID_BYTES), roomId)) throw refused('M1 is for another room.');
  if (reader.u32() !== generation) throw refused('M1 comes from a link that is no longer valid.');
  const sid = reader.fixed(SID_BYTES).slice();
  const seatA = reader.fixed(SEAT_BYTES);
  const seatB = reader.fixed(SEAT_BYTES);
  if (!equalBytes(seatA, peerSeat) || !equalBytes(seatB, seat))
    throw refused('M1 names other seats than the ones it travelled between.');
  const publicKey = reader.fixed(KEM_PUBLIC_BYTES);
  const commitment = reader.fixed(HASH_BYTES).slice();
  const expected = binder(psk, m1.subarray(0, M1_BYTES - HASH_BYTES));
  if (!equalBytes(expected, reader.fixed(HASH_BYTES))) throw refused('The other side does not know the secret of the invite.');
  return { sid, seatA, seatB, publicKey, commitment };
}

/** The session id of an M1, to route it before it is checked. */
export function sidOfM1(m1: Uint8Array): Bytes {
  const reader = new Reader(m1);
  reader.fixed(2 + ROOM_ID_BYTES + 4);
  return reader.fixed(SID_BYTES);
}

/** es = Extract(0, psk): what a member without the invite cannot compute. */
const earlySecret = (psk: Bytes): Bytes => extract(new Uint8Array(HASH_BYTES), psk);

const binder = (psk: Bytes, m1Body: Uint8Array): Bytes => mac(expandLabel(earlySecret(psk), 'ext binder', NOTHING), hash(m1Body));

const commit = (rA: Bytes, identity: Bytes): Bytes => hash(purpose('sas commit'), rA, identity);

function handshakeSecret(psk: Bytes, sharedSecret: Bytes): Bytes {
  const hs = extract(expandLabel(earlySecret(psk), 'derived', NOTHING), sharedSecret);
  erase(sharedSecret);
  return hs;
}

/** Seals { policy | rA (from A only) | identity | signature | Finished }, padded, under the key of this flight, used once. */
async function sealProof(
  from: 'a' | 'b',
  hs: Bytes,
  transcript: Bytes,
  identity: SigningKey,
  policy: Bytes,
  rA: Bytes,
): Promise<Bytes> {
  const key = expandLabel(hs, `${from} hs`, transcript);
  const signature = await identity.sign(`handshake ${from}`, hash(transcript, policy, rA, identity.publicKey));
  const finished = finishedMac(key, transcript, identity.publicKey, signature);
  const content = new Writer().variable(policy).fixed(rA).fixed(identity.publicKey).fixed(signature).fixed(finished).bytes();
  const padded = pad(content, Math.max(PROOF_BYTES, padme(4 + content.length)));
  const box = await seal(key, FIRST_NONCE, padded, utf8(`m${from}`));
  erase(key, content, padded);
  return box;
}

async function openProof(from: 'a' | 'b', hs: Bytes, transcript: Bytes, box: Uint8Array): Promise<Peer & { rA: Bytes }> {
  const key = expandLabel(hs, `${from} hs`, transcript);
  const reader = new Reader(unpad(await open(key, FIRST_NONCE, box, utf8(`m${from}`))));
  const policy = reader.variable(POLICY_LIMIT).slice();
  const rA = reader.fixed(from === 'a' ? NONCE_BYTES : 0).slice();
  const identity = reader.fixed(IDENTITY_BYTES).slice();
  const signature = reader.fixed(SIGNATURE_BYTES);
  const finished = reader.fixed(HASH_BYTES);
  reader.end();
  const verifier = await importVerificationKey(identity);
  if (!(await verifier.verify(`handshake ${from}`, hash(transcript, policy, rA, identity), signature))) {
    throw refused('The signature of the other side over the handshake is wrong.');
  }
  if (!equalBytes(finished, finishedMac(key, transcript, identity, signature))) {
    throw refused('The other side closed the handshake with a wrong MAC.');
  }
  erase(key);
  return { identity, policy, rA };
}

const finishedMac = (key: Bytes, transcript: Bytes, identity: Bytes, signature: Uint8Array): Bytes =>
  mac(expandLabel(key, 'finished', NOTHING), hash(transcript, identity, signature));

const refused = (message: string): QsecError => new QsecError('HANDSHAKE_FAILED', message);
