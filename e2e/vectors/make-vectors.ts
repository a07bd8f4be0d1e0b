import { chunkDigest, FileDigest } from '../../packages/sdk/src/media/file-digest.ts';
import { fileKey, sealChunk } from '../../packages/sdk/src/media/file-key.ts';
import { CHUNK_BYTES, chunkCount, paddedBytes } from '../../packages/sdk/src/media/layout.ts';
import { openFile } from '../../packages/sdk/src/media/open.ts';
import type { RekeyingOptions } from '../../packages/sdk/src/protocol/rekeying.ts';
import {
  counterNonce,
  deriveRoot,
  expandLabel,
  messageKey,
  openHandshake,
  readAnnouncement,
  sessionsIn,
} from '../threats/support/eavesdropper.ts';
import type { Lab } from '../threats/support/lab.ts';
import { KEY_FROM_ELSEWHERE_COUNTED as COUNTED } from '../threats/support/sources.ts';
import { rewind } from './deterministic.ts';

/** One conversation of QS2 from its random bytes to its frames, made by the SDK; every value in hexadecimal. */

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, 'hex'));

/** Two chunks of content. */
export const FILE_CONTENT = Uint8Array.from({ length: 70_000 }, (_, i) => i % 251);

/** A sealed file, which the SDK opens again. */
async function fileVectors(id: Uint8Array<ArrayBuffer>, secret: Uint8Array<ArrayBuffer>) {
  const key = await fileKey(id, secret);
  const size = FILE_CONTENT.length;
  const padded = new Uint8Array(paddedBytes(size));
  padded.set(FILE_CONTENT);
  const digest = new FileDigest(key);
  const boxes: Uint8Array[] = [];
  for (let at = 0; at < chunkCount(size); at++) {
    const chunk = padded.slice(at * CHUNK_BYTES, (at + 1) * CHUNK_BYTES);
    const box = await sealChunk(key, at, at === chunkCount(size) - 1, chunk);
    digest.add(await chunkDigest(box));
    boxes.push(box);
  }
  const sealed = { id, secret, commitment: key.commitment, digest: digest.finish(), size };
  const opened = await new Response(openFile(streamOf(boxes), sealed)).arrayBuffer();
  if (!Buffer.from(opened).equals(Buffer.from(FILE_CONTENT))) throw new Error('the SDK does not open what it sealed');
  return {
    id: hex(id),
    secret: hex(secret),
    commitment: hex(key.commitment),
    size,
    lengths: boxes.map(({ length }) => length),
    digest: hex(sealed.digest),
  };
}

const streamOf = (boxes: readonly Uint8Array[]) =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const box of boxes) controller.enqueue(box);
      controller.close();
    },
  });

/** A rekeying with an agreement in it, payload by payload, and the root that both sides come to. */
async function renewFully({ Rekeying }: Lab['protocol'], a: RekeyingOptions, b: RekeyingOptions) {
  const begun = await Rekeying.initiate(a, true);
  const answered = await Rekeying.respond(b, begun.payload);
  const steps = [answered.step];
  for (let to = begun.rekeying; steps.at(-1)?.payload; to = to === begun.rekeying ? answered.rekeying : begun.rekeying)
    steps.push(await to.receive(steps.at(-1)?.payload as Uint8Array));
  const results = steps.flatMap(({ result }) => (result ? [result] : []));
  const [result, other] = results;
  if (!result || !other || hex(result.root) !== hex(other.root)) throw new Error('the rekeying came to no common root');
  return { ...result, payloads: [begun.payload, ...steps.flatMap(({ payload }) => (payload ? [payload] : []))] };
}

