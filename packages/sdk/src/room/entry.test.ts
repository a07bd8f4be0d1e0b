import { beforeEach, describe, expect, it, vi } from 'vitest';
import { fingerprint, generateKeyPair, type SigningKey, signingKey } from '../protocol/identity.ts';
import { Invite } from '../protocol/invite.ts';
import { signLock } from '../protocol/orders.ts';
import { signRoomPolicy } from '../protocol/policy.ts';
import { randomBytes } from '../protocol/random.ts';
import { claimRoom, keepsCryptoKeys } from '../storage/index.ts';
import { KEPT_VERSION, type KeptRoom } from '../storage/kept.ts';
import { type EntryOptions, prepareEntry } from './entry.ts';

/** What a room is entered with, from a storage that is made up. */

vi.mock('../storage/index.ts', () => ({ claimRoom: vi.fn(), keepsCryptoKeys: vi.fn(() => true) }));

const relay = new URL('http://relay.test/');
const FIELDS = { join: 'auto' as const, capacity: 4, name: 'Tea' };

let identity: SigningKey;
let invite: Invite;
let room: KeptRoom;
beforeEach(async () => {
  const { privateKey, publicKey } = await generateKeyPair(false);
  identity = signingKey(privateKey, publicKey);
  invite = new Invite({ generation: 1, roomId: randomBytes(16), secret: randomBytes(32), creator: fingerprint(publicKey) });
  const policy = await signRoomPolicy(invite, identity, { ...FIELDS, n: 1, delegates: [] });
  room = {
    version: KEPT_VERSION,
    relay: relay.href,
    invite: invite.code,
    identity: publicKey,
    seat: randomBytes(16),
    seatSecret: randomBytes(32),
    endToken: randomBytes(32),
    name: 'Ana',
    position: { epoch: 'e', seq: 7 },
    nextIndex: 3,
    policy: policy.encoded,
    lock: (await signLock(invite, identity, 2, true)).encoded,
  } as unknown as KeptRoom;
});

/** @param kept what is stored, if anything is */
function storage(kept?: Partial<KeptRoom>) {
  const store = {
    kept: kept && { identity, room: kept },
    create: vi.fn(async () => undefined),
    release: vi.fn(async () => undefined),
  };
  vi.mocked(claimRoom).mockReset();
  vi.mocked(claimRoom).mockResolvedValue(store as never);
  return store;
}

const prepare = (options: Partial<EntryOptions> = {}) =>
  prepareEntry({
    relay,
    given: invite,
    name: undefined,
    defaultName: 'Guest',
    policy: FIELDS,
    persist: 'device',
    storage: undefined,
    ...options,
  });

const other = (generation: number) =>
  new Invite({ generation, roomId: invite.roomId, creator: invite.creator, secret: randomBytes(32) });

describe('a room that is kept', () => {
  it('is entered again as it was left', async () => {
    const store = storage(room);
    const entry = await prepare();
    expect(entry).toMatchObject({
      invite: { code: invite.code },
      identity,
      seat: room.seat,
      seatSecret: room.seatSecret,
      endToken: room.endToken,
      name: 'Ana',
      policy: { encoded: room.policy, name: 'Tea' },
      lock: { encoded: room.lock, locked: true },
      create: false,
      moved: false,
      since: room.position,
      store,
    });
    expect(store.release).not.toHaveBeenCalled();
    expect((await prepare({ name: 'Anna' })).name).toBe('Anna');
  });

  it('without a policy has no lock either: nobody is known who could have signed it', async () => {
    storage({ ...room, policy: undefined });
    expect(await prepare()).toMatchObject({ policy: undefined, lock: undefined });
    storage({ ...room, lock: undefined });
    expect((await prepare()).lock).toBeUndefined();
  });

  it('is entered by the newer of its link and the one that is given, and anew where that is another place', async () => {
    storage(room);
    const newer = other(2);
    expect(await prepare({ given: newer })).toMatchObject({ invite: newer, since: undefined, moved: false });
    expect(await prepare({ given: other(0) })).toMatchObject({
      invite: { code: invite.code },
      since: room.position,
      moved: false,
    });
    // It moved, and its page was closed before it had a seat there.
    storage({ ...room, position: undefined });
    expect(await prepare()).toMatchObject({ moved: true, since: undefined });
    expect(await prepare({ given: newer })).toMatchObject({ moved: false });
  });

  it('is not entered by a link of the same age with another secret, and let go of', async () => {
    const store = storage(room);
    await expect(prepare({ given: other(1) })).rejects.toMatchObject({
      code: 'INVITE_INVALID',
      message: 'This invite contradicts the one by which this room was entered before.',
    });
    expect(store.release).toHaveBeenCalledOnce();
  });

  it('of another version is not read, and let go of; one from before there were versions has the first', async () => {
    const store = storage({ ...room, version: KEPT_VERSION + 1 });
    await expect(prepare()).rejects.toMatchObject({ code: 'VERSION_MISMATCH' });
    expect(store.release).toHaveBeenCalledOnce();
    const { version: _, ...older } = room;
    storage(older);
    expect((await prepare()).name).toBe('Ana');
  });

  it('with a policy of somebody else is let go of', async () => {
    const { privateKey, publicKey } = await generateKeyPair(false);
    const forged = await signRoomPolicy(invite, signingKey(privateKey, publicKey), { ...FIELDS, n: 1, delegates: [] });
    const store = storage({ ...room, policy: forged.encoded });
    await expect(prepare()).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
    expect(store.release).toHaveBeenCalledOnce();
  });
});

describe('a room that is new here', () => {
  it('is entered by its link, as somebody new', async () => {
    const store = storage();
    const entry = await prepare();
    expect(entry).toMatchObject({
      invite,
      name: 'Guest',
      endToken: undefined,
      policy: undefined,
      create: false,
      since: undefined,
      store,
    });
    expect([entry.seat.length, entry.seatSecret.length, entry.moved]).toEqual([16, 32, false]);
    expect(claimRoom).toHaveBeenCalledOnce();
    expect(store.create).toHaveBeenCalledOnce();
  });

  it('is made by who has no link, with a policy of its own', async () => {
    const store = storage();
    const entry = await prepare({ given: undefined, name: 'Ana' });
    expect(entry).toMatchObject({ name: 'Ana', create: true, policy: { n: 1, capacity: 4, name: 'Tea' }, store });
    expect(entry.invite).toMatchObject({ generation: 0, creator: fingerprint(entry.identity.publicKey) });
    expect(entry.endToken).toHaveLength(32);
    expect(vi.mocked(claimRoom).mock.calls.map(([, claimed]) => claimed.code)).toEqual([entry.invite.code]);
  });

  it('is let go of where it cannot be stored', async () => {
    for (const given of [invite, undefined]) {
      const store = storage();
      store.create.mockRejectedValueOnce(new Error('disk'));
      await expect(prepare({ given })).rejects.toThrow('disk');
      expect(store.release).toHaveBeenCalled();
    }
  });

  it('has keys that leave the platform only where its storage holds bytes alone', async () => {
    for (const keeps of [true, false]) {
      const store = storage();
      vi.mocked(keepsCryptoKeys).mockReturnValueOnce(keeps);
      await prepare();
      const [[key]] = store.create.mock.calls as unknown as [[CryptoKey]];
      expect(key.extractable).toBe(!keeps);
    }
  });

  it('that is not to be kept asks no storage', async () => {
    storage();
    expect((await prepare({ persist: 'none' })).store).toBeUndefined();
    expect(claimRoom).not.toHaveBeenCalled();
  });
});
