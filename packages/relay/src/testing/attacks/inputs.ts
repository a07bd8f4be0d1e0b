import { encodePushes } from '@qsec2/sdk/wire';
import type { RoomSecrets } from '../client.ts';
import type { Dice } from './dice.ts';
import { clientFrame } from './tcp-client.ts';

const TEXT = 0x81;
const BINARY = 0x82;

/** What the attacker knows, and words that are looked for in everything the relay has afterwards. */
export interface Knowledge {
  /** Rooms that exist, with their tokens. */
  rooms: readonly RoomSecrets[];
  /** Strings that must reach no log and no table, wherever they are written. */
  words: readonly string[];
}

/** Something sent to a relay, as WebSocket frames. */
export interface Input {
  frames: Buffer;
  /** Known not to end the connection. */
  gentle?: boolean;
  /** May be the beginning of something longer: what is sent behind it is a part of it. */
  open?: boolean;
}

const EVENTS = ['create', 'join', 'leave', 'end', 'push', 'recv', 'report', 'blob:put', 'blob:get', 'blob:drop'];
const ODD_EVENTS = [
  '__proto__',
  'constructor',
  'toString',
  '',
  'error',
  'message',
  'data',
  'hasOwnProperty',
  '\u0000',
  'batch',
  'ack',
];
const HELLO = '40';

export const hello = (): Buffer => clientFrame(TEXT, HELLO);
export const text = (packet: string): Buffer => clientFrame(TEXT, packet);

/** One input of any kind. */
export function input(dice: Dice, known: Knowledge): Input {
  const roll = dice.next();
  if (roll < 0.42) return request(dice, known);
  if (roll < 0.45) return large(dice, known);
  if (roll < 0.7) return gentleEvent(dice, known);
  if (roll < 0.8) return { frames: push(dice, known) };
  if (roll < 0.86) return { frames: wrongState(dice, known) };
  if (roll < 0.92) return { frames: clientFrame(TEXT, dice.damaged(Buffer.from(packet(dice, known)))) };
  if (roll < 0.95) return { frames: clientFrame(dice.one([TEXT, BINARY]), dice.bytes(dice.length(4000))) };
  if (roll < 0.97) return { frames: engineIo(dice, known) };
  return { frames: webSocket(dice), open: true };
}

/** A request in a valid envelope, with a reply wanted, about anything. */
function request(dice: Dice, known: Knowledge): Input {
  if (dice.chance(0.1)) return { frames: chunk(dice, known), gentle: true };
  const event = dice.one(['create', 'join', 'leave', 'end', 'blob:get', 'blob:drop']);
  const fields = event === 'leave' ? [] : [dice.chance(0.7) ? almostRight(dice, known) : anything(dice, known, 3)];
  return { frames: text(`42${dice.below(1e6)}${JSON.stringify([event, ...fields])}`), gentle: true };
}

/** A chunk of a file. */
function chunk(dice: Dice, known: Knowledge): Buffer {
  const event = `["blob:put",${JSON.stringify(almostRight(dice, known))},{"_placeholder":true,"num":0}]`;
  const word = Buffer.from(dice.one(known.words));
  return Buffer.concat([
    text(`451-${dice.below(1e6)}${event}`),
    clientFrame(BINARY, Buffer.concat([word, dice.bytes(dice.length(4000))])),
  ]);
}

/** Events that are not of the contract, acknowledgements nobody waits for, heartbeats. */
function gentleEvent(dice: Dice, known: Knowledge): Input {
  const frames = dice.one([
    () => text(`42${JSON.stringify([dice.one([...ODD_EVENTS, ...known.words]), anything(dice, known, 3)])}`),
    () => text(`42[${dice.below(1e9)},${JSON.stringify(anything(dice, known, 2))}]`),
    () => text(`43${dice.below(1e6)}${JSON.stringify([anything(dice, known, 2)])}`),
    () => text('3'),
    () => clientFrame(dice.one([0x89, 0x8a]), dice.one(known.words).slice(0, dice.below(126))),
  ])();
  return { frames, gentle: true };
}