export async function makeVectors(lab: Lab) {
  rewind();
  const { protocol, wire } = lab;
  const { Pairing, PairChannel, SenderKey, Rekeying, randomBytes, generateSigningKey, fingerprint } = protocol;

  const identityA = await generateSigningKey();
  const identityB = await generateSigningKey();
  const [roomId, secret, seatA, seatB] = [randomBytes(16), randomBytes(32), randomBytes(16), randomBytes(16)];
  const invite = new lab.Invite({ generation: 0, roomId, secret, creator: fingerprint(identityB.publicKey) });
  const roomKeys = protocol.deriveRoomKeys(invite);
  const roomPolicy = await protocol.signRoomPolicy(invite, identityB, {
    n: 1,
    join: 'auto',
    capacity: 2,
    name: 'The mill',
    delegates: [{ identity: identityA.publicKey, rights: ['approve', 'lock'] }],
  });
  const admission = await protocol.signAdmission(invite, identityB, identityA.publicKey, 2);

  const agreement = { required: true, source: 'bb84', pulses: 32_768, threshold: 0.11 } as const;
  const nothing = new Uint8Array(0);
  const policyA = protocol.encodeMemberPolicy({ agreement, room: nothing, lock: nothing, admission: nothing, name: 'Ana' });
  const policyB = protocol.encodeMemberPolicy({
    agreement,
    room: roomPolicy.encoded,
    lock: nothing,
    admission: nothing,
    name: 'Bo',
  });
  const common = {
    psk: roomKeys.psk,
    roomId,
    generation: 0,
    agreement,
    keySource: lab.bb84KeySource(),
    accept: () => undefined,
    onStage: () => undefined,
  };
  const a = { ...common, identity: identityA, seat: seatA, peerSeat: seatB, policy: policyA };
  const b = { ...common, identity: identityB, seat: seatB, peerSeat: seatA, policy: policyB };

  const begun = await Pairing.initiate(a);
  const answered = await Pairing.respond(b, begun.payload);
  const payloads = [begun.payload, answered.payload];
  for (let to = begun.pairing; ; to = to === begun.pairing ? answered.pairing : begun.pairing) {
    const answer = await to.receive(payloads.at(-1) as Uint8Array);
    if (!answer) break;
    payloads.push(answer);
  }
  const secrets = begun.pairing.result;
  const secretsB = answered.pairing.result;
  if (!secrets || !secretsB) throw new Error('the pairing came to no end');
  const frames = payloads.map((payload) => protocol.encodeFrame(1, wire.concat(secrets.sid, payload)));

  const kem = globalThis.__qsec2Observed;
  const kemSecret = Buffer.from(kem.find(({ name }) => name === 'x-wing')?.bytes ?? nothing);
  const [session] = sessionsIn(frames.map((body) => ({ from: '', body })));
  const loot = { psk: Buffer.from(roomKeys.psk), kemSecret: () => kemSecret, roomId: Buffer.from(roomId), generation: 0 };
  const opened = session && openHandshake(session, loot);
  if (!session || !opened) throw new Error('the handshake does not open with its own secrets');
  const agreedKey = Buffer.alloc(32, 0x4b);
  const root = deriveRoot(opened, COUNTED, agreedKey);
  const chains = {
    ab: expandLabel(root.root, 'pair a>b', root.transcript),
    ba: expandLabel(root.root, 'pair b>a', root.transcript),
    rekey: expandLabel(root.root, 'rekey', root.transcript),
    macAB: expandLabel(root.root, 'mac a>b', root.transcript),
  };
  const firstKeys = messageKey(chains.ab, 0, 0);

  const rootOfA = hex(secrets.root);
  const channelA = new PairChannel(roomId, secrets);
  const channelB = new PairChannel(roomId, secretsB);
  const roster = protocol.rosterHash(0, [identityA.publicKey, identityB.publicKey].sort(wire.compareBytes));
  const sender = await SenderKey.create(roomId, identityA.publicKey, roster, undefined);
  const announced = protocol.encodePairContent({ kind: 'sender-key', announcement: sender.announcement, name: 'Ana', first: 0 });
  const pairFrame = protocol.encodeFrame(2, await channelA.seal(announced));
  const text = { kind: 'text' as const, id: randomBytes(16), index: 0, sentAt: 1_700_000_000_000, text: 'noon at the mill' };
  const content = protocol.encodeGroupContent(text);
  const groupFrame = protocol.encodeFrame(3, await sender.seal(content));

  const rekeyOptions = {
    epoch: 1,
    agreement: { own: agreement, theirs: agreement },
    keySource: common.keySource,
    onStage: () => undefined,
  };
  const rekeying = await Rekeying.initiate({ ...rekeyOptions, role: 'a', secret: channelA.rekeySecret.slice() }, false);
  const rekeyAnswer = await Rekeying.respond(
    { ...rekeyOptions, role: 'b', secret: channelB.rekeySecret.slice() },
    rekeying.payload,
  );
  const rekeyed = await rekeying.rekeying.receive(rekeyAnswer.step.payload as Uint8Array);
  const rekeySecret = Buffer.from(globalThis.__qsec2Observed.filter(({ name }) => name === 'x-wing').at(-1)?.bytes ?? nothing);

  const lock = await protocol.signLock(invite, identityA, 3, true);
  const { removal, renewed } = await protocol.signRemoval(invite, identityB, identityA.publicKey, 4);
  const renewedKeys = protocol.deriveRoomKeys(renewed);

  const file = await fileVectors(randomBytes(16), randomBytes(32));
  const full = await renewFully(
    protocol,
    { ...rekeyOptions, role: 'a', secret: channelA.rekeySecret.slice() },
    { ...rekeyOptions, role: 'b', secret: channelB.rekeySecret.slice() },
  );
  const fullSecret = Buffer.from(globalThis.__qsec2Observed.filter(({ name }) => name === 'x-wing').at(-1)?.bytes ?? nothing);

  return {
    about:
      'QS2, see docs/protocol.md. Hexadecimal. Random byte strings are draws 0, 1, 2 … of the stream in e2e/vectors/deterministic.ts.',
    invite: {
      roomId: hex(roomId),
      secret: hex(secret),
      generation: 0,
      creator: hex(invite.creator),
      code: invite.code,
      psk: hex(roomKeys.psk),
      relayRoom: hex(roomKeys.relayRoom),
      relayToken: hex(roomKeys.relayToken),
    },
    members: {
      a: { identity: hex(identityA.publicKey), seat: hex(seatA), policy: hex(policyA) },
      b: { identity: hex(identityB.publicKey), seat: hex(seatB), policy: hex(policyB) },
      safetyNumber: protocol.safetyNumber(roomId, identityA.publicKey, identityB.publicKey),
    },
    handshake: {
      sid: hex(secrets.sid),
      m1: hex(session.m1),
      m2: hex(session.m2),
      m3: hex(session.m3),
      rA: hex(opened.rA),
      kemSecret: hex(kemSecret),
      th2: hex(opened.th2),
      hs: hex(opened.hs),
      thF: hex(opened.thF),
      sas: hex(opened.sas),
      emoji: protocol.emojiOf(bytes(hex(opened.sas))).map(({ name }) => name),
      payloads: payloads.map(hex),
    },
    agreement: {
      flights: opened.flights.map(hex),
      ...COUNTED,
      attempt: opened.attempt,
      keyOfFlight1: hex(expandLabel(opened.hs, 'qc', Buffer.concat([opened.thF, Buffer.from([1])]))),
      nonceOfFlight2: hex(counterNonce(0)),
      agreedKey: hex(agreedKey),
      thQ: hex(root.thQ),
      transcript: hex(secrets.transcript),
      master: hex(root.master),
      m4: hex(root.m4),
      m5: hex(root.m5),
      root: rootOfA,
    },
    pair: {
      chainAB: hex(chains.ab),
      chainBA: hex(chains.ba),
      rekeySecret: hex(channelA.rekeySecret),
      macKeyAB: hex(chains.macAB),
      key0: hex(firstKeys?.key ?? nothing),
      nonce0: hex(firstKeys?.nonce ?? nothing),
      content: hex(announced),
      frame: hex(pairFrame),
    },
    group: {
      roster: hex(roster),
      seed: hex(readAnnouncement(Buffer.from(announced))?.seed ?? nothing),
      content: hex(content),
      messageId: hex(protocol.messageId(identityA.publicKey, text.id)),
      frame: hex(groupFrame),
    },
    orders: {
      roomPolicy: hex(roomPolicy.encoded),
      admissionOfA: hex(admission),
      lock: hex(lock.encoded),
      removalOfA: hex(removal.encoded),
      renewed: {
        secret: hex(renewed.secret),
        code: renewed.code,
        psk: hex(renewedKeys.psk),
        relayRoom: hex(renewedKeys.relayRoom),
        relayToken: hex(renewedKeys.relayToken),
      },
    },
    rekeying: {
      r1: hex(rekeying.payload),
      answer: hex(rekeyAnswer.step.payload ?? nothing),
      r3: hex(rekeyed.payload ?? nothing),
      kemSecret: hex(rekeySecret),
      transcript: hex(rekeyed.result?.transcript ?? nothing),
      root: hex(rekeyed.result?.root ?? nothing),
    },
    fullRekeying: {
      payloads: full.payloads.map(hex),
      kemSecret: hex(fullSecret),
      ...COUNTED,
      agreedKey: hex(agreedKey),
      transcript: hex(full.transcript),
      root: hex(full.root),
    },
    file,
  };
}

export type Vectors = Awaited<ReturnType<typeof makeVectors>>;
