import { beforeAll, describe, expect, it } from 'vitest';
import { type Bytes, MAX_CAPACITY, MIN_CAPACITY, Writer } from '../wire/index.ts';
import { fingerprint, generateSigningKey, type SigningKey } from './identity.ts';
import { Invite } from './invite.ts';
import {
  decodeMemberPolicy,
  encodeMemberPolicy,
  type MemberPolicy,
  POLICY_VERSION,
  type RoomPolicyFields,
  signRoomPolicy,
  verifyRoomPolicy,
} from './policy.ts';
import { randomBytes } from './random.ts';

const error = (code: string, message: string) => expect.objectContaining({ code, message });
const unknown = error('INVALID_ARGUMENT', 'unknown values in a policy');

describe('what a member says of itself', () => {
  const POLICY: MemberPolicy = {
    agreement: { required: true, source: 'bb84', pulses: 65_536, threshold: 0.11 },
    room: randomBytes(120),
    lock: randomBytes(101),
    admission: randomBytes(100),
    name: 'Ana',
  };
  const written = (change: (bytes: Bytes) => void): Bytes => {
    const bytes = encodeMemberPolicy(POLICY);
    change(bytes);
    return bytes;
  };

  it('comes back as it was', () => {
    expect(decodeMemberPolicy(encodeMemberPolicy(POLICY))).toEqual(POLICY);
  });

  it.each([0, 0.05, 0.0001, 1])('says an error rate of %d, in steps of a hundredth of a per cent', (threshold) => {
    const agreement = { required: false, source: 'etsi014', pulses: 1, threshold } as const;
    const said = decodeMemberPolicy(encodeMemberPolicy({ ...POLICY, agreement }));
    expect(said.agreement).toEqual(agreement);
    const between = { ...agreement, threshold: threshold * 0.9 + 0.000_04 };
    const rounded = decodeMemberPolicy(encodeMemberPolicy({ ...POLICY, agreement: between })).agreement.threshold;
    expect(rounded).toBe(Math.round(between.threshold * 10_000) / 10_000);
  });

  it('is refused with more behind it, or behind its name', () => {
    const encoded = encodeMemberPolicy(POLICY);
    const longer = new Writer().fixed(encoded).u8(0).bytes();
    expect(() => decodeMemberPolicy(longer)).toThrow(error('INVALID_ARGUMENT', '1 unexpected bytes at the end'));
    encoded.set([1], encoded.length - 1);
    expect(() => decodeMemberPolicy(encoded)).toThrow(error('INVALID_ARGUMENT', 'padding is not zero'));
  });

  // version u8 | flags u8 | source u8 | pulses u32 | threshold u16 | …
  it.each<[what: string, change: (bytes: Bytes) => void]>([
    ['a flag that nobody knows', (bytes) => bytes.set([2], 1)],
    ['the known flag together with another one', (bytes) => bytes.set([3], 1)],
    ['a key source that nobody knows', (bytes) => bytes.set([2], 2)],
    ['an error rate above one', (bytes) => bytes.set([0x27, 0x11], 7)],
  ])('is refused with %s', (_, change) => {
    expect(() => decodeMemberPolicy(written(change))).toThrow(unknown);
  });

  it.each([POLICY_VERSION - 1, POLICY_VERSION + 1])('is told from what version %i says', (version) => {
    const other = written((bytes) => bytes.set([version]));
    const how = version > POLICY_VERSION ? 'newer' : 'older';
    const message = `The version of the other side is ${how} than this one: policy ${version}, and here ${POLICY_VERSION}.`;
    expect(() => decodeMemberPolicy(other)).toThrow(error('VERSION_MISMATCH', message));
  });

  it.each([
    ['a signed policy', 'room', 1025, 1024],
    ['a lock', 'lock', 102, 101],
    ['an admission', 'admission', 101, 100],
  ] as const)('is refused with %s that is too long for one', (_, field, length, limit) => {
    const encoded = encodeMemberPolicy({ ...POLICY, [field]: new Uint8Array(length) });
    const message = `field of ${length} bytes exceeds its limit of ${limit}`;
    expect(() => decodeMemberPolicy(encoded)).toThrow(error('INVALID_ARGUMENT', message));
  });
});

