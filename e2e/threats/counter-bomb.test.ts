import { randomBytes as noise } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { forgeGroupFrame } from './support/forge.ts';
import { buildLab, type Edit, type Lab } from './support/lab.ts';
import { pair, settled } from './support/people.ts';

/**
 * Frames that claim to be far ahead of their chain make a receiver compute. What a hundred of them cost is processor time, compared with
 * what they cost without the defence, in one run on one machine.
 */

const FRAMES = 100;
/** Without the defence, this many say what a hundred would cost. */
const FEW = 20;
/** How far each is ahead of the last one: as far as a chain follows. */
const AHEAD = 2000;
/** How many times as much they have to cost without the defence. */
const AT_LEAST = 8;

const NO_MAC: Edit = { file: 'protocol/pair-channel.ts', find: 'if (!equalBytes(reader.rest(), expected))', put: 'if (false)' };
const UNSIGNED: Edit = { file: 'protocol/sender-key.ts', find: /if \(!\(await signed\)\)/, put: 'if (false)' };
const UNCOUNTED: Edit = { file: 'protocol/ratchet.ts', find: 'if (!this.#bounds.steps.spend(ahead))', put: 'if (false)' };
const UNCAPPED: Edit = {
  file: 'protocol/ratchet.ts',
  find: 'const MAX_FORWARD_JUMP = 2000;',
  put: 'const MAX_FORWARD_JUMP = 20_000;',
};

/** Milliseconds of processor time for each frame, and how many of them opened. */
interface Cost {
  ms: number;
  opened: number;
}

async function costOf(lab: Lab, frames: readonly Uint8Array[], open: (frame: Uint8Array) => Promise<unknown>): Promise<Cost> {
  const before = process.cpuUsage();
  let opened = 0;
  for (const frame of frames) {
    try {
      await open(frame);
      opened++;
    } catch (error) {
      if (!lab.QsecError.is(error)) throw error;
    }
  }
  const { user, system } = process.cpuUsage(before);
  return { ms: (user + system) / 1000 / frames.length, opened };
}

const claiming = (frame: Uint8Array, at: number, counter: number): Uint8Array => {
  const claims = new Uint8Array(frame);
  new DataView(claims.buffer).setUint32(at, counter);
  return claims;
};

const bombs = (count: number) => Array.from({ length: count }, (_, i) => (i + 1) * AHEAD);

function channels(lab: Lab) {
  const { PairChannel, randomBytes } = lab.protocol;
  const [roomId, root] = [randomBytes(16), randomBytes(32)];
  const secrets = {
    sid: randomBytes(16),
    transcript: randomBytes(32),
    sas: randomBytes(6),
    shown: randomBytes(1),
    report: undefined,
  };
  const peer = { identity: randomBytes(32), policy: randomBytes(1) };
  const side = (role: 'a' | 'b') => new PairChannel(roomId, { ...secrets, role, peer, root: root.slice() });
  return { from: side('a'), to: side('b'), roomId, root, ...secrets };
}

/** A relay that changes the counter of a genuine pair frame. */
async function fromRelay(lab: Lab, count = FRAMES): Promise<Cost & { genuine: boolean }> {
  const { from, to } = channels(lab);
  const frame = await from.seal(new Uint8Array(3));
  const cost = await costOf(
    lab,
    bombs(count).map((counter) => claiming(frame, 20, counter)),
    (forged) => to.open(forged),
  );
  const genuine = await to.open(frame).then(
    () => true,
    () => false,
  );
  return { ...cost, genuine };
}

/** The other member of a pair, who holds the key of the MAC, and seals nothing. */
async function fromPeer(lab: Lab, count = FRAMES): Promise<Cost> {
  const { to, roomId, root, sid, transcript } = channels(lab);
  const { concat, Writer } = lab.wire;
  const { expandLabel, mac } = lab.protocol;
  const key = expandLabel(root, 'mac a>b', transcript);
  const frames = bombs(count).map((counter) => {
    const content = new Writer()
      .fixed(sid)
      .u32(0)
      .u32(counter)
      .fixed(noise(4 + 272))
      .bytes();
    return concat(content, mac(key, new Writer().fixed(roomId).text('a>b').fixed(content).bytes()).slice(0, 16));
  });
  return costOf(lab, frames, (forged) => to.open(forged));
}

