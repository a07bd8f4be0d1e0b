import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bb84KeySource } from '../key-source/bb84.ts';
import { encodeFrame, FRAME_TYPE } from '../protocol/frame.ts';
import { generateSigningKey, type SigningKey } from '../protocol/identity.ts';
import { INVITE_SECRET_BYTES, Invite } from '../protocol/invite.ts';
import { Pairing } from '../protocol/pairing.ts';
import { encodeMemberPolicy } from '../protocol/policy.ts';
import { randomBytes } from '../protocol/random.ts';
import { deriveRoomKeys } from '../protocol/room-keys.ts';
import { MemoryRelay } from '../testing/memory-relay.ts';
import type { TransportFactory, TransportHandlers } from '../transport/transport.ts';
import { type Bytes, concat, encodeBatch, SEAT_BYTES, toBase64url } from '../wire/index.ts';
import { AgreementEvents } from './agreement-events.ts';
import { connect } from './connect.ts';
import { Introductions } from './introductions.ts';
import type { Room } from './types.ts';

/** What others send without end is kept within bounds, and what is genuine still gets through. */

const open: Room[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((room) => room.leave()));
});

describe('a relay that sends faster than frames can be opened', () => {
  it('has 64 MiB of them kept, and the room goes on', async () => {
    const relay = new MemoryRelay();
    let flood: TransportHandlers | undefined;
    const transport: TransportFactory = (url, handlers) => {
      flood = handlers;
      return relay.transport(url, handlers);
    };
    let dropped = 0;
    const logger = (_: string, line: string) => {
      if (line.includes('one was dropped')) dropped++;
    };
    const enter = async (options: object) => {
      const room = await connect({ relay: 'http://relay.test', transport, ...options });
      open.push(room);
      return room;
    };
    const bo = await enter({ name: 'Bo' });
    const ana = await enter({ name: 'Ana', invite: bo.invite, logger });
    while (ana.state !== 'secure' || bo.state !== 'secure') await Promise.race([ana.once('state'), bo.once('state')]);

    const body = encodeFrame(FRAME_TYPE.group, new Uint8Array(262_142));
    const delivery = { seq: 0, time: 0, from: randomBytes(SEAT_BYTES), cid: new Uint8Array(16), transient: true, body };
    const batch = encodeBatch({ from: 1, to: 0, deliveries: [delivery] });
    for (let i = 0; i < 400; i++) flood?.batch(batch);
    // Something of the room's own may wait among them.
    expect(400 - dropped).toBeGreaterThan(250);
    expect(400 - dropped).toBeLessThanOrEqual(256);
    const heard = ana.once('message');
    await (await bo.send('still here')).delivered;
    expect((await heard).text).toBe('still here');
  });
});

describe('somebody with the link who begins handshakes from seats without end', () => {
  const agreement = { required: true, source: 'bb84', pulses: 32_768, threshold: 0.11 } as const;
  const none: Bytes = new Uint8Array(0);
  const policy = encodeMemberPolicy({ agreement, room: none, lock: none, admission: none, name: 'Eve' });
  let identity: SigningKey;
  beforeAll(async () => {
    identity = await generateSigningKey();
  });

  it('is answered in 32 of them at a time, until one ends', async () => {
    const invite = new Invite({
      generation: 0,
      roomId: randomBytes(16),
      secret: randomBytes(INVITE_SECRET_BYTES),
      creator: randomBytes(16),
    });
    const { psk } = deriveRoomKeys(invite);
    const own = randomBytes(SEAT_BYTES);
    const answered: string[] = [];
    const nothing = () => undefined;
    const introductions = new Introductions({
      invite,
      psk,
      identity,
      seat: own,
      agreement,
      keySource: bb84KeySource(),
      demands: () => policy,
      send: (seat) => answered.push(toBase64url(seat)),
      enqueue: nothing,
      accept: async () => undefined,
      onStage: nothing,
      onSecured: async () => undefined,
      onFailed: nothing,
      onSilent: nothing,
      onUnanswered: nothing,
      onUnfinished: nothing,
      isPresent: () => true,
      onChange: nothing,
    });
    const knock = async (seat: Bytes) => {
      const { roomId, generation } = invite;
      const options = { psk, roomId, generation, identity, seat, peerSeat: own, policy, agreement, keySource: bb84KeySource() };
      const { pairing, payload } = await Pairing.initiate({ ...options, accept: nothing, onStage: nothing });
      await introductions.receive(seat, concat(pairing.sid, payload));
      pairing.destroy();
    };
    const seats = Array.from({ length: 40 }, () => randomBytes(SEAT_BYTES));
    for (const seat of seats) await knock(seat);
    expect(answered).toEqual(seats.slice(0, 32).map(toBase64url));
    expect(introductions.count).toBe(32);
    introductions.drop(seats[0] as Bytes);
    await knock(seats[39] as Bytes);
    expect(answered.at(-1)).toBe(toBase64url(seats[39] as Bytes));
    introductions.close();
  });

  it('has 32 of its key agreements followed', () => {
    const events = new AgreementEvents({ events: { emit: () => undefined } as never, threshold: 0.11, nameOf: () => undefined });
    const seats = Array.from({ length: 100 }, (_, i) => new Uint8Array(SEAT_BYTES).fill(i));
    for (const seat of seats) events.stage(seat, { stage: 'pulses', counts: {}, attempt: 1, role: 'bob', threshold: 0.11 });
    expect(seats.filter((seat) => events.isUnderWay(seat))).toEqual(seats.slice(-32));
  });
});
