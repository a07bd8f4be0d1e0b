import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildLab, type Lab } from './support/lab.ts';

/** Every decoder, fed noise and changed copies of what it should read: it reads, or says in an error of the SDK that it cannot. */

const RUNS = process.env.QSEC2_SOAK ? 100_000 : 400;

let lab: Lab;
let decoders: Record<string, { valid: Uint8Array; decode(bytes: Uint8Array): unknown }>;

beforeAll(async () => {
  lab = await buildLab();
  const { protocol, engine, wire } = lab;
  const { randomBytes } = protocol;
  const nothing = new Uint8Array(0);
  const identity = await protocol.generateSigningKey();
  const invite = new lab.Invite({
    generation: 0,
    roomId: randomBytes(16),
    secret: randomBytes(32),
    creator: protocol.fingerprint(identity.publicKey),
  });
  const policy = await protocol.signRoomPolicy(invite, identity, {
    n: 1,
    join: 'auto',
    capacity: 4,
    name: 'x',
    delegates: [{ identity: randomBytes(32), rights: ['lock', 'remove'] }],
  });
  const lock = await protocol.signLock(invite, identity, 2, true);
  const { removal, renewed } = await protocol.signRemoval(invite, identity, randomBytes(32), 3);
  const passedOn = { kind: 'removal' as const, order: removal.encoded, secret: renewed.secret, admission: nothing };
  const agreement = { required: true, source: 'bb84', pulses: 4096, threshold: 0.11 } as const;
  const party = {
    psk: randomBytes(32),
    roomId: invite.roomId,
    generation: 0,
    identity,
    seat: randomBytes(16),
    peerSeat: randomBytes(16),
    policy: nothing,
    accept: () => undefined,
  };
  const options = { ...party, agreement, keySource: lab.bb84KeySource(), onStage: () => undefined };
  const begun = await protocol.Pairing.initiate(options);
  const root = { sid: randomBytes(16), role: 'a' as const, transcript: randomBytes(32), sas: randomBytes(6), report: undefined };
  const peer = { identity: identity.publicKey, policy: nothing };
  const channel = new protocol.PairChannel(invite.roomId, { ...root, peer, shown: nothing, root: randomBytes(32) });
  const sender = await protocol.SenderKey.create(invite.roomId, identity.publicKey, randomBytes(32), undefined);
  const receiver = await protocol.ReceiverKey.create(invite.roomId, identity.publicKey, sender.announcement);
  const alice = options.keySource.alice({ pulses: 4096, threshold: 0.11 });
  const bob = options.keySource.bob({ pulses: 4096, threshold: 0.11 });
  const hello = (await alice.next()) as Uint8Array;
  const detections = (await bob.next(hello)) as Uint8Array;
  const disclosure = (await alice.next(detections)) as Uint8Array;
  const { clicks, sample } = engine.decodeDetections(detections, 4096, false);
  const text = { kind: 'text' as const, id: randomBytes(16), index: 1, sentAt: 5, text: 'noon', replyTo: randomBytes(16) };
  const announced = { kind: 'sender-key' as const, announcement: sender.announcement, name: 'Ana', first: 0 };
  const rekey = { role: 'b' as const, epoch: 1, secret: randomBytes(32), agreement: { own: agreement, theirs: agreement } };
  const rekeying = { ...rekey, keySource: options.keySource, onStage: () => undefined };
  const r1 = await protocol.Rekeying.initiate({ ...rekeying, role: 'a' }, false);
  const delivery = { seq: 1, time: 0, from: randomBytes(16), cid: randomBytes(16), transient: false, body: randomBytes(9) };

  decoders = {
    invite: { valid: wire.utf8(invite.code), decode: (bytes) => lab.Invite.parse(Buffer.from(bytes).toString('latin1')) },
    frame: { valid: protocol.encodeFrame(3, randomBytes(20)), decode: protocol.decodeFrame },
    pushes: { valid: wire.encodePushes([delivery]), decode: (bytes) => wire.decodePushes(bytes) },
    batch: { valid: wire.encodeBatch({ from: 1, to: 1, deliveries: [delivery] }), decode: wire.decodeBatch },
    padding: { valid: protocol.pad(randomBytes(9)), decode: protocol.unpad },
    'group content': { valid: protocol.encodeGroupContent(text), decode: protocol.decodeGroupContent },
    'pair content': { valid: protocol.encodePairContent(announced), decode: protocol.decodePairContent },
    announcement: { valid: protocol.encodeAnnouncement(sender.announcement), decode: protocol.decodeAnnouncement },
    'member policy': {
      valid: protocol.encodeMemberPolicy({
        agreement,
        room: policy.encoded,
        lock: lock.encoded,
        admission: nothing,
        name: 'Ana',
      }),
      decode: protocol.decodeMemberPolicy,
    },
    'removal passed on': { valid: protocol.encodePairContent(passedOn), decode: protocol.decodePairContent },
    lock: { valid: lock.encoded, decode: (bytes) => protocol.verifyLock(invite, policy, wire.concat(bytes)) },
    removal: { valid: removal.encoded, decode: (bytes) => protocol.verifyRemoval(invite, policy, wire.concat(bytes)) },
    'room policy': { valid: policy.encoded, decode: (bytes) => protocol.verifyRoomPolicy(invite, wire.concat(bytes)) },
    M1: {
      valid: begun.payload,
      decode: (bytes) => protocol.Pairing.respond({ ...options, seat: party.peerSeat, peerSeat: party.seat }, bytes),
    },
    'handshake payload': { valid: randomBytes(300), decode: (bytes) => begun.pairing.receive(bytes) },
    'rekeying payload': { valid: r1.payload, decode: (bytes) => protocol.Rekeying.respond(rekeying, bytes) },
    'pair frame': { valid: await channel.seal(randomBytes(4)), decode: (bytes) => channel.open(bytes) },
    'group frame': {
      valid: await sender.seal(randomBytes(4)),
      decode: (bytes) => receiver.claims(bytes) && receiver.open(bytes),
    },
    hello: { valid: hello, decode: (bytes) => engine.decodeHello(bytes, 4096) },
    detections: { valid: detections, decode: (bytes) => engine.decodeDetections(bytes, 4096, false) },
    disclosure: { valid: disclosure, decode: (bytes) => engine.decodeDisclosure(bytes, clicks, sample, false) },
    reply: { valid: engine.encodeReply({ kind: 'done', finalBits: 256, corrected: 9 }), decode: engine.decodeReply },
  };
});