/** Group frames by a member, who signs them, or by somebody else. What they hold is noise, or as good as sealed. */
async function fromMember(lab: Lab, { signs = true, ahead = bombs(FRAMES), sealed = false } = {}): Promise<Cost> {
  const { SenderKey, ReceiverKey, generateSigningKey, randomBytes } = lab.protocol;
  const [roomId, roster] = [randomBytes(16), randomBytes(32)];
  const identity = (await generateSigningKey()).publicKey;
  const announced = (await SenderKey.create(roomId, identity, roster, undefined)).announcement;
  const key = await generateSigningKey();
  const signingKey = signs ? key.publicKey : announced.signingKey;
  const receiver = await ReceiverKey.create(roomId, identity, { ...announced, signingKey, seed: announced.seed.slice() });
  const forgery = { roomId, identity, announced, plaintext: new Uint8Array(3) };
  const sign = (message: Uint8Array) => key.sign('group frame', message);
  const frames: Uint8Array[] = [];
  for (const counter of ahead) {
    frames.push(await forgeGroupFrame(lab, { ...forgery, counter, sign, ...(!sealed && { box: noise(272) }) }));
  }
  return costOf(lab, frames, (frame) => receiver.open(frame));
}

describe('a hundred frames, each two thousand ahead of the last one', () => {
  let honest: Lab;
  let careful: Lab;
  let careless: Lab;
  beforeAll(async () => {
    honest = await buildLab();
    careful = await buildLab({ edits: [UNCOUNTED] });
    careless = await buildLab({ edits: [NO_MAC, UNSIGNED, UNCOUNTED] });
  });

  it('cost next to nothing if the relay made them, and the genuine frame opens after them', async () => {
    const defended = await fromRelay(honest);
    expect(defended).toMatchObject({ opened: 0, genuine: true });
    expect((await fromRelay(careless, FEW)).ms).toBeGreaterThan(AT_LEAST * defended.ms);
  });

  it('cost next to nothing if somebody else than the member made them', async () => {
    const defended = await fromMember(honest, { signs: false });
    expect(defended.opened).toBe(0);
    expect((await fromMember(careless, { signs: false, ahead: bombs(FEW) })).ms).toBeGreaterThan(AT_LEAST * defended.ms);
  });

  it('cost little if a member signed them and put nothing in them', async () => {
    const defended = await fromMember(honest);
    expect((await fromMember(careful, { ahead: bombs(FEW) })).ms).toBeGreaterThan(AT_LEAST * defended.ms);
  });

  it('cost little if the other member of a pair made them', async () => {
    const defended = await fromPeer(honest);
    expect((await fromPeer(careful, FEW)).ms).toBeGreaterThan(AT_LEAST * defended.ms);
  });
});

describe('a frame far ahead of its chain', () => {
  it('opens up to two thousand ahead, and not beyond', async () => {
    const lab = await buildLab();
    expect(await fromMember(lab, { ahead: [2000], sealed: true })).toMatchObject({ opened: 1 });
    expect(await fromMember(lab, { ahead: [2001], sealed: true })).toMatchObject({ opened: 0 });
  });

  it('would cost without bound, if jumps had none', async () => {
    const [near, far] = [await buildLab(), await buildLab({ edits: [UNCAPPED, UNCOUNTED] })];
    const ahead = [19_999];
    expect((await fromMember(far, { ahead })).ms).toBeGreaterThan(AT_LEAST * (await fromMember(near, { ahead })).ms);
  });
});

describe('four thousand frames in the name of a member, with another one’s signature', () => {
  /** Processor time until Ana is through with them, and what of Bo's still reaches her. */
  async function flood(edits: readonly Edit[] = []): Promise<{ ms: number; text: string | undefined }> {
    const lab = await buildLab({ edits });
    const relay = new lab.testing.HostileRelay();
    const { ana, bo } = await pair(lab, relay);
    await settled(ana, bo);
    const genuine = relay.carried.findLast(({ body, from, to }) => body[1] === 3 && from !== to);
    if (!genuine) throw new Error('no group frame was on its way');
    const forged = { ...genuine, body: genuine.body.map((byte, i, { length }) => (i === length - 1 ? byte ^ 1 : byte)) };
    const before = process.cpuUsage();
    for (let i = 0; i < 4_000; i++) relay.deliver(forged);
    const heard = relay.seatsOf(genuine.room)[0] === genuine.to ? ana : bo;
    await heard.rename(heard.me.name);
    const { user, system } = process.cpuUsage(before);
    const message = heard.once('message');
    await (await (heard === ana ? bo : ana).send('still here')).delivered;
    return { ms: (user + system) / 1000, text: (await message).text };
  }

  it('cost as much as some hundreds of them, and what the member says arrives', async () => {
    const defended = await flood();
    expect(defended.text).toBe('still here');
    const careless = await flood([
      { file: 'room/refusals.ts', find: 'return this.#of(seat, member).spend(1);', put: 'return true;' },
    ]);
    expect(careless.ms).toBeGreaterThan(2 * defended.ms);
  });
});
