import type { Lab } from './lab.ts';

/** One frame of each kind, every bit of it turned over in turn, and what its receiver does with that. */

export interface FlipCount {
  tried: number;
  /** Changed frames that were taken for genuine. */
  accepted: number;
  /** Whether the frame as it was is taken, after all its changed copies. */
  genuine: boolean;
}

type Accepts = (frame: Uint8Array) => Promise<boolean>;

/** @param mostFlips a frame, evenly spread; all bits when it has fewer */
export async function flipEveryBit(lab: Lab, mostFlips: number): Promise<Record<string, FlipCount>> {
  const counts: Record<string, FlipCount> = {};
  const flip: Flip = async (kind, frame, accepts) => {
    // An odd step reaches every place in a byte.
    const step = Math.max(1, Math.ceil((frame.length * 8) / mostFlips)) | 1;
    const count: FlipCount = { tried: 0, accepted: 0, genuine: false };
    for (let bit = 0; bit < frame.length * 8; bit += step) {
      count.tried++;
      if (await accepts(lab.testing.flipBit(frame, bit))) count.accepted++;
    }
    count.genuine = await accepts(frame);
    counts[kind] = count;
  };
  await flipPairing(lab, flip);
  await flipPairFrames(lab, flip);
  await flipOrders(lab, flip);
  await flipGroupFrame(lab, flip);
  return counts;
}

type Flip = (kind: string, frame: Uint8Array, accepts: Accepts) => Promise<void>;

/** Refusals are errors of the SDK's own; any other would be a defect and comes through. */
function refusedBy(lab: Lab): (error: unknown) => false {
  return (error) => {
    if (lab.QsecError.is(error)) return false;
    throw error;
  };
}

async function flipPairing(lab: Lab, flip: Flip): Promise<void> {
  const { Pairing, generateSigningKey, encodeMemberPolicy, randomBytes } = lab.protocol;
  const agreement = { required: true, source: 'bb84', pulses: 32_768, threshold: 0.11 } as const;
  const nothing = new Uint8Array(0);
  const policy = encodeMemberPolicy({ agreement, room: nothing, lock: nothing, admission: nothing, name: 'Ana' });
  const [seat, peerSeat] = [randomBytes(16), randomBytes(16)];
  const common = {
    psk: randomBytes(32),
    roomId: randomBytes(16),
    generation: 0,
    policy,
    agreement,
    keySource: lab.bb84KeySource(),
    accept: () => undefined,
    onStage: () => undefined,
  };
  const a = { ...common, identity: await generateSigningKey(), seat, peerSeat };
  const b = { ...common, identity: await generateSigningKey(), seat: peerSeat, peerSeat: seat };
  const refused = refusedBy(lab);

  const begun = await Pairing.initiate(a);
  await flip('M1', begun.payload, (frame) => Pairing.respond(b, frame).then(() => true, refused));
  const answered = await Pairing.respond(b, begun.payload);
  const kinds = ['M2', 'M3 and flight 1', 'flight 2 and M4', 'M5'];
  let payload: Uint8Array | undefined = answered.payload;
  for (let to = begun.pairing; payload; to = to === begun.pairing ? answered.pairing : begun.pairing) {
    const [frame, receiver]: [Uint8Array, typeof to] = [payload, to];
    const name: string = kinds.shift() ?? 'more flights';
    // What is passed over as known is not taken: there is no answer to it, and it finishes nothing.
    let answer: Uint8Array | undefined;
    await flip(name, frame, (changed) =>
      receiver.receive(changed).then((given) => {
        answer ??= given;
        return given !== undefined || receiver.result !== undefined;
      }, refused),
    );
    payload = answer;
  }
}

