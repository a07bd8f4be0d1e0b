import { afterEach, describe, expect, it, vi } from 'vitest';
import type { QsecError } from '../errors.ts';
import type { CarriedFrame } from '../testing/hostile/frame.ts';
import { HostileRelay } from '../testing/hostile/hostile-relay.ts';
import { enter, member, until } from './rooms-in-fast-time.ts';
import type { Room } from './types.ts';

/** A relay that lets everything through but a rekeying: R1 and R2 are the only large frames between two members. */

afterEach(() => vi.restoreAllMocks());

const isLarge = ({ body }: CarriedFrame) => body[1] === 2 && body.length > 1_000;

async function gather(relay: HostileRelay, names: readonly string[]): Promise<Room[]> {
  const creator = await enter(relay, { name: names[0] as string, capacity: Math.max(2, names.length) });
  const rooms = [creator];
  for (const name of names.slice(1)) rooms.push(await enter(relay, { name, invite: creator.invite }));
  await until(() => rooms.every(({ state, members }) => state === 'secure' && members.length === names.length - 1));
  // Changes of the roster that come together make one sender key, a moment later.
  await vi.advanceTimersByTimeAsync(1_000);
  return rooms;
}

/** What a room tells of its keys from now on. */
function toldAt(room: Room): { events: string[]; errors: QsecError[] } {
  const told = { events: [] as string[], errors: [] as QsecError[] };
  room.on('security', ({ kind, member: about }) => {
    if (kind.startsWith('rekey')) told.events.push(`${kind} ${about?.name}`);
  });
  room.on('error', (error) => told.errors.push(error));
  return told;
}

const outcomeOf = (rekeying: Promise<void>): { error: QsecError | undefined; over: boolean } => {
  const outcome = { error: undefined as QsecError | undefined, over: false };
  rekeying.then(
    () => Object.assign(outcome, { over: true }),
    (error: QsecError) => Object.assign(outcome, { over: true, error }),
  );
  return outcome;
};

const speak = async (from: Room, to: Room, text: string) => {
  const heard: (string | undefined)[] = [];
  const stop = to.on('message', (message) => heard.push(message.text));
  await from.send(text);
  await until(() => heard.includes(text));
  stop();
};

