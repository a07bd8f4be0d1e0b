import { beforeAll, describe, expect, it } from 'vitest';
import type { SenderKeyAnnouncement } from '../../packages/sdk/src/protocol/sender-key.ts';
import { forgeGroupFrame } from './support/forge.ts';
import { buildLab, type Edit, type Lab } from './support/lab.ts';
import { enter, isProbe, settled, textsAt, until } from './support/people.ts';
import { SCRIPTED } from './support/scripted.ts';

/** Eve is a member. She reads, and could repeat what she reads; she must not speak in another's name. */

declare global {
  var __qsec2Heard: { identity: Uint8Array; announcement: SenderKeyAnnouncement }[] | undefined;
  var __qsec2Read: Uint8Array[] | undefined;
}

/** Eve's client tells her the keys and contents that it is sent, and lets her choose its random bytes. */
const EAVESDROPPING: readonly Edit[] = [
  {
    file: 'protocol/sender-key.ts',
    find: 'return new ReceiverKey(roomId, identity, await importVerificationKey(announcement.signingKey), announcement, bounds);',
    put: `globalThis.__qsec2Heard?.push({ identity, announcement: { ...announcement, seed: announcement.seed.slice() } });
            $&`,
  },
  {
    file: 'protocol/group-content.ts',
    find: 'export function decodeGroupContent(bytes: Uint8Array): GroupContent {',
    put: 'export function decodeGroupContent(bytes: Uint8Array): GroupContent { globalThis.__qsec2Read?.push(bytes.slice());',
  },
];

let honest: Lab;
let honestButEves: Lab;
beforeAll(async () => {
  honest = await buildLab();
  honestButEves = await buildLab({ edits: EAVESDROPPING, replacements: SCRIPTED });
});

/** Ana and Bo as built by `lab`, and Eve with a client of her own, in one room. */
async function threeOf(lab: Lab, eves: Lab) {
  globalThis.__qsec2Heard = [];
  globalThis.__qsec2Read = [];
  const relay = new lab.testing.HostileRelay();
  const ana = await enter(lab, relay, { name: 'Ana', capacity: 3 });
  const bo = await enter(lab, relay, { name: 'Bo', invite: ana.invite });
  const eve = await enter(eves, relay, { name: 'Eve', invite: ana.invite.code });
  for (const room of [ana, bo, eve]) await until(room, () => room.members.length === 2 && room.state === 'secure');
  await settled(ana, bo, eve);
  return { relay, ana, bo, eve };
}

/** Eve seals a text in Ana's chain and signs it with a key of her own: what Bo shows of it. */
async function speakAsAna(lab: Lab, eves = honestButEves): Promise<string[]> {
  const { relay, ana, bo } = await threeOf(lab, eves);
  const heard = globalThis.__qsec2Heard ?? [];
  const ofAna = heard.filter(
    ({ identity }) => Buffer.from(lab.protocol.fingerprint(lab.wire.concat(identity))).toString('hex') === ana.me.id,
  );
  const anas = ofAna.at(-1);
  if (!anas) throw new Error('Eve heard of no epoch of Ana');
  // Of a number behind which nothing waits for what is missing.
  const text = { kind: 'text' as const, id: lab.protocol.randomBytes(16), index: 0, sentAt: 0, text: 'trust Eve' };
  const ownKey = await lab.protocol.generateSigningKey();
  const frame = await forgeGroupFrame(lab, {
    roomId: ana.invite.roomId,
    identity: anas.identity,
    announced: anas.announcement,
    counter: anas.announcement.counter + 50,
    plaintext: lab.protocol.encodeGroupContent(text),
    sign: (message) => ownKey.sign('group frame', message),
  });
  const [room = ''] = relay.rooms;
  const [from = '', to = ''] = relay.seatsOf(room);
  const atBo = textsAt(bo);
  relay.deliver({ room, from, to, transient: true, body: lab.protocol.encodeFrame(3, frame) });
  await settled(ana, bo);
  return atBo.filter((shown) => !isProbe(shown));
}

