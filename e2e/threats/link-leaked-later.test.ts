import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Room } from '../../packages/sdk/src/index.ts';
import { eavesdrop } from './support/eavesdropper.ts';
import { buildLab, type Edit, type Lab } from './support/lab.ts';
import { enter, gather, pair, textsAt, until } from './support/people.ts';
import { KEY_FROM_ELSEWHERE, KEY_FROM_ELSEWHERE_COUNTED, OBSERVE, observed } from './support/sources.ts';

/** The link gets out after the conversation it was for. */

const TEXT = 'the mill at noon';

/** The encapsulated secret is no secret: a hash of what everybody saw. */
const PUBLIC_KEM: Edit = {
  file: 'protocol/x-wing.ts',
  find: 'const input = concat(kemShared, x25519Shared, x25519Ciphertext, x25519Public, LABEL);',
  put: 'const input = concat(x25519Ciphertext, x25519Public);',
};

const sha3 = (bytes: Buffer): Buffer => createHash('sha3-256').update(bytes).digest();

/** What is read of a recording with everything that follows from the link, and K_qkd given for free. */
async function readWithLink(lab: Lab): Promise<Buffer[]> {
  globalThis.__qsec2Observed = [];
  const relay = new lab.testing.HostileRelay();
  const { ana, bo } = await pair(lab, relay);
  const received = bo.once('message');
  await ana.send(TEXT);
  await received;
  const { psk } = lab.protocol.deriveRoomKeys(ana.invite);
  const loot = {
    psk: Buffer.from(psk),
    agreedKey: observed('agreed key')[0] as Buffer,
    // The X25519 parts of M2 and M1: ciphertext 1088 | 32, and public key behind version to seats.
    kemSecret: (m1: Buffer, m2: Buffer) => sha3(Buffer.concat([m2.subarray(1088, 1120), m1.subarray(70 + 1184, 70 + 1216)])),
    roomId: Buffer.from(ana.invite.roomId),
    generation: 0,
  };
  return eavesdrop(relay.captured, loot, [KEY_FROM_ELSEWHERE_COUNTED]);
}

describe('who gets the link later', () => {
  it('reads nothing of what was recorded', async () => {
    const lab = await buildLab({ edits: OBSERVE.slice(1), replacements: KEY_FROM_ELSEWHERE });
    expect(await readWithLink(lab)).toEqual([]);
  });

  it('would read it, if the link were all that the keys come from', async () => {
    const lab = await buildLab({ edits: [...OBSERVE.slice(1), PUBLIC_KEM], replacements: KEY_FROM_ELSEWHERE });
    expect((await readWithLink(lab)).some((content) => content.includes(TEXT))).toBe(true);
  });
});

describe('who joins with the link', () => {
  /** Ana and Bo write, then Eve comes; what the three saw of it. */
  async function joinLate(lab: Lab): Promise<{ ana: Room; atEve: string[] }> {
    const relay = new lab.testing.HostileRelay();
    const [ana, bo] = (await gather(lab, relay, ['Ana', 'Bo'])) as [Room, Room];
    await (await ana.send('before')).delivered;
    const eve = await enter(lab, relay, { name: 'Eve', invite: ana.invite.code });
    const atEve = textsAt(eve);
    // The relay helps: Eve gets every frame from before that was not for her.
    const [room = ''] = relay.rooms;
    const seat = relay.seatsOf(room).at(-1) as string;
    await until(eve, () => eve.members.length === 2);
    for (const { from, body } of relay.captured)
      relay.deliver({ room, from, to: seat, transient: true, body: lab.wire.concat(body) });
    await Promise.all([ana, bo].map((each) => until(each, () => each.members.some(({ name }) => name === 'Eve'))));
    await (await ana.send('after')).delivered;
    return { ana, atEve };
  }

  it('shows to everyone, and reads nothing from before', async () => {
    const { ana, atEve } = await joinLate(await buildLab());
    expect(ana.members.map(({ name }) => name).sort()).toEqual(['Bo', 'Eve']);
    expect(atEve).toEqual(['after']);
  });

  it('would read what was said before, if a newcomer were told where the epoch began and no new one', async () => {
    const edits: Edit[] = [
      {
        file: 'room/own-epochs.ts',
        find: 'this.#stale = true;',
        put: 'if (this.#current) return this.#options.announce(this.#current); this.#stale = true;',
      },
      {
        file: 'protocol/sender-key.ts',
        find: 'this.#chain = new SendChain(seed);',
        put: 'this.first = seed.slice(); this.#chain = new SendChain(seed);',
      },
      {
        file: 'protocol/sender-key.ts',
        find: 'counter: this.#chain.count, seed: this.#chain.chainKey',
        put: 'counter: 0, seed: this.first.slice()',
      },
    ];
    const { atEve } = await joinLate(await buildLab({ edits }));
    expect(atEve).toContain('before');
  });
});
