import { describe, expect, it, vi } from 'vitest';
import type { ConnectOptions, Logger } from '../options.ts';
import { oneFlightSource } from '../protocol/one-flight-source.fixture.ts';
import { HostileRelay } from '../testing/hostile/hostile-relay.ts';
import { outerType } from '../testing/index.ts';
import { memoryStorage } from '../testing/memory-storage.ts';
import type { Transport, TransportFactory, TransportHandlers } from '../transport/transport.ts';
import { connect } from './connect.ts';
import { member, enter as open, until } from './rooms-in-fast-time.ts';
import type { Message, Room } from './types.ts';

/** What a room makes of its relay, and what it lets its application wait for. */

/** Keys that cost no time: this is about something else. */
const keyAgreement = { source: oneFlightSource() };
const enter = (relay: HostileRelay, options: Partial<ConnectOptions>) => open(relay, { keyAgreement, ...options });

async function pair(relay = new HostileRelay(), options: Partial<ConnectOptions> = {}) {
  const ana = await enter(relay, { name: 'Ana', ...options });
  const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
  await until(() => ana.state === 'secure' && bo.state === 'secure');
  return { relay, ana, bo };
}

/** The way to a relay, and what comes from there, in a test's hands. */
function tapped(relay: HostileRelay) {
  const made: { transport: Transport; handlers: TransportHandlers }[] = [];
  const transport: TransportFactory = (url, handlers) => {
    const inner = relay.transport(url, handlers);
    made.push({ transport: inner, handlers });
    return inner;
  };
  return { transport, made };
}

/** A logger, and what it was told. */
function logged() {
  const said: string[] = [];
  const logger: Logger = (level, message) => void said.push(`${level} ${message}`);
  return { logger, said };
}

describe('a message that is written while keys are agreed', () => {
  it('is waited with for fifteen seconds from when that began, and then is for whoever comes', async () => {
    const relay = new HostileRelay({ tamper: (frame) => (outerType(frame.body) === 'handshake' ? [] : [frame]) });
    const ana = await enter(relay, { name: 'Ana' });
    const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
    expect(bo.state).toBe('agreeing');
    await vi.advanceTimersByTimeAsync(5_000);
    let sent: Message | undefined;
    void bo.send('are you there').then((message) => {
      sent = message;
    });
    await vi.advanceTimersByTimeAsync(9_000);
    expect(sent).toBeUndefined();
    await until(() => sent !== undefined);
    expect(sent?.status).toBe('sending');
    relay.calm();
    await until(() => ana.history().some(({ text }) => text === 'are you there'));
  });
});

describe('who leaves a room that it made', () => {
  it('stays where the one that is to decide does not confirm it', async () => {
    const relay = new HostileRelay();
    const { ana, bo } = await pair(relay, { capacity: 3 });
    const [, boAt] = relay.seatsOf(relay.rooms[0] as string);
    relay.attack({ tamper: (frame) => (frame.from === boAt ? [] : [frame]) });
    const refused = vi.fn();
    ana.leave({ delegate: member(ana, bo) }).catch(refused);
    await until(() => refused.mock.calls.length > 0);
    expect(refused.mock.calls[0]?.[0]).toMatchObject({
      code: 'TIMEOUT',
      message: '"Bo" did not confirm that it decides from now on. You are still in the room.',
    });
    expect(ana.state).toBe('secure');
  });

  it('is warned in the log where nobody can decide any more, and not where somebody can', async () => {
    const warning = 'warn left without a delegate: nobody can decide about the room any more';
    const first = logged();
    const { ana } = await pair(new HostileRelay(), { capacity: 3, logger: first.logger });
    await ana.leave();
    expect(first.said).toContain(warning);
    const second = logged();
    const { ana: other, bo } = await pair(new HostileRelay(), { capacity: 3, logger: second.logger });
    void other.leave({ delegate: member(other, bo) });
    await until(() => other.state === 'closed');
    expect(second.said).not.toContain(warning);
    const third = logged();
    const { ana: two } = await pair(new HostileRelay(), { logger: third.logger });
    await two.leave();
    expect(third.said).not.toContain(warning);
  });

  it('that is kept is come back to where it is disposed of, and left otherwise', async () => {
    const kept = { persist: 'device' as const, storage: memoryStorage() };
    const { relay, ana, bo } = await pair(new HostileRelay(), kept);
    await ana[Symbol.asyncDispose]();
    const again = await enter(relay, { invite: bo.invite, ...kept });
    expect(again.me.id).toBe(ana.me.id);
    await bo[Symbol.asyncDispose]();
    await until(() => again.members.length === 0);
  });
});

