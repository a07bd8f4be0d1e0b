import { bb84KeySource } from '../key-source/bb84.ts';
import { generateSigningKey } from '../protocol/identity.ts';
import { Pairing, type PairingOptions } from '../protocol/pairing.ts';
import { type AgreementPolicy, encodeMemberPolicy } from '../protocol/policy.ts';
import { randomBytes } from '../protocol/random.ts';
import { type Bytes, ROOM_ID_BYTES, SEAT_BYTES } from '../wire/index.ts';

/**
 * Plays a handshake with itself while nobody is there, so that the first real one finds its code loaded and compiled: on a page
 * that has just been opened that is more than half of the time until both sides can write. All of its keys are thrown away.
 */

/** After the second run nothing gets much faster. */
const RUNS = 2;
const NOTHING: Bytes = new Uint8Array(0);

/** Ends early when `wanted` says that there is something real to do. Each step waits for the page to be idle. */
export async function rehearse(agreement: AgreementPolicy, wanted: () => boolean): Promise<void> {
  for (let run = 0; run < RUNS && !wanted(); run++) await play({ ...agreement, source: 'bb84' }, wanted);
}

async function play(agreement: AgreementPolicy, wanted: () => boolean): Promise<void> {
  const [seatA, seatB] = [randomBytes(SEAT_BYTES), randomBytes(SEAT_BYTES)];
  const common = {
    psk: randomBytes(32),
    roomId: randomBytes(ROOM_ID_BYTES),
    generation: 0,
    policy: encodeMemberPolicy({ agreement, room: NOTHING, lock: NOTHING, admission: NOTHING, name: '' }),
    agreement,
    keySource: bb84KeySource(),
    accept: () => undefined,
    onStage: () => undefined,
  };
  const partyA: PairingOptions = { ...common, identity: await generateSigningKey(), seat: seatA, peerSeat: seatB };
  const partyB: PairingOptions = { ...common, identity: await generateSigningKey(), seat: seatB, peerSeat: seatA };

  const a = await Pairing.initiate(partyA);
  await idle();
  const b = await Pairing.respond(partyB, a.payload);
  let payload: Bytes | undefined = b.payload;
  for (let side = a.pairing; payload && !wanted(); side = side === a.pairing ? b.pairing : a.pairing) {
    await idle();
    payload = await side.receive(payload);
  }
  a.pairing.destroy();
  b.pairing.destroy();
}

const idle = () => new Promise<void>((resolve) => requestIdleCallback(() => resolve()));

/** Whether the page can tell when it is idle; elsewhere there is no time that is nobody's. */
export const canRehearse = (): boolean => typeof requestIdleCallback === 'function';
