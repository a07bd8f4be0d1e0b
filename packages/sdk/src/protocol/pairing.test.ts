import { beforeAll, describe, expect, it } from 'vitest';
import { bb84KeySource } from '../key-source/bb84.ts';
import { type Bytes, concat, Writer } from '../wire/index.ts';
import { generateSigningKey, type SigningKey } from './identity.ts';
import { Pairing, type PairingOptions } from './pairing.ts';
import { encodeMemberPolicy } from './policy.ts';
import { randomBytes } from './random.ts';

const agreement = { required: true, source: 'bb84', pulses: 32_768, threshold: 0.11 } as const;
const common = {
  psk: randomBytes(32),
  roomId: randomBytes(16),
  generation: 0,
  agreement,
  keySource: bb84KeySource(),
  accept: () => undefined,
  onStage: () => undefined,
};
const seats = { a: randomBytes(16), b: randomBytes(16) };
let identities: { a: SigningKey; b: SigningKey };
beforeAll(async () => {
  identities = { a: await generateSigningKey(), b: await generateSigningKey() };
});

function options(side: 'a' | 'b', room: Bytes = new Uint8Array(0)): PairingOptions {
  const policy = encodeMemberPolicy({ agreement, room, lock: new Uint8Array(0), admission: new Uint8Array(0), name: '' });
  const other = side === 'a' ? 'b' : 'a';
  return { ...common, identity: identities[side], seat: seats[side], peerSeat: seats[other], policy };
}

/** Runs a pairing to its end; `carry` may do with each payload what the one who carries it can. */
async function run(carry: (to: Pairing, payload: Bytes) => Promise<Bytes | undefined>, room?: Bytes) {
  const a = await Pairing.initiate(options('a', room));
  const b = await Pairing.respond(options('b', room), a.payload);
  let payload: Bytes | undefined = b.payload;
  for (let to = a.pairing; payload; to = to === a.pairing ? b.pairing : a.pairing) payload = await carry(to, payload);
  return { a: a.pairing, b: b.pairing };
}

const refusal = expect.objectContaining({ code: expect.stringMatching(/HANDSHAKE_FAILED|INVALID_ARGUMENT/) });

describe('a pairing', () => {
  it('passes over payloads that come twice', async () => {
    const { a, b } = await run(async (to, payload) => {
      const answer = await to.receive(payload);
      expect(await to.receive(payload)).toBeUndefined();
      return answer;
    });
    expect(a.result?.root).toEqual(b.result?.root);
    expect(a.result?.root).toBeDefined();
  });

  it('refuses forged payloads and goes on with the genuine ones', async () => {
    const { a, b } = await run(async (to, payload) => {
      for (const at of [7, payload.length >> 1, payload.length - 1]) {
        const forged = payload.slice();
        forged[at] = (forged[at] as number) ^ 4;
        await expect(to.receive(forged)).rejects.toEqual(refusal);
      }
      await expect(to.receive(payload.subarray(0, -1))).rejects.toEqual(refusal);
      expect(to.over).toBe(false);
      return to.receive(payload);
    });
    expect(a.result?.root).toEqual(b.result?.root);
    expect(a.result?.root).toBeDefined();
  });

  it('loses nothing to what somebody appends', async () => {
    const { a, b } = await run(async (to, payload) => {
      const unknown = new Uint8Array(1);
      const outOfTurn = new Writer().u8(1).variable(unknown).bytes();
      for (const more of [unknown, outOfTurn]) await expect(to.receive(concat(payload, more))).rejects.toEqual(refusal);
      return to.receive(payload);
    });
    expect(a.result?.root).toEqual(b.result?.root);
    expect(a.result?.root).toBeDefined();
  });

  it('is over when the proven peer is refused', async () => {
    const refuse = () => Promise.reject(new Error('not this one'));
    const a = await Pairing.initiate({ ...options('a'), accept: refuse });
    const b = await Pairing.respond(options('b'), a.payload);
    await expect(a.pairing.receive(b.payload)).rejects.toThrow('not this one');
    expect(a.pairing.over).toBe(true);
    await expect(a.pairing.receive(b.payload)).rejects.toEqual(refusal);
  });

  it('has payloads of sizes that do not depend on what they say', async () => {
    const sizes = async (room: Bytes) => {
      const list: number[] = [];
      await run((to, payload) => {
        list.push(payload.length);
        return to.receive(payload);
      }, room);
      return list.slice(0, 3);
    };
    expect(await sizes(new Uint8Array(0))).toEqual(await sizes(randomBytes(400)));
  });
});
