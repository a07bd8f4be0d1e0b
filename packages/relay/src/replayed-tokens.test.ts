import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { operatorToken } from './gateway/operator-token.ts';
import { undefended } from './testing/attacks/builds.ts';
import { ChildRelay } from './testing/child-relay.ts';
import { newRoom, type RoomSecrets, random16, random32, TestClient } from './testing/client.ts';
import { afterThisTest, sharedFolder, temporaryFolder } from './testing/relay-fixture.ts';

/** Tokens, seats and frames that someone else has seen, shown again; at the relay as it is, and at one that does not look. */

const OPERATOR = 'a secret of the operator';
const HOUR = 3600;
const folders = [sharedFolder(), sharedFolder()];
const now = () => Math.floor(Date.now() / 1000);
let relays: ChildRelay[];

beforeAll(async () => {
  relays = await Promise.all(
    [undefined, undefended].map((build, i) => ChildRelay.start(folders[i]!, { RELAY_OPERATOR_SECRET: OPERATOR }, build)),
  );
  return async () => {
    await Promise.all(relays.map((relay) => relay.stop('SIGTERM')));
  };
});

/** What an attack comes to: at the relay as it is, and at the one that does not look. */
async function against<T>(attack: (connect: (identity?: TestClient) => Promise<TestClient>) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (const { url } of relays) {
    const connect = (identity?: TestClient) => {
      const client = new TestClient(url, identity && { identity });
      afterThisTest(() => client.close());
      return client.connected();
    };
    results.push(await attack(connect));
  }
  return results;
}

const create = (client: TestClient, room: RoomSecrets) =>
  client.create(room, { operator: operatorToken(OPERATOR, now() + HOUR) });

const codeOf = ({ error }: { error?: { code: string } }): string => error?.code ?? 'ok';

describe("an operator's token", () => {
  it('is worth nothing once its time is over, however often it was good', async () => {
    const attack = async (connect: () => Promise<TestClient>) => {
      const eve = await connect();
      return codeOf(await eve.create(newRoom(), { operator: operatorToken(OPERATOR, now() - 1) }));
    };
    expect(await against(attack)).toEqual(['REFUSED', 'ok']);
  });

  it('is not lengthened by whoever has it, and is not one of another operator', async () => {
    const [eve] = await Promise.all([new TestClient(relays[0]!.url).connected()]);
    afterThisTest(() => eve.close());
    const [, tag] = operatorToken(OPERATOR, now() - 1).split('.');
    const forged = [
      `${now() + HOUR}.${tag}`,
      operatorToken('another operator', now() + HOUR),
      `${now() + HOUR}.`,
      'x'.repeat(256),
    ];
    for (const operator of forged) expect(codeOf(await eve.create(newRoom(), { operator }))).toBe('REFUSED');
  });
});

describe('the token of a room', () => {
  it('opens no other room', async () => {
    const attack = async (connect: () => Promise<TestClient>) => {
      const [ana, eve, room, own] = [await connect(), await connect(), newRoom(), newRoom()];
      await create(ana, room);
      await create(eve, own);
      return codeOf(await eve.join({ ...room, token: own.token }));
    };
    expect(await against(attack)).toEqual(['NO_ROOM', 'ok']);
  });

  it('opens nothing once the room has ended, also when another one was made under its id', async () => {
    const attack = async (connect: () => Promise<TestClient>) => {
      const [ana, eve, room] = [await connect(), await connect(), newRoom()];
      await create(ana, room);
      expect(await ana.socket.emitWithAck('end', { room: room.room, endToken: room.endToken })).toEqual({ ok: true });
      const ended = codeOf(await eve.join(room));
      await create(ana, { ...newRoom(), room: room.room });
      return [ended, codeOf(await eve.join(room))];
    };
    expect(await against(attack)).toEqual([
      ['NO_ROOM', 'NO_ROOM'],
      ['NO_ROOM', 'ok'],
    ]);
  });

  it('to end it is not the one to join it', async () => {
    const attack = async (connect: () => Promise<TestClient>) => {
      const [ana, eve, room] = [await connect(), await connect(), newRoom()];
      await create(ana, room);
      return codeOf(await eve.socket.emitWithAck('end', { room: room.room, endToken: room.token }));
    };
    expect(await against(attack)).toEqual(['NO_ROOM', 'ok']);
  });
});

