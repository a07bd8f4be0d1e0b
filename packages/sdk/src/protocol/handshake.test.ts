import { beforeAll, describe, expect, it } from 'vitest';
import { QsecError } from '../errors.ts';
import { Initiator, type Party, Responder } from './handshake.ts';
import { generateSigningKey } from './identity.ts';
import { randomBytes } from './random.ts';

const roomId = randomBytes(16);
const psk = randomBytes(32);
const seatA = randomBytes(16);
const seatB = randomBytes(16);
let a: Party;
let b: Party;

beforeAll(async () => {
  const common = { psk, roomId, generation: 0, accept: () => undefined };
  a = { ...common, identity: await generateSigningKey(), seat: seatA, peerSeat: seatB, policy: randomBytes(8) };
  b = { ...common, identity: await generateSigningKey(), seat: seatB, peerSeat: seatA, policy: randomBytes(9) };
});

async function shake(partyA: Party, partyB: Party) {
  const initiator = await Initiator.start(partyA);
  const responder = await Responder.answer(partyB, initiator.m1);
  const { m3, secrets } = await initiator.receiveM2(responder.m2);
  return { a: secrets, b: await responder.receiveM3(m3) };
}

const refusal = expect.objectContaining({ code: 'HANDSHAKE_FAILED' });

/** Each party of the pair with one field changed; every change must stop the handshake. */
const mismatches: [string, (party: Party) => Party][] = [
  ['another invite secret', (party) => ({ ...party, psk: randomBytes(32) })],
  ['another room', (party) => ({ ...party, roomId: randomBytes(16) })],
  ['another generation of the link', (party) => ({ ...party, generation: 1 })],
  ['another seat of its own', (party) => ({ ...party, seat: randomBytes(16) })],
  ['another seat of the peer', (party) => ({ ...party, peerSeat: randomBytes(16) })],
];

describe('handshake M1–M3', () => {
  it('gives both sides the same secrets and each other’s proven identity and policy', async () => {
    const secrets = await shake(a, b);
    for (const field of ['sid', 'hs', 'thF', 'sas', 'policyA', 'policyB'] as const)
      expect(secrets.a[field]).toEqual(secrets.b[field]);
    expect(secrets.a.peer).toMatchObject({ identity: b.identity.publicKey, policy: b.policy });
    expect(secrets.b.peer).toMatchObject({ identity: a.identity.publicKey, policy: a.policy });
  });

  it('never gives the same secrets twice', async () => {
    const [one, two] = [await shake(a, b), await shake(a, b)];
    expect(one.a.hs).not.toEqual(two.a.hs);
    expect(one.a.sas).not.toEqual(two.a.sas);
  });

  it.each(mismatches)('stops at %s', async (_, change) => {
    await expect(shake(change(a), b)).rejects.toEqual(refusal);
  });

  it('lets a side refuse the identity of the other before anything is agreed', async () => {
    const refuse = () => {
      throw new QsecError('HANDSHAKE_FAILED', 'not who I expected');
    };
    await expect(shake({ ...a, accept: refuse }, b)).rejects.toEqual(refusal);
    await expect(shake(a, { ...b, accept: refuse })).rejects.toEqual(refusal);
  });

  it('refuses every single changed bit of M1', async () => {
    const { m1 } = await Initiator.start(a);
    for (let bit = 0; bit < m1.length * 8; bit += 7) {
      const changed = m1.slice();
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      const code = bit < 16 ? 'VERSION_MISMATCH' : 'HANDSHAKE_FAILED';
      await expect(Responder.answer(b, changed)).rejects.toMatchObject({ code });
    }
  });

  it('refuses changed, shortened and reflected M2 and M3', async () => {
    const flip = (bytes: Uint8Array, at: number) => {
      const changed = bytes.slice();
      changed[at] = (changed[at] as number) ^ 1;
      return changed;
    };
    // 0: KEM ciphertext, 1090: X25519 share, 1125: nonce, the rest: the sealed box.
    for (const at of [0, 1090, 1125, 1160, 1300]) {
      const initiator = await Initiator.start(a);
      const responder = await Responder.answer(b, initiator.m1);
      await expect(initiator.receiveM2(flip(responder.m2, at))).rejects.toBeInstanceOf(QsecError);
    }
    const initiator = await Initiator.start(a);
    const responder = await Responder.answer(b, initiator.m1);
    const { m3 } = await initiator.receiveM2(responder.m2);
    await expect(responder.receiveM3(flip(m3, 30))).rejects.toEqual(refusal);
    await expect(responder.receiveM3(m3.subarray(0, -1))).rejects.toEqual(refusal);
    await expect(responder.receiveM3(responder.m2.subarray(1152))).rejects.toEqual(refusal);
  });
});
