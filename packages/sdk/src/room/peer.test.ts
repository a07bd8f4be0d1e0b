import { describe, expect, it, vi } from 'vitest';
import type { PairChannel } from '../protocol/pair-channel.ts';
import type { ReceiverKey } from '../protocol/sender-key.ts';
import { Peer, type PeerFields } from './peer.ts';
import type { KnownMember } from './remembered-member.ts';

/** A member as the room knows it, and the keys of its epochs. */

function peer(fields: Partial<PeerFields> = {}) {
  const log = { accepted: [] as Peer[], verified: [] as Peer[], made: 0, destroyed: 0 };
  const made = new Peer({
    seat: new Uint8Array(16),
    identity: new Uint8Array(32),
    fingerprint: Uint8Array.of(0xab, 0xcd, 0xef, 0x01),
    creator: false,
    attested: false,
    name: 'Bo',
    safetyNumber: () => {
      log.made++;
      return '12345 67890';
    },
    sas: new Uint8Array(6),
    report: undefined,
    channel: { destroy: () => void log.destroyed++ } as unknown as PairChannel,
    agreement: { required: true, source: 'bb84', pulses: 8192, threshold: 0.11 },
    isLetIn: () => false,
    onAccepted: (accepted) => log.accepted.push(accepted),
    onVerified: (verified) => log.verified.push(verified),
    ...fields,
  });
  return { made, log };
}

const epoch = (number: number, claims = false) =>
  ({ announcement: { epoch: number }, claims: () => claims, destroy: vi.fn() }) as unknown as ReceiverKey;

describe('a member', () => {
  it('is named by its fingerprint, and has a safety number that is made when it is first asked for', () => {
    const { made, log } = peer();
    expect([made.id, made.identity]).toEqual(['abcdef01', 'abcd ef01']);
    expect(log.made).toBe(0);
    expect([made.qr, made.safetyNumber]).toEqual(['qsec2:1234567890', '12345 67890']);
    expect(log.made).toBe(1);
  });

  it('waits while the rules do not let it in and it is not trusted', () => {
    const { made } = peer();
    expect(made.waiting).toBe(true);
    made.trusted = true;
    expect(made.waiting).toBe(false);
    expect(peer({ isLetIn: () => true }).made.waiting).toBe(false);
  });

  it('is verified once, which accepts it as well where it seemed to be another one', () => {
    const { made, log } = peer();
    made.changedFrom = {} as KnownMember;
    made.verify();
    made.verify();
    expect([made.verified, made.changedFrom, log.verified, log.accepted]).toEqual([true, undefined, [made], [made]]);
  });

  it('is accepted only where it seemed to be another one', () => {
    const { made, log } = peer();
    made.accept();
    expect(log.accepted).toEqual([]);
    made.changedFrom = {} as KnownMember;
    made.accept();
    expect([made.verified, made.changedFrom, log.accepted]).toEqual([false, undefined, [made]]);
  });

  it('keeps what was decided about its earlier session', () => {
    const [earlier, later] = [peer().made, peer().made];
    const other = {} as KnownMember;
    Object.assign(earlier, { changedFrom: other, changeTold: true, attested: true, vouched: true });
    later.inherit(earlier);
    expect([later.changedFrom, later.changeTold, later.attested, later.vouched, later.verified]).toEqual([
      other,
      true,
      true,
      true,
      false,
    ]);
    const shown = peer({ attested: true }).made;
    const [unshown, verified] = [peer().made, peer().made];
    shown.inherit(unshown);
    expect(shown.attested).toBe(true);
    verified.verify();
    unshown.inherit(verified);
    expect(unshown.verified).toBe(true);
  });

  it('keeps what was known of it before it left, and loses nothing to that', () => {
    const known = (value: boolean) => ({ verified: value, attested: value, vouched: value }) as KnownMember;
    const { made } = peer();
    made.recall(known(false));
    expect([made.verified, made.attested, made.vouched]).toEqual([false, false, false]);
    made.recall(known(true));
    expect([made.verified, made.attested, made.vouched]).toEqual([true, true, true]);
    made.recall(known(false));
    expect([made.verified, made.attested, made.vouched]).toEqual([true, true, true]);
  });
});

describe('the epochs of a member', () => {
  it('are taken in rising order, each once: an epoch begun again would open its frames twice', () => {
    const { made } = peer();
    expect([made.announced, made.epoch]).toEqual([false, 0]);
    const [first, again, older, newer] = [epoch(3), epoch(3), epoch(2), epoch(4)];
    for (const key of [first, again, older, newer]) made.addReceiverKey(key);
    expect([made.announced, made.epoch]).toEqual([true, 4]);
    expect([first, again, older, newer].map(({ destroy }) => vi.mocked(destroy).mock.calls.length)).toEqual([0, 1, 1, 0]);
  });

  it('are four at most: the oldest is destroyed', () => {
    const { made } = peer();
    const keys = [1, 2, 3, 4, 5].map((number) => epoch(number));
    for (const key of keys.slice(0, 4)) made.addReceiverKey(key);
    expect(keys[0]?.destroy).not.toHaveBeenCalled();
    made.addReceiverKey(keys[4] as ReceiverKey);
    expect(keys.map(({ destroy }) => vi.mocked(destroy).mock.calls.length)).toEqual([1, 0, 0, 0, 0]);
  });

  it('open frames that claim to be theirs, of a member that is trusted', () => {
    const { made } = peer();
    const [other, claimed, too] = [epoch(1), epoch(2, true), epoch(3, true)];
    for (const key of [other, claimed, too]) made.addReceiverKey(key);
    const frame = new Uint8Array(1);
    expect([made.receiverKeysFor(frame), made.claims(frame)]).toEqual([[], true]);
    made.trusted = true;
    expect(made.receiverKeysFor(frame)).toEqual([claimed, too]);
    const { made: without } = peer();
    without.addReceiverKey(epoch(1));
    expect(without.claims(frame)).toBe(false);
  });

  it('are destroyed with everything else that is shared with it', () => {
    const { made, log } = peer();
    const keys = [epoch(1), epoch(2)];
    for (const key of keys) made.addReceiverKey(key);
    made.destroy();
    expect(log.destroyed).toBe(1);
    for (const { destroy } of keys) expect(destroy).toHaveBeenCalledOnce();
    expect(made.announced).toBe(false);
  });
});
