import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Bytes, concat, Writer } from '../wire/index.ts';
import { fingerprint, generateSigningKey, type SigningKey } from './identity.ts';
import { Invite } from './invite.ts';
import {
  isAdmitted,
  may,
  outranks,
  type Powers,
  RIGHTS,
  readRemoval,
  renewedInvite,
  signAdmission,
  signLock,
  signRemoval,
  verifyLock,
  verifyRemoval,
} from './orders.ts';
import { signRoomPolicy, verifyRoomPolicy } from './policy.ts';
import { randomBytes } from './random.ts';

let creator: SigningKey;
let delegate: SigningKey;
let member: SigningKey;
let invite: Invite;
beforeAll(async () => {
  [creator, delegate, member] = [await generateSigningKey(), await generateSigningKey(), await generateSigningKey()];
  invite = inviteTo(randomBytes(16));
});

const inviteTo = (roomId: Uint8Array, generation = 0) =>
  new Invite({ generation, roomId, secret: randomBytes(32), creator: fingerprint(creator.publicKey) });

const powers = (rights: Powers['delegates'][number]['rights'] = []): Powers => ({
  creator: creator.publicKey,
  delegates: [{ identity: delegate.publicKey, rights }],
});

describe('a right', () => {
  it('is the creator’s, and a delegate’s who was given it', () => {
    for (const right of RIGHTS) {
      expect(may(powers(), creator.publicKey, right)).toBe(true);
      expect(may(powers([right]), delegate.publicKey, right)).toBe(true);
      expect(may(powers(RIGHTS.filter((other) => other !== right)), delegate.publicKey, right)).toBe(false);
      expect(may(powers([right]), member.publicKey, right)).toBe(false);
    }
  });

  it('travels in the signed policy', async () => {
    await fc.assert(
      fc.asyncProperty(fc.subarray([...RIGHTS]), async (rights) => {
        const delegates = [{ identity: delegate.publicKey, rights }];
        const signed = await signRoomPolicy(invite, creator, { n: 1, join: 'auto', capacity: 4, name: '', delegates });
        expect((await verifyRoomPolicy(invite, signed.encoded)).delegates).toEqual(delegates);
      }),
      { numRuns: 8 },
    );
  });
});

describe('an admission', () => {
  it('holds for one identity in one generation, and from who may give it', async () => {
    const word = await signAdmission(invite, delegate, member.publicKey, 2);
    expect(await isAdmitted(invite, powers(['approve']), member.publicKey, word)).toBe(true);
    expect(await isAdmitted(invite, powers(['remove']), member.publicKey, word)).toBe(true);
    expect(await isAdmitted(invite, powers(['lock']), member.publicKey, word)).toBe(false);
    expect(await isAdmitted(invite, powers(['approve']), creator.publicKey, word)).toBe(false);
    expect(await isAdmitted(inviteTo(invite.roomId, 1), powers(['approve']), member.publicKey, word)).toBe(false);
    const posing = word.slice();
    posing.set(creator.publicKey, 4);
    expect(await isAdmitted(invite, powers(['approve']), member.publicKey, posing)).toBe(false);
    for (const broken of [new Uint8Array(0), word.subarray(0, -1), concat(word, new Uint8Array(1))]) {
      expect(await isAdmitted(invite, powers(['approve']), member.publicKey, broken)).toBe(false);
    }
  });
});

