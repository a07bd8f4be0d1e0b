import { describe, expect, it } from 'vitest';
import { Emitter } from '../events.ts';
import type { RoomContext } from './context.ts';
import { Heads } from './heads.ts';
import { Heartbeats } from './heartbeats.ts';
import type { Membership } from './membership.ts';
import type { Peer } from './peer.ts';
import { hex } from './text.ts';
import type { RoomEvents } from './types.ts';

/** Ana writes, Eve is in the room, and we listen to the heartbeats of both. */
function listen() {
  const member = (number: number): Peer => {
    const fingerprint = new Uint8Array(16).fill(number);
    return { fingerprint, id: hex(fingerprint) } as unknown as Peer;
  };
  const [ana, eve] = [member(1), member(2)];
  const ofAna = new Heads();
  ofAna.begin(0);
  const roster = new Uint8Array(32);
  const events = new Emitter<RoomEvents>();
  const gaps: number[] = [];
  events.on('gap', ({ missing }) => gaps.push(missing));
  const membership = { peers: [ana, eve], ownFingerprint: new Uint8Array(16), rosterHash: () => roster, rosterChangedAt: 0 };
  const heartbeats = new Heartbeats({ events } as unknown as RoomContext, membership as unknown as Membership, {
    sent: () => 0,
    heads: (member) => (member === ana.id ? ofAna : new Heads()),
    overdue: () => [],
    resend: async () => undefined,
    lacking: () => false,
  });
  const beat = (from: Peer, about: Peer, next: number) =>
    heartbeats.receive(from, { kind: 'heartbeat', heads: [{ member: about.fingerprint, next, epoch: 1 }], roster });
  return { ana, eve, ofAna, gaps, beat };
}

describe('heartbeats', () => {
  it('of a member who lies about another one blind nobody to what that one loses later', async () => {
    const { ana, eve, ofAna, gaps, beat } = listen();
    for (let i = 0; i < 5; i++) await beat(eve, ana, 4_000_000_000);
    expect(gaps).toHaveLength(1);
    expect(ofAna.next).toBe(0);
    ofAna.add(0);
    for (let i = 0; i < 2; i++) await beat(ana, ana, 3);
    expect(gaps.at(-1)).toBe(2);
  });
});
