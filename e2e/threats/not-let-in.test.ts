import { beforeAll, describe, expect, it } from 'vitest';
import type { Member, Room, RoomEvents } from '../../packages/sdk/src/index.ts';
import { buildLab, type Edit, type Lab } from './support/lab.ts';
import { enter, reach, until } from './support/people.ts';

/** Eve has the link to a room where newcomers are let in one by one, and nobody has let her in. Her client talks as if she were. */

const TALKATIVE: readonly Edit[] = [
  { file: 'room/authority.ts', find: "return this.#policy?.join === 'approve' || this.locked;", put: 'return false;' },
  // She tells nobody that the room is locked.
  { file: 'room/authority.ts', find: 'lock: this.#lock?.encoded ?? NONE,', put: 'lock: NONE,' },
  { file: 'room/admissions.ts', find: "if (lock && news(lock.encoded, 'lock'))", put: 'if (false)' },
];

/** Nothing asks whether who says something is a member. */
const TAKES_EVERYTHING: readonly Edit[] = [
  {
    file: 'room/peer.ts',
    find: 'return this.trusted ? this.#receiverKeys.filter',
    put: 'return true ? this.#receiverKeys.filter',
  },
  { file: 'room/pair-inbox.ts', find: 'if (!peer.trusted && FROM_MEMBERS.has(content.kind)) return;', put: '' },
  {
    file: 'room/membership.ts',
    find: 'if (known && !peer.changedFrom) this.#options.recall(peer);',
    put: 'this.#options.recall(peer);',
  },
  { file: 'room/membership.ts', find: /if \(!peer\.trusted\) \{\n\s+peer\.nextName = name;\n\s+return;\n\s+\}/, put: '' },
];

const WORDS = 'let me in, it is urgent';

let honest: Lab;
let eves: Lab;
let open: Lab;
beforeAll(async () => {
  honest = await buildLab();
  eves = await buildLab({ edits: TALKATIVE });
  open = await buildLab({ edits: TAKES_EVERYTHING });
});

const sees = (room: Room, { me }: Room) => until(room, () => room.members.some(({ id }) => id === me.id));
const member = (room: Room, { me }: Room) => room.members.find(({ id }) => id === me.id) as Member;

/** A room of Ana and Bo, as built by `lab`, that lets newcomers in one by one: it was made so, or it was locked. */
async function closedRoom(lab: Lab, kind: 'approve' | 'locked') {
  const relay = new lab.testing.HostileRelay();
  const ana = await enter(lab, relay, { name: 'Ana', capacity: 4, ...(kind === 'approve' && { join: 'approve' }) });
  const bo = await enter(lab, relay, { name: 'Bo', invite: ana.invite });
  await sees(ana, bo);
  if (kind === 'approve') await ana.approve(member(ana, bo));
  await Promise.all([reach(ana, 'secure'), reach(bo, 'secure')]);
  await until(ana, () => member(ana, bo).attested);
  if (kind === 'locked') {
    const told = until(bo, () => bo.policy.locked);
    await ana.lock();
    await told;
  }
  return { relay, ana, bo };
}

type Noticed = [event: keyof RoomEvents, what: string];

/** What the application is told from now on, besides that somebody is there, and as who. */
function noticedAt(room: Room): Noticed[] {
  const noticed: Noticed[] = [];
  for (const name of ['message', 'update', 'typing', 'progress', 'gap', 'error'] as const) {
    room.on(name, (event) => noticed.push([name, name === 'message' ? ((event as RoomEvents['message']).kind ?? '') : '']));
  }
  room.on('security', ({ kind }) => {
    if (!['member-secured', 'epoch', 'key-destroyed'].includes(kind)) noticed.push(['security', kind]);
  });
  return noticed;
}

/** Eve says everything that can be said, and leaves. What Ana and Bo notice of it, and what she is called there. */
async function talks(lab: Lab, kind: 'approve' | 'locked') {
  const { relay, ana, bo } = await closedRoom(lab, kind);
  const atBo = bo.once('message');
  const { id } = await ana.send('for Bo');
  await atBo;
  const eve = await enter(eves, relay, { name: 'Eve', invite: ana.invite.code });
  await Promise.all([sees(ana, eve), sees(bo, eve), reach(eve, 'secure'), until(eve, () => eve.members.length === 2)]);
  const noticed = { ana: noticedAt(ana), bo: noticedAt(bo) };
  const names = new Set<string>();
  for (const room of [ana, bo])
    room.on('members', (members) => {
      for (const { id: of, name } of members) if (of === eve.me.id) names.add(name);
    });
  const said = await eve.send(WORDS);
  await eve.sendFile(new Blob([WORDS]), { name: 'urgent.txt' });
  await eve.sendVoice(new Blob([WORDS]), { durationMs: 1000, peaks: [0.5] });
  await eve.edit(said.id, `${WORDS}!`);
  await eve.react(said.id, '🚪');
  await eve.remove(said.id);
  eve.typing();
  await eve.rename('Bo, really');
  void eve.rekey().catch(() => undefined);
  const gone = [ana, bo].map((room) => until(room, () => room.members.every((one) => one.id !== eve.me.id)));
  await eve.leave();
  await Promise.all(gone);
  const shown = [ana, bo].flatMap((room) => room.history().filter((one) => one.id !== id && one.gone !== 'expired'));
  return { noticed, names: [...names], shown: shown.length };
}

