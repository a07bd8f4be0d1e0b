import { connect, type Room, type RoomState } from '@qsec2/sdk';
import { afterEach, describe, expect, it } from 'vitest';
import { RelayProcess } from './support/relay-process.ts';

/** The relay ends and comes back on the same data, in the middle of a conversation. */

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function reach(room: Room, state: RoomState): Promise<void> {
  while (room.state !== state) await room.once('state');
}

async function converse() {
  const relay = await RelayProcess.start();
  cleanUp.push(() => relay.stop());
  const ana = await connect({ relay: relay.url, name: 'Ana' });
  cleanUp.push(() => ana.leave());
  const bo = await connect({ relay: relay.url, name: 'Bo', invite: ana.invite });
  cleanUp.push(() => bo.leave());
  await Promise.all([reach(ana, 'secure'), reach(bo, 'secure')]);
  return { relay, ana, bo };
}

describe.each(['SIGKILL', 'SIGTERM'] as const)('a relay ended by %s and started again', (signal) => {
  it('finds both sides reconnecting; they go on in the same session, and a message sent meanwhile arrives once', async () => {
    const { relay, ana, bo } = await converse();
    await (await ana.send('before')).delivered;
    const session = { identity: bo.members[0]?.id, epoch: ana.security.epoch };
    const agreements: string[] = [];
    for (const room of [ana, bo]) room.on('keyAgreement', ({ stage }) => agreements.push(stage));
    const received: (string | undefined)[] = [];
    bo.on('message', ({ text }) => received.push(text));

    const down = Promise.all([reach(ana, 'reconnecting'), reach(bo, 'reconnecting')]);
    await relay.kill(signal);
    await down;
    const meanwhile = await ana.send('meanwhile');
    expect(meanwhile.status).toBe('sending');
    await relay.start();
    ana.reconnect();
    bo.reconnect();

    expect(await meanwhile.delivered).toMatchObject({ pending: [], expired: false });
    await (await ana.send('after')).delivered;
    expect(received).toEqual(['meanwhile', 'after']);
    expect({ identity: bo.members[0]?.id, epoch: ana.security.epoch }).toEqual(session);
    expect(agreements).toEqual([]);
  });
});

describe('a relay that lost its data', () => {
  it('gets the room back from its members, who go on', async () => {
    const { relay, ana, bo } = await converse();
    await relay.kill('SIGKILL');
    await relay.forget();
    await Promise.all([reach(ana, 'reconnecting'), reach(bo, 'reconnecting')]);
    const received = bo.once('message');
    await ana.send('still here');
    await relay.start();
    ana.reconnect();
    bo.reconnect();
    expect((await received).text).toBe('still here');
    await (await bo.send('me too')).delivered;
  });
});
