import { beforeAll, describe, expect, it } from 'vitest';
import type { Room } from '../../packages/sdk/src/index.ts';
import { buildLab, type Edit, type Lab } from './support/lab.ts';
import { enter, pair, reach, settled } from './support/people.ts';

/** The relay says what is not so: who is gone, what was delivered, what it is talking about. */

let honest: Lab;
beforeAll(async () => {
  honest = await buildLab();
});

describe('a relay that holds a message back and says that its reader is gone', () => {
  async function claimGone(lab: Lab): Promise<readonly string[]> {
    const relay = new lab.testing.HostileRelay();
    const { ana, bo } = await pair(lab, relay);
    await settled(ana, bo);
    const [room = ''] = relay.rooms;
    const [anas = '', bos = ''] = relay.seatsOf(room);
    relay.attack({ tamper: () => [] });
    const sent = await ana.send('did you get this?');
    relay.claim(room, { seat: bos, presence: 'gone' }, [anas]);
    const { to, pending } = await sent.delivered;
    expect(to).toEqual([bo.me.id]);
    return pending;
  }

  it('does not make it delivered', async () => {
    expect(await claimGone(honest)).toHaveLength(1);
  });

  it('would, if who is gone counted as who confirmed', async () => {
    const edit: Edit = { file: 'room/outbox.ts', find: 'lost.push(member);', put: '' };
    expect(await claimGone(await buildLab({ edits: [edit] }))).toHaveLength(0);
  });
});

describe('a relay that talks nonsense', () => {
  const NONSENSE: readonly unknown[] = [
    undefined,
    null,
    0,
    'x',
    [],
    {},
    { seat: 7 },
    { upTo: 1 },
    { from: 'a' },
    { reason: 1 },
    { pauseMs: 'b' },
  ];

  /** Says every nonsense in every event to both, while they are in a room. */
  async function babble(lab: Lab): Promise<Room[]> {
    const relay = new lab.testing.HostileRelay();
    const handlers: import('../../packages/sdk/src/transport/transport.ts').TransportHandlers[] = [];
    const watched = {
      transport: ((url, inner) => {
        handlers.push(inner);
        return relay.transport(url, inner);
      }) satisfies typeof relay.transport,
    };
    const ana = await enter(lab, watched, { name: 'Ana' });
    const bo = await enter(lab, watched, { name: 'Bo', invite: ana.invite });
    await Promise.all([reach(ana, 'secure'), reach(bo, 'secure')]);
    for (const said of NONSENSE as never[]) {
      for (const { ack, batch, presence, gap, slow, error } of handlers)
        for (const say of [ack, batch, presence, gap, slow, error]) say(said);
    }
    return [ana, bo];
  }

  it('brings nobody down, and what follows is understood', async () => {
    const rooms = await babble(honest);
    await settled(...rooms);
    expect(rooms.map(({ state }) => state)).toEqual(['secure', 'secure']);
  });

  it('would bring a client down, if what it says were not looked at first', async () => {
    const find = 'shape(value) ? handle(value) : onWrong(event);';
    const lab = await buildLab({ edits: [{ file: 'transport/relay-messages.ts', find, put: 'handle(value);' }] });
    await expect(babble(lab)).rejects.toThrow(TypeError);
  });
});