describe('a member who holds the chain of another', () => {
  it('cannot send a frame in its name', async () => {
    expect(await speakAsAna(honest)).toEqual([]);
  });

  it('could, if frames were not signed', async () => {
    const find = /if \(!\(await signed\)\)/;
    const edit: Edit = { file: 'protocol/sender-key.ts', find, put: 'if (false)' };
    expect(await speakAsAna(await buildLab({ edits: [edit] }))).toEqual(['trust Eve']);
  });
});

/** Eve repeats the random id of a message of Ana's in one of her own: what Bo keeps of the two. */
async function takeId(lab: Lab, eves = honestButEves): Promise<string[]> {
  const { ana, bo, eve } = await threeOf(lab, eves);
  globalThis.__qsec2Read = [];
  await (await ana.send('noon at the mill')).delivered;
  const anas = globalThis.__qsec2Read?.find((content) => Buffer.from(content).includes('noon at the mill'));
  if (!anas) throw new Error('Eve has not read the message');
  globalThis.__qsec2Script = [anas.slice(1, 17)];
  await (await eve.send('midnight at the bridge')).delivered;
  return bo
    .history()
    .map(({ text = '' }) => text)
    .filter((text) => !isProbe(text));
}

describe('a member who repeats the id of a message', () => {
  it('takes nobody’s place', async () => {
    expect(await takeId(honest)).toEqual(['noon at the mill', 'midnight at the bridge']);
  });

  it('would wipe the message out, if ids were not bound to their authors', async () => {
    const find = "hash(purpose('message id'), author, id).slice(0, MESSAGE_ID_BYTES)";
    const edit: Edit = { file: 'protocol/message-id.ts', find, put: 'id.slice(0, MESSAGE_ID_BYTES) as Bytes' };
    const theirs = await buildLab({ edits: [edit] });
    const eves = await buildLab({ edits: [...EAVESDROPPING, edit], replacements: SCRIPTED });
    expect(await takeId(theirs, eves)).toEqual(['midnight at the bridge']);
  });
});

describe('a member who claims the identity of another in a handshake', () => {
  /** Eve shakes hands with Bo under Ana's public key, which she cannot sign for; the identity that Bo ends with. */
  async function claimIdentity(lab: Lab): Promise<boolean> {
    const { Initiator, Responder, generateSigningKey, randomBytes } = lab.protocol;
    const [anas, eve, bo] = [await generateSigningKey(), await generateSigningKey(), await generateSigningKey()];
    const common = {
      psk: randomBytes(32),
      roomId: randomBytes(16),
      generation: 0,
      policy: randomBytes(4),
      accept: () => undefined,
    };
    const [seat, peerSeat] = [randomBytes(16), randomBytes(16)];
    const initiator = await Initiator.start({ ...common, identity: { ...eve, publicKey: anas.publicKey }, seat, peerSeat });
    const responder = await Responder.answer({ ...common, identity: bo, seat: peerSeat, peerSeat: seat }, initiator.m1);
    const { m3 } = await initiator.receiveM2(responder.m2);
    const proven = responder.receiveM3(m3).then(({ peer }) => lab.wire.equalBytes(peer.identity, anas.publicKey));
    return proven.catch((error: unknown) => {
      if (lab.QsecError.is(error, 'HANDSHAKE_FAILED')) return false;
      throw error;
    });
  }

  it('is refused', async () => {
    expect(await claimIdentity(honest)).toBe(false);
  });

  it('would be believed, if the signature were not checked', async () => {
    const find = /if \(!\(await verifier\.verify\(/;
    const edit: Edit = { file: 'protocol/handshake.ts', find, put: 'if (false && !(await verifier.verify(' };
    expect(await claimIdentity(await buildLab({ edits: [edit] }))).toBe(true);
  });
});