describe('a seat', () => {
  it('seen by the others of a room is not taken over by one of them', async () => {
    const attack = async (connect: (identity?: TestClient) => Promise<TestClient>) => {
      const [ana, bo, room] = [await connect(), await connect(), newRoom()];
      await create(ana, room);
      await ana.join(room);
      await bo.join(room);
      const eve = await connect(bo);
      eve.seatSecret = random32();
      return codeOf(await eve.join(room));
    };
    expect(await against(attack)).toEqual(['SEAT_TAKEN', 'ok']);
  });

  it('that was left is a new one for whoever takes it: nothing sent before comes with it', async () => {
    const [connect] = relays.map(({ url }) => async (identity?: TestClient) => {
      const client = new TestClient(url, identity && { identity });
      afterThisTest(() => client.close());
      return client.connected();
    });
    const [ana, bo, room] = [await connect!(), await connect!(), newRoom()];
    const { epoch } = (await create(ana, room)).ok!;
    await ana.join(room);
    await bo.join(room);
    ana.push({ text: 'for whoever is there' });
    await bo.until(() => bo.texts.length === 1);
    // Ana has it as well: nobody needs the relay to keep it.
    for (const member of [ana, bo]) member.socket.emit('recv', { upTo: 1 });
    await bo.socket.emitWithAck('leave');
    const again = await connect!(bo);
    const reply = await again.join(room, { since: { epoch, seq: 1 } });
    expect(reply.ok?.head).toBe(1);
    ana.push({ text: 'and now' });
    await again.until(() => again.texts.length > 0);
    expect(again.texts).toEqual(['and now']);
  });
});

describe('a frame', () => {
  it('pushed again, on another connection, takes no second place', async () => {
    const attack = async (connect: (identity?: TestClient) => Promise<TestClient>) => {
      const [ana, bo, room, cid] = [await connect(), await connect(), newRoom(), randomBytes(16)];
      await create(ana, room);
      await ana.join(room);
      await bo.join(room);
      ana.push({ cid, text: 'pay 5' });
      await bo.until(() => bo.texts.length === 1);
      ana.close();
      const replay = await connect(ana);
      await replay.join(room);
      replay.push({ cid, text: 'pay 5' }, { text: 'that is all' });
      await bo.until(() => bo.texts.includes('that is all'));
      return bo.texts.length;
    };
    expect(await against(attack)).toEqual([2, 3]);
  });
});

describe('guessing', () => {
  it('a room or a token gets the same answer for what exists and what does not, and soon none', async () => {
    const [relay] = relays;
    const ana = new TestClient(relay!.url);
    const eve = new TestClient(relay!.url);
    afterThisTest(() => {
      ana.close();
      eve.close();
    });
    await Promise.all([ana.connected(), eve.connected()]);
    const room = newRoom();
    await create(ana, room);
    const answers: string[] = [];
    while (!answers.at(-1)?.includes('RATE_LIMITED')) {
      const guess = answers.length % 2 === 0 ? newRoom() : { ...room, token: random32() };
      answers.push(JSON.stringify(await eve.join(guess, { seat: random16() })));
    }
    expect(new Set(answers).size).toBe(2);
    // Ten seconds' worth of 50 requests a second, each guess for ten; what was paid back meanwhile comes on top.
    expect(answers.length).toBeLessThan(100);
  });

  it('is not slowed down where the operator allows any rate', async () => {
    const relay = await ChildRelay.start(temporaryFolder(), { RELAY_RATE_CONTROL: '1000000' });
    afterThisTest(() => relay.stop('SIGTERM'));
    const eve = await new TestClient(relay.url).connected();
    afterThisTest(() => eve.close());
    for (let i = 0; i < 200; i++) expect(codeOf(await eve.join(newRoom()))).toBe('NO_ROOM');
  });
});
