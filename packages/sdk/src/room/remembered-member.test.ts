import { describe, expect, it, vi } from 'vitest';
import { fingerprint } from '../protocol/identity.ts';
import { randomBytes } from '../protocol/random.ts';
import { safetyNumber } from '../protocol/safety-number.ts';
import { RememberedMember } from './remembered-member.ts';
import { groupsOfFour, hex } from './text.ts';

const [roomId, own, identity] = [randomBytes(16), randomBytes(32), randomBytes(32)];

describe('a member of before a reload that has not come back', () => {
  const remembered = (verified = false) => {
    const onVerified = vi.fn();
    const kept = { identity, name: 'Bo', verified, vouched: true, attested: false };
    return { member: new RememberedMember(kept, roomId, own, false, onVerified), onVerified };
  };

  it('is who it was, gone, and with the safety number that both sides see', () => {
    const { member } = remembered();
    const id = hex(fingerprint(identity));
    const number = safetyNumber(roomId, own, identity);
    expect(member).toMatchObject({
      id,
      identity: groupsOfFour(id),
      name: 'Bo',
      presence: 'gone',
      waiting: false,
      vouched: true,
      attested: false,
      creator: false,
      safetyNumber: number,
      emoji: [],
    });
    expect(member.qr).toBe(`qsec2:${number.replaceAll(' ', '')}`);
    member.accept();
    expect(member.verified).toBe(false);
  });

  it('can be verified, once', () => {
    const { member, onVerified } = remembered();
    member.verify();
    member.verify();
    expect([member.verified, onVerified.mock.calls.length]).toEqual([true, 1]);
    const { member: before, onVerified: again } = remembered(true);
    before.verify();
    expect([before.verified, again.mock.calls.length]).toEqual([true, 0]);
  });
});