/** Frames for one member alone: what is in them makes no difference to who carries them, but for the size. */
async function flipPairFrames(lab: Lab, flip: Flip): Promise<void> {
  const { PairChannel, randomBytes, encodePairContent, Rekeying, signRemoval, generateSigningKey, fingerprint } = lab.protocol;
  const [roomId, root] = [randomBytes(16), randomBytes(32)];
  const shown = randomBytes(1);
  const secrets = { sid: randomBytes(16), transcript: randomBytes(32), sas: randomBytes(6), shown, report: undefined };
  const peer = { identity: randomBytes(32), policy: randomBytes(1) };
  const [from, to] = (['a', 'b'] as const).map((role) => new PairChannel(roomId, { ...secrets, role, peer, root: root.slice() }));
  if (!from || !to) throw new Error('a pair has two sides');
  const send = async (kind: string, plaintext: Uint8Array<ArrayBuffer>) => {
    const frame = lab.protocol.encodeFrame(2, await from.seal(plaintext));
    await flip(kind, frame, (changed) => openAs(lab, 2, changed, (content) => to.open(content)));
  };
  await send('pair', new Uint8Array(9));
  const policy = { required: true, source: 'bb84', pulses: 32_768, threshold: 0.11 } as const;
  const rekeying = (role: 'a' | 'b', { epoch, rekeySecret: secret }: typeof from) => ({
    role,
    epoch: epoch + 1,
    secret,
    agreement: { own: policy, theirs: policy },
    keySource: lab.bb84KeySource(),
    onStage: () => undefined,
  });
  const begun = await Rekeying.initiate(rekeying('a', from), false);
  await send('R1', encodePairContent({ kind: 'rekey', payload: begun.payload }));
  const { step } = await Rekeying.respond(rekeying('b', to), begun.payload);
  if (!step.payload) throw new Error('R1 is answered');
  await send('R2', encodePairContent({ kind: 'rekey', payload: step.payload }));
  const { payload } = await begun.rekeying.receive(step.payload);
  if (!payload) throw new Error('R2 is answered');
  await send('R3', encodePairContent({ kind: 'rekey', payload }));
  const [ana, eve] = [await generateSigningKey(), await generateSigningKey()];
  const invite = new lab.Invite({ generation: 0, roomId, secret: randomBytes(32), creator: fingerprint(ana.publicKey) });
  const { removal, renewed } = await signRemoval(invite, ana, eve.publicKey, 2);
  const told = { order: removal.encoded, secret: renewed.secret, admission: new Uint8Array(0) };
  await send('removal', encodePairContent({ kind: 'removal', ...told }));
}

/** Orders as they are signed: a member passes them on, and could change them inside the encryption. */
async function flipOrders(lab: Lab, flip: Flip): Promise<void> {
  const { generateSigningKey, fingerprint, randomBytes } = lab.protocol;
  const { signRoomPolicy, verifyRoomPolicy, signLock, verifyLock, signAdmission, isAdmitted } = lab.protocol;
  const { signRemoval, verifyRemoval, renewedInvite } = lab.protocol;
  const [ana, bo] = [await generateSigningKey(), await generateSigningKey()];
  const [roomId, secret] = [randomBytes(16), randomBytes(32)];
  const invite = new lab.Invite({ generation: 0, roomId, secret, creator: fingerprint(ana.publicKey) });
  const delegates = [{ identity: bo.publicKey, rights: ['approve', 'lock', 'remove'] as const }];
  const policy = await signRoomPolicy(invite, ana, { n: 1, join: 'approve', capacity: 4, name: 'The mill', delegates });
  const own = (frame: Uint8Array) => new Uint8Array(frame);
  const refused = refusedBy(lab);
  await flip('order: policy', policy.encoded, (changed) => verifyRoomPolicy(invite, own(changed)).then(() => true, refused));
  const lock = await signLock(invite, bo, 2, true);
  await flip('order: lock', lock.encoded, (changed) =>
    verifyLock(invite, policy, own(changed)).then((taken) => taken !== undefined, refused),
  );
  const newcomer = (await generateSigningKey()).publicKey;
  const admission = await signAdmission(invite, bo, newcomer, 3);
  await flip('order: admission', admission, (changed) => isAdmitted(invite, policy, newcomer, changed).catch(refused));
  const { removal, renewed } = await signRemoval(invite, bo, newcomer, 4);
  await flip('order: removal', removal.encoded, (changed) =>
    verifyRemoval(invite, policy, own(changed)).then(() => true, refused),
  );
  await flip('secret of the new link', renewed.secret, async (changed) => {
    try {
      return renewedInvite(invite, removal, changed) !== undefined;
    } catch (error) {
      return refused(error);
    }
  });
}

async function flipGroupFrame(lab: Lab, flip: Flip): Promise<void> {
  const { ReceiverKey, SenderKey, randomBytes } = lab.protocol;
  const [roomId, identity] = [randomBytes(16), randomBytes(32)];
  const sender = await SenderKey.create(roomId, identity, randomBytes(32), undefined);
  const receiver = await ReceiverKey.create(roomId, identity, sender.announcement);
  const frame = lab.protocol.encodeFrame(3, await sender.seal(new Uint8Array(9)));
  await flip('group', frame, (changed) =>
    openAs(lab, 3, changed, async (content) => {
      if (!receiver.claims(content))
        throw new lab.QsecError('HANDSHAKE_FAILED', 'of an unknown epoch: it waits, and nothing comes of it');
      return receiver.open(content);
    }),
  );
}

async function openAs(
  lab: Lab,
  type: number,
  frame: Uint8Array,
  open: (content: Uint8Array) => Promise<unknown>,
): Promise<boolean> {
  try {
    const decoded = lab.protocol.decodeFrame(frame);
    if (decoded.type !== type) return false;
    await open(decoded.content);
    return true;
  } catch (error) {
    return refusedBy(lab)(error);
  }
}