describe('a stream of the room’s messages', () => {
  it('ends when it is cancelled, before or while it is read, and when the room is left', async () => {
    const { ana, bo } = await pair();
    const stop = new AbortController();
    const read = async (messages: AsyncIterable<Message>) => {
      const texts: (string | undefined)[] = [];
      for await (const { text } of messages) texts.push(text);
      return texts;
    };
    const [stopped, never, all] = [
      read(bo.messages({ signal: stop.signal })),
      read(bo.messages({ signal: AbortSignal.abort() })),
      read(bo.messages()),
    ];
    await ana.send('one');
    await until(() => bo.history().length === 1);
    stop.abort();
    await ana.send('two');
    await until(() => bo.history().length === 2);
    await bo.leave();
    expect(await Promise.all([stopped, never, all])).toEqual([['one'], [], ['one', 'two']]);
  });
});

describe('what a relay says', () => {
  async function alone(options: Partial<ConnectOptions> = {}) {
    const relay = new HostileRelay();
    const { transport, made } = tapped(relay);
    const ana: Room = await connect({ relay: 'http://relay.test', keyAgreement, name: 'Ana', ...options, transport });
    const [{ handlers, transport: inner }] = made as [{ transport: Transport; handlers: TransportHandlers }];
    return { relay, ana, handlers, inner };
  }

  it('of frames that we never get is told as a gap, with how many they are', async () => {
    const { ana, handlers } = await alone();
    const gaps: unknown[] = [];
    ana.on('gap', (gap) => gaps.push(gap));
    handlers.gap({ from: 3, to: 7 });
    expect(gaps).toEqual([{ missing: 5 }]);
    await ana.leave();
  });

  it('when the room is ended closes it', async () => {
    const { ana, handlers } = await alone();
    const states: string[] = [];
    ana.on('state', (state) => states.push(state));
    handlers.ended({ reason: 'ended' } as never);
    expect([ana.state, states]).toEqual(['closed', ['closed']]);
  });

  it('when it complains is logged, and no event', async () => {
    const { logger, said } = logged();
    const { ana, handlers } = await alone({ logger });
    const errors = vi.fn();
    ana.on('error', errors);
    handlers.error({ code: 'RATE', message: 'too fast' } as never);
    expect(said.filter((line) => line.startsWith('warn'))).toHaveLength(1);
    expect(errors).not.toHaveBeenCalled();
    await ana.leave();
  });

  it('is asked for again where the application wants that', async () => {
    const { ana, inner } = await alone();
    const reconnect = vi.spyOn(inner, 'reconnect');
    ana.reconnect();
    expect(reconnect).toHaveBeenCalledOnce();
    await ana.leave();
  });

  it('in frames that are none is refused without an event, and what follows is taken', async () => {
    const { logger, said } = logged();
    const relay = new HostileRelay();
    const { ana, bo } = await pair(relay, { logger });
    const errors = vi.fn();
    ana.on('error', errors);
    const [room = ''] = relay.rooms;
    const [anaAt = '', boAt = ''] = relay.seatsOf(room);
    for (const body of [[2, 9, 1], [2, 2, 1], [2, 3, 1], [2]]) {
      relay.deliver({ room, from: boAt, to: anaAt, transient: false, body: Uint8Array.from(body) });
    }
    await bo.send('still here');
    await until(() => ana.history().some(({ text }) => text === 'still here'));
    expect(said.filter((line) => line.startsWith('warn a frame was refused')).length).toBeGreaterThanOrEqual(3);
    expect(errors).not.toHaveBeenCalled();
  });

  it('as if it came from ourselves is nothing', async () => {
    const { logger, said } = logged();
    const relay = new HostileRelay();
    const { ana } = await pair(relay, { logger });
    const [room = ''] = relay.rooms;
    const [anaAt = ''] = relay.seatsOf(room);
    said.length = 0;
    relay.deliver({ room, from: anaAt, to: anaAt, transient: false, body: Uint8Array.of(2, 9, 1) });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(said).toEqual([]);
    expect(ana.state).toBe('secure');
  });
});

describe('our name', () => {
  it('is shown cleaned, to ourselves as well, and is the default where nothing is left of it', async () => {
    const { ana, bo } = await pair();
    await ana.rename('  Anna\u0000 ');
    expect(ana.me.name).toBe('Anna');
    await until(() => member(bo, ana).name === 'Anna');
    await ana.rename(' ');
    expect(ana.me.name).toBe('Guest');
  });
});