const NAMES = [
  'invite',
  'frame',
  'pushes',
  'batch',
  'padding',
  'group content',
  'pair content',
  'announcement',
  'member policy',
  'removal passed on',
  'lock',
  'removal',
  'room policy',
  'M1',
  'handshake payload',
  'rekeying payload',
  'pair frame',
  'group frame',
  'hello',
  'detections',
  'disclosure',
  'reply',
];

/** Noise, or a valid encoding with bytes changed, cut out and put in. */
const inputs = (valid: Uint8Array) =>
  fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc
      .array(fc.record({ at: fc.nat(), cut: fc.integer({ min: 0, max: 4 }), put: fc.uint8Array({ maxLength: 4 }) }), {
        minLength: 1,
        maxLength: 4,
      })
      .map((changes) => {
        let bytes = Buffer.from(valid);
        for (const { at, cut, put } of changes) {
          const place = at % (bytes.length + 1);
          bytes = Buffer.concat([bytes.subarray(0, place), put, bytes.subarray(place + cut)]);
        }
        return new Uint8Array(bytes);
      }),
  );

describe('a decoder', () => {
  it.each(NAMES)(
    'reads or refuses, and never fails otherwise: %s',
    async (name) => {
      const { valid, decode } = decoders[name] as (typeof decoders)[string];
      await fc.assert(
        fc.asyncProperty(inputs(valid), async (bytes) => {
          try {
            await decode(bytes);
          } catch (error) {
            if (!lab.QsecError.is(error)) throw error;
          }
        }),
        { numRuns: RUNS },
      );
    },
    3_600_000,
  );

  it('is missing nowhere', () => {
    expect(Object.keys(decoders)).toEqual(NAMES);
  });
});
