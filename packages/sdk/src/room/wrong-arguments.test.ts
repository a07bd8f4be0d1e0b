import { afterEach, describe, expect, it } from 'vitest';
import { QsecError } from '../errors.ts';
import { recordVoice } from '../media/recorder/recorder.ts';
import { Invite } from '../protocol/invite.ts';
import { MemoryRelay } from '../testing/memory-relay.ts';
import { connect } from './connect.ts';
import { storedRooms } from './stored-rooms.ts';
import type { Member, Room } from './types.ts';

const open: Room[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((room) => room.leave()));
});

async function enter(options: object): Promise<Room> {
  const room = await connect({ relay: 'http://relay.test', transport: new MemoryRelay().transport, ...options });
  open.push(room);
  return room;
}

/** What a call throws or rejects with. */
async function failureOf(call: () => unknown): Promise<QsecError> {
  try {
    await call();
  } catch (error) {
    if (QsecError.is(error, 'INVALID_ARGUMENT')) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const wrong = (...values: unknown[]) => values;
const WRONG_OPTIONS: Record<string, unknown[]> = {
  relay: wrong(undefined, null, 7, {}, 'localhost:5000', 'wss://relay.test', 'relay.test'),
  invite: wrong(7, null, {}, [], true),
  name: wrong(7, null, {}, ['Ana'], true, Symbol('Ana'), () => 'Ana'),
  roomName: wrong(7, null, {}),
  capacity: wrong('2', 1, 17, 2.5, Number.NaN, null, 2n),
  join: wrong('never', true, null, ''),
  keyAgreement: wrong(7, null, 'required', []),
  'keyAgreement.source': wrong('hardware', 7, null, {}, { alice: () => 1 }),
  'keyAgreement.policy': wrong('forbidden', true, null),
  'keyAgreement.pulses': wrong('32768', 10, 4096.5, 10 ** 9, Number.NaN, null),
  'keyAgreement.threshold': wrong('0.1', 0, -1, 0.12, Number.NaN, null),
  'keyAgreement.channel': wrong('fibre', {}, null, () => 1),
  files: wrong(7, null, 'none', []),
  'files.fetchUpTo': wrong('1', -1, 0.5, Number.POSITIVE_INFINITY, null),
  'files.maxBytes': wrong('1', -1, Number.NaN, null),
  persist: wrong('forever', true, null, ''),
  storage: wrong('indexeddb', {}, null, new Map()),
  signal: wrong('abort', {}, null, new AbortController()),
  logger: wrong('console', {}, null, console),
  transport: wrong('websocket', {}, null),
};

const nested = (path: string, value: unknown): object => {
  const [first = '', second] = path.split('.');
  return { [first]: second === undefined ? value : { [second]: value } };
};

describe('connect', () => {
  it('says what it needs when it is given no options', async () => {
    for (const options of [undefined, null, 7, 'http://relay.test'] as never[]) {
      expect((await failureOf(() => connect(options))).message).toContain('"options" expected an object');
    }
    expect((await failureOf(() => connect({} as never))).message).toContain('"relay" expected an address');
  });

  it.each(Object.entries(WRONG_OPTIONS))('names the option %s when its value is of no use', async (path, values) => {
    for (const value of values) {
      const { message, details } = await failureOf(() => enter(nested(path, value)));
      expect(message, String(value)).toContain(`"${path}" expected`);
      expect(details).toMatchObject({ argument: path });
    }
  });

  it.each([
    [{ Invite: 'x' }, '"Invite" is no option here. Did you mean "invite"?'],
    [{ inivte: 'x' }, 'Did you mean "invite"?'],
    [{ capcity: 3 }, 'Did you mean "capacity"?'],
    [{ persists: 'none' }, 'Did you mean "persist"?'],
    [{ keyAgreement: { treshold: 0.05 } }, '"keyAgreement.treshold" is no option here. Did you mean "threshold"?'],
    [{ files: { fetchUpto: 0 } }, 'Did you mean "fetchUpTo"?'],
    [{ room: 'x' }, '"room" is no option here. There are relay, invite, name,'],
  ])('takes no option that it does not know: %j', async (options, message) => {
    expect((await failureOf(() => enter(options))).message).toContain(message);
  });

  it('shows nothing of an invite that is of no use', async () => {
    const { message } = await failureOf(() => enter({ invite: ['#q2.SECRET'] }));
    expect(message).not.toContain('SECRET');
  });
});

describe('a room', () => {
  const bytes = new Uint8Array(1);
  const sound = { durationMs: 1000, peaks: [1] };
  const member = { id: 'x' } as Member;
  const calls: [string, string, (room: Room, value: never) => unknown, unknown[]][] = [
    ['send', 'text', (room, value) => room.send(value), [undefined, null, 7, '', ' ', {}, ['a']]],
    ['send', 'options', (room, value) => room.send('a', value), [null, 7, 'x', []]],
    ['send', 'replyTo', (room, value) => room.send('a', { replyTo: value }), [7, null, {}]],
    ['send', 'expiresInMs', (room, value) => room.send('a', { expiresInMs: value }), ['5', 0, -1, Number.NaN, 1e12, null]],
    ['edit', 'id', (room, value) => room.edit(value, 'a'), [7, undefined, null, 'x', {}]],
    ['edit', 'text', (room, value) => room.edit('0'.repeat(32), value), [7, undefined, '']],
    ['remove', 'id', (room, value) => room.remove(value), [7, undefined, null, 'x']],
    ['react', 'id', (room, value) => room.react(value, '👍'), [7, undefined, 'x']],
    ['react', 'emoji', (room, value) => room.react('0'.repeat(32), value), [7, null, 'ok', '', {}]],
    ['read', 'id', (room, value) => room.read(value), [7, undefined, 'x']],
    ['rename', 'name', (room, value) => room.rename(value), [7, undefined, null, {}]],
    ['sendFile', 'file', (room, value) => room.sendFile(value), ['text', 7, null, undefined, {}, [1]]],
    ['sendFile', 'options', (room, value) => room.sendFile(bytes, value), [null, 'a.txt']],
    ['sendFile', 'name', (room, value) => room.sendFile(bytes, { name: value }), [7, null, {}]],
    ['sendFile', 'type', (room, value) => room.sendFile(bytes, { type: value }), [7, null]],
    ['sendFile', 'thumbnail', (room, value) => room.sendFile(bytes, { thumbnail: value }), ['x', 7, null, {}]],
    ['sendFile', 'onProgress', (room, value) => room.sendFile(bytes, { onProgress: value }), ['x', {}, null]],
    ['sendFile', 'signal', (room, value) => room.sendFile(bytes, { signal: value }), ['x', {}, null]],
    ['sendVoice', 'recording', (room, value) => room.sendVoice(value), ['text', 7, null, undefined, {}]],
    ['sendVoice', 'durationMs', (room, value) => room.sendVoice(bytes, { ...sound, durationMs: value }), ['1', 0, -1, null]],
    [
      'sendVoice',
      'peaks',
      (room, value) => room.sendVoice(bytes, { ...sound, peaks: value }),
      [7, [], ['a'], [Number.NaN], null],
    ],
    ['messages', 'signal', (room, value) => room.messages({ signal: value }), ['x', {}, null]],
    ['approve', 'member', (room, value) => room.approve(value), [undefined, null, 'Bo', 7, {}]],
    ['delegate', 'member', (room, value) => room.delegate(value, []), [undefined, null, 'Bo']],
    ['delegate', 'rights', (room, value) => room.delegate(member, value), [undefined, null, 'lock', 7]],
    ['removeMember', 'member', (room, value) => room.removeMember(value), [undefined, null, 'Bo']],
    ['leave', 'options', (room, value) => room.leave(value), [null, 'Bo']],
    ['leave', 'delegate', (room, value) => room.leave({ delegate: value }), ['Bo', null, {}]],
    ['on', 'listener', (room, value) => room.on('message', value), [undefined, null, 7, {}]],
    ['on', 'signal', (room, value) => room.on('message', () => 0, { signal: value }), ['x', {}, null]],
    ['once', 'signal', (room, value) => room.once('message', { signal: value }), ['x', {}, null]],
  ];

  it.each(calls)('names what is wrong with a call of %s: %s', async (_, argument, call, values) => {
    const room = await enter({});
    for (const value of values) {
      const { message } = await failureOf(() => call(room, value as never));
      expect(message, String(value)).toContain(`"${argument}" expected`);
    }
  });

  it.each<[string, (room: Room) => unknown]>([
    ['expiresInMs', (room) => room.send('a', { expiresInMS: 5 } as never)],
    ['replyTo', (room) => room.send('a', { replyto: 'x' } as never)],
    ['onProgress', (room) => room.sendFile(bytes, { onprogress: () => 0 } as never)],
    ['thumbnail', (room) => room.sendFile(bytes, { thumnail: bytes } as never)],
    ['durationMs', (room) => room.sendVoice(bytes, { ...sound, duration: 5 } as never)],
    ['delegate', (room) => room.leave({ delegat: undefined } as never)],
    ['signal', (room) => room.on('message', () => 0, { signl: undefined } as never)],
    ['message', (room) => room.on('mesage' as never, () => 0)],
    ['message', (room) => room.on('messages' as never, () => 0)],
    ['keyAgreement', (room) => room.on('keyagreement' as never, () => 0)],
    ['members', (room) => room.once('member' as never)],
    ['error', (room) => room.once('errror' as never)],
  ])('says that %s was meant', async (meant, call) => {
    const room = await enter({});
    expect((await failureOf(() => call(room))).message).toContain(`Did you mean "${meant}"?`);
  });

  it('names its events to whoever asks for one that there is not', async () => {
    const room = await enter({});
    expect((await failureOf(() => room.on('connect' as never, () => 0))).message).toContain(
      'There are state, members, keyAgreement,',
    );
    expect((await failureOf(() => room.on(undefined as never, () => 0))).message).toContain('undefined is no event here');
  });
});

it('rooms that are stored are asked for with the options there are', async () => {
  const storage = { get: 1 };
  expect((await failureOf(() => storedRooms({ relay: 'http://relay.test' } as never))).message).toContain('"persist" expected');
  expect((await failureOf(() => storedRooms({ relay: 'x:1', persist: 'device' }))).message).toContain('"relay" expected');
  expect(
    (await failureOf(() => storedRooms({ relay: 'http://relay.test', persist: 'device', storage } as never))).message,
  ).toContain('"storage"');
  expect((await failureOf(() => storedRooms(undefined as never))).message).toContain('"options" expected');
});

it('an invite is read from a text, and made to a link of a page', async () => {
  expect((await failureOf(() => Invite.parse(7 as never))).message).toBe('"text" expected a string, got 7');
  const { invite } = await enter({});
  expect((await failureOf(() => invite.link('app.example'))).message).toBe(
    '"base" expected the address of a page, got "app.example"',
  );
});

it('a recording is asked for with the options and events there are', async () => {
  expect((await failureOf(() => recordVoice({ maxMS: 1 } as never))).message).toContain('Did you mean "maxMs"?');
  expect((await failureOf(() => recordVoice({ minMs: '1' } as never))).message).toContain('"minMs" expected');
  const recorder = recordVoice();
  expect((await failureOf(() => recorder.on('states' as never, () => 0))).message).toContain('Did you mean "state"?');
});