describe('a lock', () => {
  it('is taken from who may, for this room, in every generation', async () => {
    const { encoded } = await signLock(invite, delegate, 7, true);
    expect(await verifyLock(inviteTo(invite.roomId, 5), powers(['lock']), encoded)).toMatchObject({ n: 7, locked: true });
    expect(await verifyLock(invite, powers(['remove']), encoded)).toBeUndefined();
    expect(await verifyLock(inviteTo(randomBytes(16)), powers(['lock']), encoded)).toBeUndefined();
  });

  it('is refused with a value that nobody knows, whoever signed it', async () => {
    const signed = async (locked: number): Promise<Bytes> => {
      const body = new Writer().u32(7).u8(locked).fixed(creator.publicKey).bytes();
      return concat(body, await creator.sign('lock', concat(invite.roomId, body)));
    };
    expect(await verifyLock(invite, powers(), await signed(0))).toMatchObject({ n: 7, locked: false });
    expect(await verifyLock(invite, powers(), await signed(1))).toMatchObject({ n: 7, locked: true });
    const unknown = expect.objectContaining({ code: 'INVALID_ARGUMENT', message: 'unknown values in an order' });
    for (const locked of [2, 3, 255]) await expect(verifyLock(invite, powers(), await signed(locked))).rejects.toEqual(unknown);
  });

  it('is refused cut short or continued, and does not hold changed', async () => {
    const { encoded } = await signLock(invite, creator, 7, true);
    for (const broken of [encoded.subarray(0, -1), concat(encoded, new Uint8Array(1))]) {
      await expect(verifyLock(invite, powers(), broken)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    // n, locked, and the signature.
    for (const at of [3, 4, encoded.length - 1]) {
      const changed = encoded.map((byte, i) => (i === at ? byte ^ 1 : byte));
      expect(await verifyLock(invite, powers(), changed)).toBeUndefined();
    }
  });

  it('holds by its number, then by its signer, whichever was heard first', () => {
    const signers = () => fc.constantFrom(creator.publicKey, delegate.publicKey, member.publicKey);
    const order = fc.record({ n: fc.nat(3), signer: fc.constant(0).chain(signers) });
    fc.assert(
      fc.property(fc.array(order, { minLength: 2, maxLength: 6 }), fc.nat(), (orders, seed) => {
        const last = (list: typeof orders) => list.reduce((held, next) => (outranks(powers(), next, held) ? next : held));
        const turned = [...orders.slice(seed % orders.length), ...orders.slice(0, seed % orders.length)];
        expect(last(turned)).toEqual(last(orders));
      }),
    );
  });
});

describe('a removal', () => {
  it('leads from one generation to the next, for who knows the secret it commits to', async () => {
    const { removal, renewed } = await signRemoval(invite, creator, member.publicKey, 3);
    const { roomId, generation } = invite;
    expect(await verifyRemoval(invite, powers(), removal.encoded)).toEqual(removal);
    expect(renewed).toMatchObject({ roomId, generation: generation + 1, creator: invite.creator });
    expect(renewed.secret).not.toEqual(invite.secret);
    expect(renewedInvite(invite, removal, renewed.secret).code).toBe(renewed.code);
    const message = 'A removal came with a secret that is not the one it commits to.';
    const other = expect.objectContaining({ code: 'HANDSHAKE_FAILED', message });
    expect(() => renewedInvite(invite, removal, invite.secret)).toThrow(other);
  });

  it('is refused from who may not, for another room, of the creator, and changed', async () => {
    const message = 'A removal was not signed by somebody who may remove members.';
    const refused = expect.objectContaining({ code: 'NO_ADMIN', message });
    const { removal } = await signRemoval(invite, delegate, member.publicKey, 3);
    await expect(verifyRemoval(invite, powers(['approve', 'lock']), removal.encoded)).rejects.toEqual(refused);
    await expect(verifyRemoval(inviteTo(randomBytes(16)), powers(['remove']), removal.encoded)).rejects.toEqual(refused);
    const deposed = await signRemoval(invite, delegate, creator.publicKey, 3);
    await expect(verifyRemoval(invite, powers(['remove']), deposed.removal.encoded)).rejects.toEqual(refused);
    // n, the generation, who is removed, the commitment, and the signature.
    for (const at of [3, 7, 8, 40, removal.encoded.length - 1]) {
      const changed = removal.encoded.map((byte, i) => (i === at ? byte ^ 1 : byte));
      await expect(verifyRemoval(invite, powers(['remove']), changed)).rejects.toEqual(refused);
    }
    expect(await verifyRemoval(invite, powers(['remove']), removal.encoded)).toEqual(removal);
  });

  it('is refused cut short or continued', async () => {
    const { encoded } = (await signRemoval(invite, creator, member.publicKey, 3)).removal;
    const refused = (message: string) => expect.objectContaining({ code: 'INVALID_ARGUMENT', message });
    const short = refused('truncated: expected 64 more bytes, got 63');
    expect(() => readRemoval(encoded.subarray(0, -1))).toThrow(short);
    expect(() => readRemoval(concat(encoded, new Uint8Array(1)))).toThrow(refused('1 unexpected bytes at the end'));
  });
});