describe.each(['approve', 'locked'] as const)('a person who was not let in (%s)', (kind) => {
  it('reaches nobody with anything', async () => {
    const { noticed, names, shown } = await talks(honest, kind);
    expect(noticed).toEqual({ ana: [], bo: [] });
    expect(names.filter((name) => name !== 'Eve')).toEqual([]);
    expect(shown).toBe(0);
  });

  it('would reach everybody with everything, if it was not asked who is a member', async () => {
    const { noticed, names, shown } = await talks(open, kind);
    for (const at of [noticed.ana, noticed.bo]) {
      expect(at).toEqual(
        expect.arrayContaining([
          ['message', 'text'],
          ['message', 'file'],
          ['message', 'voice'],
          ['typing', ''],
        ]),
      );
    }
    expect(names).toContain('Bo, really');
    expect(shown).toBeGreaterThan(0);
  });
});

describe('a person who was not let in, under the name of somebody whom Ana verified', () => {
  /** Whether Ana can still write to Bo. */
  async function freezes(lab: Lab): Promise<boolean> {
    const { relay, ana, bo } = await closedRoom(lab, 'approve');
    member(ana, bo).verify();
    const eve = await enter(eves, relay, { name: 'Bо', invite: ana.invite.code });
    await sees(ana, eve);
    try {
      await (await ana.send('Bo, are you there?')).delivered;
    } catch (error) {
      if (lab.QsecError.is(error, 'IDENTITY_CHANGED')) return true;
      throw error;
    }
    return false;
  }

  it('freezes nothing', async () => {
    expect(await freezes(honest)).toBe(false);
  });

  it('would, if it did not have to be let in first', async () => {
    const edit: Edit = {
      file: 'room/membership.ts',
      find: '({ changedFrom, waiting }) => changedFrom && !waiting',
      put: '({ changedFrom }) => changedFrom',
    };
    expect(await freezes(await buildLab({ edits: [edit] }))).toBe(true);
  });
});

describe('somebody who meets a newcomer before anybody who would tell them that the room is locked', () => {
  /** What of Eve reaches Di, and of Di Eve, once Di learns it and is let in. */
  async function goesOn(lab: Lab): Promise<string[]> {
    const kept = { persist: 'device', storage: lab.testing.memoryStorage() } as const;
    const relay = new lab.testing.HostileRelay();
    const ana = await enter(lab, relay, { name: 'Ana', capacity: 4, ...kept });
    await ana.lock();
    const eve = await enter(eves, relay, { name: 'Eve', invite: ana.invite.code });
    await Promise.all([sees(ana, eve), sees(eve, ana)]);
    await ana.suspend();

    const di = await enter(lab, relay, { name: 'Di', invite: ana.invite });
    await Promise.all([reach(di, 'secure'), sees(eve, di)]);
    const heard = di.once('message');
    await eve.send('hello Di');
    await heard;
    const again = await enter(lab, relay, { invite: ana.invite, ...kept });
    await Promise.all([sees(again, di), until(di, () => di.policy.locked)]);
    const through: string[] = [];
    for (const room of [di, eve]) room.on('message', ({ text = '' }) => through.push(text));
    await again.approve(member(again, di));
    await reach(di, 'secure');
    await eve.send('from Eve');
    await di.send('from Di');
    const left = until(di, () => di.members.length === 1);
    await (await again.send('from Ana')).delivered;
    await eve.leave();
    await left;
    return through.sort();
  }

  it('is heard no more from then on, and hears nothing', async () => {
    expect(await goesOn(honest)).toEqual(['from Ana']);
  });

  it('would go on, if a newcomer did not think again', async () => {
    const edit: Edit = { file: 'room/admissions.ts', find: 'for (const peer of strangers) peer.trusted = false;', put: '' };
    expect(await goesOn(await buildLab({ edits: [edit] }))).toEqual(['from Ana', 'from Di', 'from Eve']);
  });
});
