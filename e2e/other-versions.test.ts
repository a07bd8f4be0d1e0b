import { beforeAll, describe, expect, it } from 'vitest';
import type { QsecError, Room } from '../packages/sdk/src/index.ts';
import { buildLab, type Edit, type Lab } from './threats/support/lab.ts';
import { enter, reach, settled } from './threats/support/people.ts';

/** A page with an SDK of its own beside a widget that the relay serves, or a page that was open while the other one was updated. */

const raised = (file: string, find: string, put: string): Edit[] => [{ file, find, put }];

/** Every version that members show each other. */
const BETWEEN_MEMBERS: readonly [string, Edit[]][] = [
  ['frames', raised('protocol/frame.ts', 'FRAME_VERSION = 2', 'FRAME_VERSION = 3')],
  ['handshakes', raised('protocol/handshake.ts', 'HANDSHAKE_VERSION = 1', 'HANDSHAKE_VERSION = 2')],
  ['suites', raised('protocol/handshake.ts', 'SUITE = 1', 'SUITE = 2')],
  ['policies and orders', raised('protocol/policy.ts', 'POLICY_VERSION = 1', 'POLICY_VERSION = 2')],
  ['messages of BB84', raised('bb84/flights.ts', 'FORMAT = 2', 'FORMAT = 3')],
  ['transmissions of BB84', raised('bb84/channel/encoding.ts', 'VERSION = 1', 'VERSION = 2')],
];

const HERE = /^Reload this page/;
const THERE = /^Ask the other side to reload/;

let present: Lab;
beforeAll(async () => {
  present = await buildLab();
});

/** Why a room came to nothing, in a few seconds. */
async function failureOf(room: Room): Promise<QsecError> {
  const failed = room.once('error');
  await reach(room, 'aborted');
  return failed;
}

describe.each(BETWEEN_MEMBERS)('two members with other %s', (_, edits) => {
  let newer: Lab;
  beforeAll(async () => {
    newer = await buildLab({ edits });
  });

  it.each([
    ['older', true],
    ['newer', false],
  ])('are told so, and the older one to reload its page: the %s one made the room', async (_who, olderMade) => {
    const relay = new present.testing.HostileRelay();
    const [first, second] = olderMade ? [present, newer] : [newer, present];
    const ana = await enter(first, relay, { name: 'Ana' });
    const anas = failureOf(ana);
    const bo = await enter(second, relay, { name: 'Bo', invite: ana.invite.code });
    const bos = failureOf(bo);
    const [atOlder, atNewer] = olderMade ? [await anas, await bos] : [await bos, await anas];
    expect(atOlder).toMatchObject({
      code: 'VERSION_MISMATCH',
      details: { older: 'us' },
      remediation: expect.stringMatching(HERE),
    });
    expect(atNewer).toMatchObject({
      code: 'VERSION_MISMATCH',
      details: { older: 'them' },
      remediation: expect.stringMatching(THERE),
    });
    await expect(bo.send('lost?')).rejects.toMatchObject({ code: 'VERSION_MISMATCH' });
    // Trying again leads to the same words, not to waiting without end.
    const again = failureOf(bo);
    bo.retry();
    expect((await again).code).toBe('VERSION_MISMATCH');
  });
});

describe('a member of another version', () => {
  it('does not disturb those who share keys, and is told of once', async () => {
    const newer = await buildLab({ edits: BETWEEN_MEMBERS[0]?.[1] as Edit[] });
    const relay = new present.testing.HostileRelay();
    const ana = await enter(present, relay, { name: 'Ana', capacity: 3 });
    const bo = await enter(present, relay, { name: 'Bo', invite: ana.invite });
    await Promise.all([reach(ana, 'secure'), reach(bo, 'secure')]);
    const errors: string[] = [];
    ana.on('error', ({ code }) => errors.push(code));
    const cy = await enter(newer, relay, { name: 'Cy', invite: ana.invite.code });
    await failureOf(cy);
    await settled(ana, bo);
    expect(errors).toEqual(['VERSION_MISMATCH']);
    expect([ana.state, bo.state]).toEqual(['secure', 'secure']);
  });
});

describe('an invite of another version', () => {
  it.each([
    ['its version is raised', raised('protocol/invite.ts', 'const VERSION = 1', 'const VERSION = 2')],
    [
      'its form is raised',
      [...raised('protocol/invite.ts', "'q2.'", "'q3.'"), ...raised('protocol/invite.ts', 'FORM = 2', 'FORM = 3')],
    ],
  ])('says who has to reload: %s', async (_, edits) => {
    const newer = await buildLab({ edits });
    const fields = { generation: 0, roomId: new Uint8Array(16), secret: new Uint8Array(32), creator: new Uint8Array(16) };
    const [old, later] = [present, newer].map(({ Invite }) => new Invite(fields).link('https://a.example/')) as [string, string];
    const read = ({ Invite }: Lab, link: string) => {
      expect(Invite.isIn(link)).toBe(true);
      try {
        return Invite.parse(link);
      } catch (error) {
        return error;
      }
    };
    expect(read(present, later)).toMatchObject({
      code: 'VERSION_MISMATCH',
      details: { older: 'us' },
      remediation: expect.stringMatching(HERE),
    });
    expect(read(newer, old)).toMatchObject({ code: 'VERSION_MISMATCH', remediation: expect.stringMatching(/send a new link/) });
    await expect(present.connect({ relay: 'http://relay.test', invite: later })).rejects.toMatchObject({
      code: 'VERSION_MISMATCH',
    });
  });
});

describe('a relay of another version', () => {
  it('refuses at once, and it is said who has to be updated', async () => {
    const newer = await buildLab({ edits: raised('wire/limits.ts', 'WIRE_VERSION = 1', 'WIRE_VERSION = 2') });
    const at = async (sdk: Lab, relay: Lab) => enter(sdk, new relay.testing.MemoryRelay(), {});
    await expect(at(present, newer)).rejects.toMatchObject({
      code: 'VERSION_MISMATCH',
      details: { older: 'us' },
      remediation: expect.stringMatching(HERE),
    });
    await expect(at(newer, present)).rejects.toMatchObject({
      code: 'VERSION_MISMATCH',
      remediation: expect.stringMatching(/runs the relay/),
    });
  });
});

describe('a room that was kept by another version', () => {
  it('is not entered, and stays what it is', async () => {
    const newer = await buildLab({ edits: raised('storage/kept.ts', 'KEPT_VERSION = 1', 'KEPT_VERSION = 2') });
    const relay = new present.testing.HostileRelay();
    for (const [before, after, words] of [
      [newer, present, HERE],
      [present, newer, /new link/],
    ] as const) {
      const kept = { persist: 'device' as const, storage: present.testing.memoryStorage() };
      const ana = await enter(before, relay, { name: 'Ana', ...kept });
      const { code } = ana.invite;
      await ana.suspend();
      const refused = enter(after, relay, { invite: code, ...kept });
      await expect(refused).rejects.toMatchObject({ code: 'VERSION_MISMATCH', remediation: expect.stringMatching(words) });
      const back = await enter(before, relay, { invite: code, ...kept });
      expect(back.me.id).toBe(ana.me.id);
    }
  });
});
