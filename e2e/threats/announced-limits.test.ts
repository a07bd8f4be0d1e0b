import { beforeAll, describe, expect, it } from 'vitest';
import type { Room } from '../../packages/sdk/src/index.ts';
import { buildLab, type Edit, type Lab } from './support/lab.ts';
import { type AnyRelay, enter, reach } from './support/people.ts';

/** The relay drops what Ana says, and announces limits under which she would not say it again. */

let honest: Lab;
let credulous: Lab;
beforeAll(async () => {
  const edits: Edit[] = [
    {
      file: 'transport/relay-session.ts',
      find: 'const joined = { ...answer, limits: checkedLimits(answer.limits) };',
      put: 'const joined = answer; void checkedLimits;',
    },
    // What expired goes out again when its reader returns: another defence, off here as well.
    { file: 'room/outbox.ts', find: 'entry.lost.push(...entry.pending);', put: '' },
  ];
  honest = await buildLab();
  credulous = await buildLab({ edits });
});

/** The relay, whose answer to a join says something else about its limits. */
const announcing = (relay: AnyRelay, change: (limits: Record<string, unknown>) => unknown): AnyRelay => ({
  transport: (url, handlers) => {
    const inner = relay.transport(url, handlers);
    const join = inner.join.bind(inner);
    inner.join = async (request) => {
      const answer = await join(request);
      return answer.ok ? { ok: { ...answer.ok, limits: change({ ...answer.ok.limits }) as never } } : answer;
    };
    return inner;
  },
});

const heard = async (room: Room, text: string) => {
  while (!room.history().some((message) => message.text === text)) await room.once('message');
};

/** Ana's words are dropped before Bo leaves for a moment. Whether he has them once he has what she says after his return. */
async function arrives(lab: Lab, change: (limits: Record<string, unknown>) => unknown): Promise<boolean> {
  const kept = { persist: 'device', storage: lab.testing.memoryStorage() } as const;
  const relay = new lab.testing.HostileRelay();
  const lying = announcing(relay, change);
  const ana = await enter(lab, lying, { name: 'Ana' });
  const bo = await enter(lab, relay, { name: 'Bo', invite: ana.invite, ...kept });
  await Promise.all([reach(ana, 'secure'), reach(bo, 'secure')]);
  relay.attack({ tamper: (frame) => (lab.testing.outerType(frame.body) === 'group' ? [] : [frame]) });
  const { delivered } = await ana.send('the mill at noon');
  // A client that goes by the limit has given up by then.
  if (lab === credulous) expect(await delivered).toMatchObject({ expired: true });
  await bo.suspend();
  relay.attack({});
  const again = await enter(lab, relay, { invite: ana.invite, ...kept });
  await reach(again, 'secure');
  await ana.send('are you back?');
  await heard(again, 'are you back?');
  return again.history().some(({ text }) => text === 'the mill at noon');
}

describe('a relay that says how long it keeps mail', () => {
  it.each<[string, unknown]>([
    ['one millisecond', 1],
    ['no time', 0],
    ['less than none', -1],
    ['no number', Number.NaN],
    ['a text', '1'],
    ['for ever', 1e300],
    ['nothing', undefined],
  ])('(%s) does not keep what it dropped from being said again', async (_, retentionMs) => {
    expect(await arrives(honest, (limits) => ({ ...limits, retentionMs }))).toBe(true);
  });

  it('or announces no limits at all, does not either', async () => {
    expect(await arrives(honest, () => undefined)).toBe(true);
  });

  it('would, if its word were taken', async () => {
    expect(await arrives(credulous, (limits) => ({ ...limits, retentionMs: 1 }))).toBe(false);
  });
});
