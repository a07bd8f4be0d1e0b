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
  removalPrecedes,
  renewedInvite,
  signAdmission,
  signerOf,
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

describe('of two orders that were given at once', () => {
  // The creator's key is the lowest: that it holds is not for its bytes.
  const [ofCreator, low, high, other] = [1, 2, 3, 4].map((byte) => new Uint8Array(32).fill(byte)) as [Bytes, Bytes, Bytes, Bytes];
  const room: Powers = { creator: ofCreator, delegates: [] };

  it.each<[what: string, order: [number, Bytes], than: [number, Bytes], holds: boolean]>([
    ['the higher number holds', [2, low], [1, high], true],
    ['the higher number holds over the creator', [2, low], [1, ofCreator], true],
    ['the lower number does not hold', [1, ofCreator], [2, low], false],
    ['the creator’s holds', [1, ofCreator], [1, high], true],
    ['no other one holds over the creator’s', [1, high], [1, ofCreator], false],
    ['the one of the higher key holds', [1, high], [1, low], true],
    ['the one of the lower key does not hold', [1, low], [1, high], false],
    ['none of one signer takes the place of its own', [1, high], [1, high], false],
    ['none of the creator takes the place of its own', [1, ofCreator], [1, ofCreator], false],
  ])('%s', (_, [n, signer], [otherN, otherSigner], holds) => {
    expect(outranks(room, { n, signer }, { n: otherN, signer: otherSigner })).toBe(holds);
  });

  const removal = (signer: Bytes, removed: Bytes) => ({ signer, removed }) as Parameters<typeof removalPrecedes>[1];

  it.each<[what: string, one: [Bytes, Bytes], two: [Bytes, Bytes], holds: boolean]>([
    ['the one that removes the other’s signer holds', [low, high], [high, other], true],
    ['the one whose signer the other removes does not hold', [high, other], [low, high], false],
    ['the one of the higher key holds where each removes the other’s signer', [high, low], [low, high], true],
    ['the one of the lower key does not hold where each removes the other’s signer', [low, high], [high, low], false],
    ['the one of the higher key holds where both remove somebody else', [high, other], [low, other], true],
    ['the one of the lower key does not hold where both remove somebody else', [low, other], [high, other], false],
    ['the creator’s holds where both remove somebody else', [ofCreator, other], [high, other], true],
    ['no other one holds over the creator’s', [high, other], [ofCreator, other], false],
  ])('to remove, %s', (_, one, two, holds) => {
    expect(removalPrecedes(room, removal(...one), removal(...two))).toBe(holds);
  });
});

describe('an order', () => {
  it('has fields of fixed sizes, each in its place', async () => {
    const admission = await signAdmission(invite, delegate, member.publicKey, 258);
    expect(admission).toHaveLength(100);
    expect([...admission.subarray(0, 4)]).toEqual([0, 0, 1, 2]);
    expect(signerOf(admission)).toEqual(delegate.publicKey);
    const lock = await signLock(invite, delegate, 258, false);
    expect(lock).toMatchObject({ n: 258, locked: false, signer: delegate.publicKey });
    expect([...lock.encoded.subarray(0, 5)]).toEqual([0, 0, 1, 2, 0]);
    expect(lock.encoded).toHaveLength(101);
    const { removal } = await signRemoval(inviteTo(invite.roomId, 6), delegate, member.publicKey, 258);
    expect(removal).toMatchObject({ n: 258, generation: 7, removed: member.publicKey, signer: delegate.publicKey });
    expect(removal.encoded).toHaveLength(168);
  });
});