/** A push: right, damaged, or not where its placeholder says. */
function push(dice: Dice, known: Knowledge): Buffer {
  const frames = Array.from({ length: 1 + dice.below(4) }, () => ({
    cid: dice.bytes(16),
    ...(dice.chance(0.3) && { to: Array.from({ length: 1 + dice.below(4) }, () => dice.bytes(16)) }),
    transient: dice.chance(0.3),
    body: Buffer.concat([Buffer.from(dice.one(known.words)), dice.bytes(dice.length(2000))]),
  }));
  const body = Buffer.from(encodePushes(frames));
  const header = dice.chance(0.8)
    ? '451-["push",{"_placeholder":true,"num":0}]'
    : dice.one([
        '451-["push",{"_placeholder":true,"num":7}]',
        '451-["push",{"_placeholder":true,"num":"length"}]',
        '452-["push",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]',
        '459999999-["push"]',
        '45-["push"]',
        '451-["blob:put",{"blob":1},{"_placeholder":true,"num":0}]',
        '461-1[{"_placeholder":true,"num":0}]',
      ]);
  const bytes = dice.chance(0.6) ? body : dice.damaged(body);
  const parts = [text(header), clientFrame(BINARY, bytes.subarray(0, 65_535))];
  return Buffer.concat(dice.chance(0.9) ? parts : dice.one([parts.slice(0, 1), parts.slice(1), [...parts, ...parts.slice(1)]]));
}

/** A packet much larger, deeper or with more parts than it ought to have, within what the relay reads or far beyond. */
function large(dice: Dice, known: Knowledge): Input {
  const gentle = dice.chance(0.3);
  const packet = gentle ? largeGentlePacket(dice, known) : largePacket(dice, known);
  const attachment = dice.chance(0.3) ? clientFrame(BINARY, dice.bytes(10)) : Buffer.alloc(0);
  return gentle ? { frames: text(packet), gentle } : { frames: Buffer.concat([text(packet), attachment]) };
}

/** Within what the relay reads, and nothing it answers. */
function largeGentlePacket(dice: Dice, known: Knowledge): string {
  const many = dice.chance(0.5) ? 8000 : 1 + dice.length(8000);
  return dice.one([
    () => `42["x"${',0'.repeat(many / 2)}]`,
    () => `42["x",${'['.repeat(many / 2)}${']'.repeat(many / 2)}]`,
    () => `42["x",${'{"a":'.repeat(many / 6)}0${'}'.repeat(many / 6)}]`,
    () => `42${'9'.repeat(many)}["x"]`,
    () => `43${'9'.repeat(many)}["x"]`,
    () => `43["x"${',0'.repeat(many / 2)}]`,
    () => `42["${dice.one(known.words).padEnd(many, 'x')}"]`,
    () => `42[${'9'.repeat(many)}]`,
  ])();
}

export function largePacket(dice: Dice, known: Knowledge): string {
  const many = dice.chance(0.5) ? 300_000 : 1 + dice.length(300_000);
  const event = JSON.stringify(dice.one([...EVENTS, 'x']));
  const word = dice.one(known.words);
  const placeholders = (n: number) => Array.from({ length: n }, (_, num) => `{"_placeholder":true,"num":${num}}`).join(',');
  return dice.one([
    () => `42[${event}${',0'.repeat(many)}]`,
    () => `42[${event}${',{}'.repeat(many)}]`,
    () => `421[${event}${',""'.repeat(many)}]`,
    () => `42[${event},${'['.repeat(many)}${']'.repeat(many)}]`,
    () => `421[${event},${'{"room":'.repeat(many)}0${'}'.repeat(many)}]`,
    () => `42[${event},${'['.repeat(many)}`,
    () => `42["${word.padEnd(many, 'x')}"]`,
    () => `42[${event},"${word.padEnd(many, 'x')}"]`,
    () => `42${'9'.repeat(many)}[${event}]`,
    () => `43${'9'.repeat(many)}[0${',0'.repeat(many)}]`,
    () => `45${many}-[${event},${placeholders(many / 10)}]`,
    () => `45${'9'.repeat(many)}-[${event}]`,
    () => `45${'1'.repeat(many)}`,
    () => `451-[${event},${'['.repeat(many)}{"_placeholder":true,"num":0}${']'.repeat(many)}]`,
    () => `451-[${event}${',{"_placeholder":true,"num":0}'.repeat(many / 10)}]`,
    () => `461-${'9'.repeat(many)}[{"_placeholder":true,"num":0}]`,
    () => `452-[${event},${placeholders(2)}]`,
    () => `450-[${event}]`,
    () => `40/${word.padEnd(many, 'x')},`,
    () => `42/${word.padEnd(many, '/')},[${event}]`,
    () => `451-/${'x'.repeat(many)},[${event}]`,
    () => `40{${Array.from({ length: many / 10 }, (_, i) => `"${i}":0`).join(',')}}`,
    () => `40${'{"a":'.repeat(many)}0${'}'.repeat(many)}`,
    () => `40{"pid":"${word.padEnd(many, 'x')}","offset":"x"}`,
    () => `41${'x'.repeat(many)}`,
    () => `44{"message":"${word.padEnd(many, 'x')}"}`,
    () => `2${'x'.repeat(many)}`,
    () => `b${Buffer.alloc(many).toString('base64')}`,
  ])();
}