describe('a rekeying that a relay holds back', () => {
  it.each(['who shook hands first', 'the other one'])(
    'fails, is told of, and leaves the sender key what it was: asked by %s',
    async (who) => {
      const relay = new HostileRelay();
      const [ana, bo] = (await gather(relay, ['Ana', 'Bo'])) as [Room, Room];
      const [asker, other] = who === 'the other one' ? [ana, bo] : [bo, ana];
      const told = toldAt(asker);
      const { epoch } = asker.security;
      relay.attack({ tamper: (frame) => (isLarge(frame) ? [] : [frame]) });
      const outcome = outcomeOf(asker.rekey());
      await until(() => outcome.over);
      expect(outcome.error).toMatchObject({ code: 'REKEY_FAILED', details: { members: [other.me.id] } });
      expect(outcome.error?.message).toContain(other.me.name);
      expect(told).toEqual({ events: [`rekey-failed ${other.me.name}`], errors: [] });
      expect(asker.security.epoch).toBe(epoch);
      await speak(asker, other, 'under the old keys');
      expect(asker.security.epoch).toBe(epoch);
      expect(asker.state).toBe('secure');
    },
  );

  it('succeeds by itself once the relay lets it through, and the sender key is new then', async () => {
    const relay = new HostileRelay();
    const [ana, bo] = (await gather(relay, ['Ana', 'Bo'])) as [Room, Room];
    const told = toldAt(bo);
    const { epoch } = bo.security;
    relay.attack({ tamper: (frame) => (isLarge(frame) ? [] : [frame]) });
    const outcome = outcomeOf(bo.rekey());
    await until(() => outcome.error !== undefined);
    relay.calm();
    await until(() => bo.security.epoch > epoch);
    expect(told.events).toEqual(['rekey-failed Ana', 'rekeyed Ana']);
    await speak(bo, ana, 'under new keys');
    await speak(ana, bo, 'these, too');
    const again = outcomeOf(bo.rekey());
    await until(() => again.over);
    expect(again.error).toBeUndefined();
  });

  it('is tried again after pauses that grow, and told of once', async () => {
    const relay = new HostileRelay();
    const [, bo] = (await gather(relay, ['Ana', 'Bo'])) as [Room, Room];
    const told = toldAt(bo);
    const begun: number[] = [];
    relay.attack({
      tamper: (frame) => {
        if (!isLarge(frame)) return [frame];
        begun.push(Date.now());
        return [];
      },
    });
    const outcome = outcomeOf(bo.rekey());
    await until(() => outcome.over);
    for (let attempts = 2; attempts <= 4; attempts++) await until(() => begun.length >= attempts);
    const pauses = begun.slice(1).map((at, i) => at - (begun[i] as number));
    for (const [i, pause] of pauses.entries()) {
      expect(pause).toBeGreaterThan(15_000 + 0.7 * 5_000 * 2 ** i);
      expect(pause).toBeLessThan(15_000 + 1.3 * 5_000 * 2 ** i + 2_000);
    }
    expect(told.events).toEqual(['rekey-failed Ana']);
  });

  it('with one of two members renews the keys with the other one, and the sender key once both are', async () => {
    const relay = new HostileRelay();
    const [ana, bo, cy] = (await gather(relay, ['Ana', 'Bo', 'Cy'])) as [Room, Room, Room];
    const [, atBo, atCy] = relay.seatsOf(relay.rooms[0] as string);
    const told = toldAt(bo);
    const { epoch } = bo.security;
    const between = ({ from, to }: CarriedFrame) => [from, to].includes(atBo as string) && [from, to].includes(atCy as string);
    relay.attack({ tamper: (frame) => (isLarge(frame) && between(frame) ? [] : [frame]) });
    const outcome = outcomeOf(bo.rekey());
    await until(() => outcome.over);
    expect(outcome.error).toMatchObject({ code: 'REKEY_FAILED', details: { members: [cy.me.id] } });
    expect(told.events.toSorted()).toEqual(['rekey-failed Cy', 'rekeyed Ana']);
    expect(bo.security.epoch).toBe(epoch);
    relay.calm();
    await until(() => bo.security.epoch > epoch);
    await speak(bo, cy, 'to everyone');
    await speak(ana, bo, 'and back');
  });

  it('that was due by itself is an error event, and messages go on', async () => {
    const relay = new HostileRelay();
    const [ana, bo] = (await gather(relay, ['Ana', 'Bo'])) as [Room, Room];
    const told = toldAt(ana);
    relay.attack({ tamper: (frame) => (isLarge(frame) ? [] : [frame]) });
    for (let i = 0; i < 50; i++) await ana.send(`message ${i}`);
    await until(() => told.errors.length > 0);
    expect(told.errors.map(({ code }) => code)).toEqual(['REKEY_FAILED']);
    expect(told.events).toEqual(['rekey-failed Bo']);
    await speak(ana, bo, 'still here');
    relay.calm();
    await until(() => told.events.includes('rekeyed Bo'));
  });

  it('by saying that a member is away does not pass for done either', async () => {
    const relay = new HostileRelay();
    const [ana, bo] = (await gather(relay, ['Ana', 'Bo'])) as [Room, Room];
    const [atAna, atBo] = relay.seatsOf(relay.rooms[0] as string);
    const { epoch } = ana.security;
    relay.claim(relay.rooms[0] as string, { seat: atBo as string, presence: 'away' }, [atAna as string]);
    relay.attack({ tamper: (frame) => (isLarge(frame) ? [] : [frame]) });
    await until(() => member(ana, bo).presence === 'away');
    const outcome = outcomeOf(ana.rekey());
    await until(() => outcome.over);
    expect(outcome.error?.code).toBe('REKEY_FAILED');
    expect(ana.security.epoch).toBe(epoch);
  });

  it('comes too late and changes nothing by then: what follows does', async () => {
    const relay = new HostileRelay();
    const [ana, bo] = (await gather(relay, ['Ana', 'Bo'])) as [Room, Room];
    const { epoch } = bo.security;
    const held: CarriedFrame[] = [];
    relay.attack({
      tamper: (frame) => {
        if (!isLarge(frame)) return [frame];
        held.push(frame);
        return [];
      },
    });
    const outcome = outcomeOf(bo.rekey());
    await until(() => outcome.error !== undefined);
    relay.calm();
    for (const frame of held) relay.deliver(frame);
    await until(() => bo.security.epoch > epoch);
    await speak(bo, ana, 'one way');
    await speak(ana, bo, 'and the other');
  });
});

describe('a member that is away', () => {
  // Attempts take 15 s, and the times between them are drawn: these are the shortest and the longest.
  it.each([
    { back: 'between two attempts', drawn: 0, afterSeconds: 62 },
    { back: 'during an attempt that went to nobody', drawn: 0.999, afterSeconds: 56 },
  ])(
    'is no fault when keys are due by themselves, and has them renewed when it is back $back',
    async ({ drawn, afterSeconds }) => {
      const relay = new HostileRelay();
      const [ana, bo] = (await gather(relay, ['Ana', 'Bo'])) as [Room, Room];
      const [atAna, atBo] = relay.seatsOf(relay.rooms[0] as string) as [string, string];
      const told = toldAt(ana);
      const room = relay.rooms[0] as string;
      const { epoch } = ana.security;
      vi.spyOn(Math, 'random').mockReturnValue(drawn);
      relay.attack({ tamper: () => [] });
      relay.claim(room, { seat: atBo, presence: 'away' }, [atAna]);
      await until(() => member(ana, bo).presence === 'away');
      for (let i = 0; i < 50; i++) await ana.send(`message ${i}`);
      for (let passed = 0; passed < afterSeconds; passed++) await vi.advanceTimersByTimeAsync(1_000);
      expect(told).toEqual({ events: [], errors: [] });
      relay.calm();
      relay.claim(room, { seat: atBo, presence: 'present' }, [atAna]);
      await until(() => ana.security.epoch > epoch);
      expect(told.events).toEqual(['rekeyed Bo']);
    },
  );
});

describe('a room that is left', () => {
  it('ends what waits for new keys', async () => {
    const relay = new HostileRelay();
    const [, bo] = (await gather(relay, ['Ana', 'Bo'])) as [Room, Room];
    relay.attack({ tamper: (frame) => (isLarge(frame) ? [] : [frame]) });
    const outcome = outcomeOf(bo.rekey());
    await bo.leave();
    await until(() => outcome.over);
    expect(outcome.error?.code).toBe('CLOSED');
  });
});