describe('the policy of a room', () => {
  let creator: SigningKey;
  let invite: Invite;
  beforeAll(async () => {
    creator = await generateSigningKey();
    invite = inviteOf(creator);
  });
  const inviteOf = ({ publicKey }: SigningKey) =>
    new Invite({ generation: 0, roomId: randomBytes(16), secret: randomBytes(32), creator: fingerprint(publicKey) });

  const FIELDS: RoomPolicyFields = { n: 1, join: 'auto', capacity: 4, name: 'Choir', delegates: [] };
  const refused = error('HANDSHAKE_FAILED', 'The room policy was not signed by the creator of this link.');

  /** Any values, under the creator's genuine signature. */
  async function signed({ approve = 0, capacity = 4, rights = [] as number[] }): Promise<Bytes> {
    const body = new Writer().u32(1).u8(approve).u8(capacity).text('Choir').u8(rights.length);
    for (const bits of rights) body.fixed(randomBytes(32)).u8(bits);
    const bytes = body.fixed(creator.publicKey).bytes();
    const signature = await creator.sign('room policy', new Writer().fixed(invite.roomId).fixed(bytes).bytes());
    return new Writer().fixed(bytes).fixed(signature).bytes();
  }

  it('is taken with the values that are known, written by hand as well', async () => {
    const bytes = await signed({ approve: 1, rights: [0, 7] });
    const { join, delegates } = await verifyRoomPolicy(invite, bytes);
    expect(join).toBe('approve');
    expect(delegates.map(({ rights }) => rights)).toEqual([[], ['approve', 'lock', 'remove']]);
  });

  it.each<[what: string, values: Parameters<typeof signed>[0]]>([
    ['a way to join that nobody knows', { approve: 2 }],
    ['two hundred delegates', { rights: new Array(200).fill(1) }],
    ['as many delegates as the largest room has places', { rights: new Array(MAX_CAPACITY).fill(1) }],
    ['a right that nobody knows', { rights: [8] }],
    ['a known right together with another one', { rights: [7, 9] }],
  ])('is refused with %s, whoever signed it', async (_, values) => {
    await expect(verifyRoomPolicy(invite, await signed(values))).rejects.toEqual(unknown);
  });

  it.each([MIN_CAPACITY, MAX_CAPACITY])('is taken for a room of %i', async (capacity) => {
    const { encoded } = await signRoomPolicy(invite, creator, { ...FIELDS, capacity });
    expect(await verifyRoomPolicy(invite, encoded)).toMatchObject({ ...FIELDS, capacity });
  });

  it('is taken with a delegate for every place but the creator’s', async () => {
    const { delegates } = await verifyRoomPolicy(invite, await signed({ rights: new Array(MAX_CAPACITY - 1).fill(7) }));
    expect(delegates).toHaveLength(MAX_CAPACITY - 1);
  });

  it.each([0, MIN_CAPACITY - 1, MAX_CAPACITY + 1, 255])('is refused for a room of %i, whoever signed it', async (capacity) => {
    const message = `a policy for a room of ${capacity} places; a room has 2 to 16`;
    await expect(verifyRoomPolicy(invite, await signed({ capacity }))).rejects.toEqual(error('INVALID_ARGUMENT', message));
  });

  it('is refused of somebody else than the creator, for another room, and changed', async () => {
    const other = await generateSigningKey();
    const { encoded: posing } = await signRoomPolicy(invite, other, FIELDS);
    await expect(verifyRoomPolicy(invite, posing)).rejects.toEqual(refused);
    const { encoded } = await signRoomPolicy(invite, creator, FIELDS);
    await expect(verifyRoomPolicy(inviteOf(creator), encoded)).rejects.toEqual(refused);
    // n, the way to join, and the signature.
    for (const at of [3, 4, encoded.length - 1]) {
      const changed = encoded.map((byte, i) => (i === at ? byte ^ 1 : byte));
      await expect(verifyRoomPolicy(invite, changed)).rejects.toEqual(refused);
    }
    await expect(verifyRoomPolicy(invite, encoded)).resolves.toMatchObject(FIELDS);
  });

  it('is refused with more after its last field, or a name that is too long', async () => {
    const { encoded } = await signRoomPolicy(invite, creator, { ...FIELDS, name: 'x'.repeat(257) });
    const long = error('INVALID_ARGUMENT', 'field of 257 bytes exceeds its limit of 256');
    await expect(verifyRoomPolicy(invite, encoded)).rejects.toEqual(long);
    const longer = new Writer()
      .fixed(await signed({}))
      .u8(0)
      .bytes();
    const more = error('INVALID_ARGUMENT', '1 unexpected bytes at the end');
    await expect(verifyRoomPolicy(invite, longer)).rejects.toEqual(more);
  });
});
