/**
 * What QS2 costs, measured on the inner parts of the SDK: the same code runs in Node and in a page. `now` is in milliseconds, of CPU
 * where the platform tells it and of the wall clock where not.
 */

const KIB = 1024;
/** Frames that come together. */
const BATCH = 64;

/** Fastest of a few runs: the others were disturbed. */
async function best(runs, measure) {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < runs; i++) least = Math.min(least, await measure());
  return least;
}

export async function measureCrypto(protocol, now, { messages = 2000, runs = 8 } = {}) {
  const { SenderKey, ReceiverKey, randomBytes } = protocol;
  const [roomId, roster] = [randomBytes(16), randomBytes(32)];
  const identity = (await protocol.generateSigningKey()).publicKey;
  const text = randomBytes(KIB);
  const sealing = [];
  const opening = [];
  for (let run = 0; run < runs; run++) {
    const sender = await SenderKey.create(roomId, identity, roster, undefined);
    const receiver = await ReceiverKey.create(roomId, identity, sender.announcement);
    const frames = [];
    const sealed = now();
    for (let i = 0; i < messages; i++) frames.push(await sender.seal(text));
    sealing.push(now() - sealed);
    const opened = now();
    for (let first = 0; first < messages; first += BATCH) {
      // As a room does with what comes in one batch: every frame is expected when it comes, and opened in its turn.
      const turns = frames.slice(first, first + BATCH).map((frame) => receiver.expect(frame));
      for (const open of turns) await open();
    }
    opening.push(now() - opened);
  }
  const skip = await best(runs + 2, async () => {
    const sender = await SenderKey.create(roomId, identity, roster, undefined);
    const receiver = await ReceiverKey.create(roomId, identity, sender.announcement);
    for (let i = 0; i < 2000; i++) sender.skip();
    const frame = await sender.seal(text);
    const began = now();
    await receiver.open(frame);
    return now() - began;
  });
  const platform = await measurePlatform(now, messages / 2);
  await handshakes(protocol, 2);
  const handshake = await best(runs, async () => {
    const began = now();
    await handshakes(protocol, 5);
    return (now() - began) / 5;
  });
  const join = await best(2, async () => {
    const began = now();
    await gather(protocol, 8);
    return now() - began;
  });
  return {
    ...platform,
    sentPerSecond: (messages / Math.min(...sealing)) * 1000,
    receivedPerSecond: (messages / Math.min(...opening)) * 1000,
    handshakeMs: handshake,
    skipMs: skip,
    joinMs: join / 8,
    joinWholeRoomMs: join,
  };
}

/** What the platform itself takes for the operations that every message needs: import a key, seal and sign, or open and check. */
async function measurePlatform(now, count) {
  const { subtle } = crypto;
  const { privateKey, publicKey } = await subtle.generateKey('Ed25519', false, ['sign', 'verify']);
  const [raw, bound, text] = [32, 112, KIB + 64].map((length) => crypto.getRandomValues(new Uint8Array(length)));
  const algorithm = { name: 'AES-GCM', iv: raw.slice(0, 12), additionalData: bound };
  const key = (use) => subtle.importKey('raw', raw, 'AES-GCM', false, [use]);
  const box = await subtle.encrypt(algorithm, await key('encrypt'), text);
  const signature = await subtle.sign('Ed25519', privateKey, box);
  const send = async () => subtle.sign('Ed25519', privateKey, await subtle.encrypt(algorithm, await key('encrypt'), text));
  const receive = async () => {
    await subtle.verify('Ed25519', publicKey, signature, box);
    await subtle.decrypt(algorithm, await key('decrypt'), box);
  };
  const perSecond = async (operation) => {
    const fastest = await best(3, async () => {
      const began = now();
      for (let i = 0; i < count; i++) await operation();
      return now() - began;
    });
    return (count / fastest) * 1000;
  };
  return { platformSendsPerSecond: await perSecond(send), platformReceivesPerSecond: await perSecond(receive) };
}

const agreement = { required: false, source: 'bb84', pulses: 4096, threshold: 0.11 };

/** A key that both have already: what BB84 costs is measured elsewhere. */
function keySource() {
  const side = (sends) => ({
    sampled: 0,
    errors: 0,
    result: undefined,
    failure: undefined,
    on: () => () => undefined,
    next(flight) {
      if (flight) this.result = { key: new Uint8Array(32).fill(7), report: { pulses: 0 } };
      return sends && flight ? undefined : new Uint8Array(8);
    },
  });
  return { kind: 'bb84', provenance: 'simulated', alice: () => side(true), bob: () => side(false), flightBound: () => 32 };
}

/** One complete pairing, M1 to M5, both sides; gives the channels. */
async function shake(protocol, a, b) {
  const begun = await protocol.Pairing.initiate(a);
  const answered = await protocol.Pairing.respond(b, begun.payload);
  let payload = answered.payload;
  for (let to = begun.pairing; payload; to = to === begun.pairing ? answered.pairing : begun.pairing)
    payload = await to.receive(payload);
  return [begun.pairing.result, answered.pairing.result].map((secrets) => new protocol.PairChannel(a.roomId, secrets));
}

async function member(protocol, room) {
  const nothing = new Uint8Array(0);
  const policy = protocol.encodeMemberPolicy({ agreement, room: nothing, lock: nothing, admission: nothing, name: 'Ana' });
  const identity = await protocol.generateSigningKey();
  return { ...room, identity, seat: protocol.randomBytes(16), policy };
}

const newRoom = ({ randomBytes }) => ({
  psk: randomBytes(32),
  roomId: randomBytes(16),
  generation: 0,
  agreement,
  keySource: keySource(),
  accept: () => undefined,
  onStage: () => undefined,
});

async function handshakes(protocol, count) {
  const room = newRoom(protocol);
  for (let i = 0; i < count; i++) {
    const [a, b] = [await member(protocol, room), await member(protocol, room)];
    await shake(protocol, { ...a, peerSeat: b.seat }, { ...b, peerSeat: a.seat });
  }
}

/** Eight members join one room: a handshake for every pair, and everyone's sender key told to everyone. All devices in one process. */
async function gather(protocol, size) {
  const room = newRoom(protocol);
  const members = [];
  for (let i = 0; i < size; i++) members.push({ ...(await member(protocol, room)), channels: new Map() });
  for (const [i, a] of members.entries()) {
    for (const b of members.slice(i + 1)) {
      const [atA, atB] = await shake(protocol, { ...a, peerSeat: b.seat }, { ...b, peerSeat: a.seat });
      a.channels.set(b, atA);
      b.channels.set(a, atB);
    }
  }
  const roster = protocol.rosterHash(
    0,
    members.map(({ identity }) => identity.publicKey),
  );
  for (const from of members) {
    const key = await protocol.SenderKey.create(room.roomId, from.identity.publicKey, roster, undefined);
    const content = protocol.encodePairContent({ kind: 'sender-key', announcement: key.announcement, name: 'Ana', first: 0 });
    for (const to of members.filter((other) => other !== from)) {
      const opened = protocol.decodePairContent(await to.channels.get(from).open(await from.channels.get(to).seal(content)));
      await protocol.ReceiverKey.create(room.roomId, from.identity.publicKey, opened.announcement);
    }
  }
}