/** Events of the contract at a moment, or in a form, in which they do not belong. */
function wrongState(dice: Dice, known: Knowledge): Buffer {
  return dice.one([
    () => text(`42${JSON.stringify([dice.one(EVENTS), anything(dice, known, 3), anything(dice, known, 1)])}`),
    () => text(`42${JSON.stringify(['recv', { upTo: dice.one([0, 1, -1, 1e300, 2 ** 48, '1', null]) }])}`),
    () => text(`42${JSON.stringify(['report', { kind: dice.one(['key-destroyed', 'x', ...known.words]) }])}`),
    () => text(HELLO),
    () => text('41'),
    () => Buffer.concat([text('41'), text(HELLO)]),
    () => text(`40/${dice.one(known.words)},`),
    () => text(`40${JSON.stringify({ pid: dice.one(known.words), offset: 'x' })}`),
    () => text(`44${JSON.stringify({ message: dice.one(known.words) })}`),
    () => clientFrame(BINARY, dice.bytes(dice.length(500))),
  ])();
}

/** A packet of Socket.IO as clients send it. */
function packet(dice: Dice, known: Knowledge): string {
  return `42${dice.chance(0.5) ? dice.below(1000) : ''}${JSON.stringify([dice.one(EVENTS), almostRight(dice, known)])}`;
}

/** Packets of Engine.IO, of all types there are and some there are not. */
function engineIo(dice: Dice, known: Knowledge): Buffer {
  return text(
    `${dice.one(['0', '1', '2', '2probe', '3probe', '5', '6', '7', 'b4', '\u001e', '4', '4\u001e4'])}${dice.one(known.words)}`,
  );
}

/** Bytes that are frames in name only: reserved bits, unknown opcodes, lengths that lie, masks that are missing. */
function webSocket(dice: Dice): Buffer {
  const random = dice.bytes(2 + dice.length(100));
  return dice.chance(0.5) ? random : dice.damaged(clientFrame(dice.below(256), random));
}

/** A request whose fields are mostly right, so that the checks behind the first are reached. */
function almostRight(dice: Dice, known: Knowledge): unknown {
  const { room, token, endToken } = dice.one(known.rooms);
  const id = (length: number) => dice.bytes(length).toString('base64url');
  const fields: Record<string, unknown> = {
    room: dice.chance(0.7) ? room : id(16),
    token: dice.chance(0.7) ? token : id(32),
    endToken: dice.chance(0.02) ? endToken : id(32),
    capacity: 2 + dice.below(15),
    seat: id(16),
    seatSecret: id(32),
    upTo: dice.below(100),
    kind: 'key-agreement-started',
    blob: id(16),
    index: dice.below(3),
    last: dice.chance(0.5),
    ...(dice.chance(0.3) && { since: { epoch: dice.one(known.words), seq: dice.below(1000) } }),
    ...(dice.chance(0.2) && { operator: dice.one(known.words) }),
  };
  if (dice.chance(0.5)) fields[dice.one(Object.keys(fields))] = anything(dice, known, 2);
  if (dice.chance(0.1)) delete fields[dice.one(Object.keys(fields))];
  return fields;
}

/** Any value that JSON can say. */
function anything(dice: Dice, known: Knowledge, depth: number): unknown {
  const kind = dice.below(depth > 0 ? 9 : 7);
  switch (kind) {
    case 0:
      return null;
    case 1:
      return dice.chance(0.5);
    case 2:
      return dice.one([0, -0, -1, 0.5, 1e308, -1e-308, 2 ** 53, dice.below(1e9)]);
    case 3:
      return dice.one(known.words);
    case 4:
      return dice.bytes(dice.length(200)).toString('base64url');
    case 5:
      return dice.bytes(dice.length(100)).toString('latin1');
    case 6:
      return { _placeholder: true, num: dice.below(3) };
    case 7:
      return Array.from({ length: dice.below(5) }, () => anything(dice, known, depth - 1));
    default: {
      const keys = Array.from({ length: dice.below(5) }, () => dice.one([...ODD_EVENTS, 'room', 'token', ...known.words]));
      return Object.fromEntries(keys.map((key) => [key, anything(dice, known, depth - 1)]));
    }
  }
}
