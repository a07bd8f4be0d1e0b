import type { MessageFile, QsecErrorCode, VoiceMessage } from '@qsec2/sdk';
import { QsecError } from '@qsec2/sdk';
import { contentOf, FakeRoom } from './fake-room.ts';
import { fullReport, refusedStages, stagesUpTo } from './fixtures.ts';

const at = (minutesAgo: number) => new Date(Date.now() - minutesAgo * 60_000);

function secureRoom(): FakeRoom {
  const room = new FakeRoom();
  room.admit('Bo');
  return room;
}

function talk(room: FakeRoom): void {
  const [bo] = room.members;
  if (!bo) return;
  room.receive(bo, 'Morning. Did the contract come through?', at(64));
  room.sendAt('It did. I am reading it now.', at(62), 'delivered');
  room.sendAt('Section 4 is the one to look at: https://example.org/contract#s4', at(62), 'delivered');
  room.receive(bo, 'On it', at(58));
  room.receive(
    bo,
    'The second paragraph still has last year’s figures. Can you send me the page as it was signed? I would like to compare the wording before we answer.',
    at(57),
  );
  room.sendAt('Give me five minutes', at(2), 'delivered');
  room.sendAt('Here is the passage', at(1), 'sent');
  room.sendAt('and the annex', at(0), 'sending');
}

/** A few colours, as a browser paints them. */
function painting(): Promise<Blob> {
  const canvas = new OffscreenCanvas(640, 400);
  const brush = canvas.getContext('2d');
  if (!brush) throw new Error('a canvas has a brush');
  const sky = brush.createLinearGradient(0, 0, 640, 400);
  for (const [stop, colour] of [
    [0, '#123c69'],
    [0.5, '#c96f4a'],
    [1, '#f2d7a0'],
  ] as const)
    sky.addColorStop(stop, colour);
  brush.fillStyle = sky;
  brush.fillRect(0, 0, 640, 400);
  brush.fillStyle = '#0b1a24';
  brush.fillRect(0, 320, 640, 80);
  return canvas.convertToBlob({ type: 'image/png' });
}

const bytes = (size: number, type = '') => new Blob([new Uint8Array(size)], { type });

/** A PNG of 29 bytes that says it is 16,000 pixels wide and high. */
const enormous = () =>
  new Blob([
    new Uint8Array([
      0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 0x3e, 0x80, 0, 0, 0x3e, 0x80, 1, 0, 0, 0,
      0,
    ]),
  ]);

/** Files in every state there is, which the widget sends by itself. */
async function files(room: FakeRoom): Promise<void> {
  const [bo] = room.members;
  if (!bo) return;
  room.receiveFile(bo, contentOf(await painting(), 'Sunset.png', 'image/png'), at(9));
  room.receiveFile(bo, contentOf(bytes(482_133), 'Quarterly report, third revision.pdf', 'application/pdf'), at(8));
  const large: MessageFile = { ...contentOf(bytes(1), 'Rehearsal.mov', 'video/quicktime'), size: 734_003_200 };
  room.receiveFile(bo, large, at(7));
  const corrupt = () => Promise.reject(new QsecError('FILE_CORRUPT', 'The file was changed.'));
  room.receiveFile(bo, { ...contentOf(bytes(90_100), 'notes.txt', 'text/plain'), blob: corrupt }, at(6));
  room.receiveFile(bo, contentOf(bytes(5120, 'image/png'), 'broken.png', 'image/png'), at(5));
  room.receiveFile(bo, contentOf(enormous(), 'Panorama of the valley.png', 'image/png'), at(4));
}

const beep = (durationMs: number): VoiceMessage => ({
  ...contentOf(bytes(4096), 'voice', 'audio/webm'),
  durationMs,
  peaks: Array.from({ length: 64 }, (_, i) => Math.abs(Math.sin(i / 3) * Math.cos(i / 11)) * 0.9 + 0.08),
});

/** Voice messages of both sides. */
async function voices(room: FakeRoom): Promise<void> {
  const [bo] = room.members;
  if (!bo) return;
  room.receiveVoice(bo, beep(12_400), at(4));
  const sent = room.sendVoice(new Blob([new Uint8Array(4096)]), beep(75_000));
  room.uploads[0]?.finish();
  room.setStatus((await sent).id, 'delivered');
}

const refused = fullReport({
  sifted: 16_380,
  sampled: 4_096,
  qber: { z: 0.2493, x: 0.2466, combined: 0.248, upperBound: 0.2701 },
  channel: 'simulated: single photons, flip 1.5 %, intercept-resend on 100 % (random basis)',
});

const tooNoisy = fullReport({
  sifted: 16_402,
  sampled: 4_101,
  qber: { z: 0.0862, x: 0.0878, combined: 0.087, upperBound: 0.1132 },
  channel: 'simulated: single photons, flip 8.7 %',
});

/** A newcomer whom the room turns away. */
const turnedAway = (code: QsecErrorCode): Scene => ({
  room: () => {
    const room = new FakeRoom();
    room.me = { ...room.me, creator: false, name: 'Bo' };
    return room;
  },
  next: (room) => room.fail(new QsecError(code, 'The room turned us away.')),
});

export interface Scene {
  /** The room before the widget sees it. */
  room: () => FakeRoom;
  /** What happens once it does. */
  next?: (room: FakeRoom) => void | Promise<void>;
}

/** Every state a person can meet, by name. `setup` has no room at all. */
export const SCENES: Readonly<Record<string, Scene>> = {
  waiting: { room: () => new FakeRoom() },
  exchange: {
    room: () => new FakeRoom(),
    next: (room) => {
      room.setState('agreeing');
      room.agree(stagesUpTo('estimation'));
    },
  },
  aborted: {
    room: () => new FakeRoom(),
    next: (room) => {
      room.setState('agreeing');
      room.agree(refusedStages(refused));
      room.setState('aborted');
    },
  },
  'no-key-left': {
    room: () => new FakeRoom(),
    next: (room) => {
      room.setState('agreeing');
      room.agree(refusedStages(tooNoisy, 3, 'KEY_TOO_SHORT'));
      room.setState('aborted');
    },
  },
  secure: {
    room: () => new FakeRoom(),
    next: (room) => {
      room.agree(stagesUpTo('confirmed'));
      room.admit('Bo');
    },
  },
  chat: {
    room: () => {
      const room = secureRoom();
      talk(room);
      return room;
    },
    next: (room) => {
      const [bo] = room.members;
      if (bo) room.setTyping(bo, true);
    },
  },
  files: { room: secureRoom, next: files },
  voices: { room: secureRoom, next: voices },
  verified: {
    room: () => {
      const room = secureRoom();
      talk(room);
      room.members[0]?.verify();
      return room;
    },
  },
  failed: {
    room: () => {
      const room = secureRoom();
      room.sendAt('This one did not make it', at(1), 'failed');
      return room;
    },
  },
  undelivered: {
    room: () => {
      const room = secureRoom();
      room.sendAt('Is anybody here yet?', at(3), 'unaddressed');
      room.sendAt('See you at noon', at(2), 'expired');
      room.sendAt('This one arrived', at(1), 'delivered');
      return room;
    },
  },
  reconnecting: {
    room: () => {
      const room = secureRoom();
      talk(room);
      return room;
    },
    next: (room) => room.setState('reconnecting'),
  },
  left: {
    room: () => {
      const room = secureRoom();
      talk(room);
      return room;
    },
    next: (room) => {
      const [bo] = room.members;
      if (bo) room.depart(bo);
    },
  },
  group: {
    room: () => {
      const room = new FakeRoom();
      room.policy = { ...room.policy, name: 'Review', capacity: 5 };
      const bo = room.admit('Bo');
      const cleo = room.admit('Cleo');
      room.receive(bo, 'Shall we start?', at(4));
      room.receive(cleo, 'Yes, I am ready', at(3));
      room.sendAt('Then let us begin', at(2), 'delivered');
      return room;
    },
  },
  'asks-in': {
    room: () => {
      const room = new FakeRoom();
      room.policy = { ...room.policy, name: 'Review', capacity: 5, locked: true };
      const bo = room.admit('Bo');
      bo.verified = true;
      room.policy = { ...room.policy, delegates: [{ id: bo.id, rights: ['approve', 'lock', 'remove'] }] };
      room.receive(bo, 'Cleo is on her way', at(4));
      room.admit('Dana');
      room.admit('Cleo').waiting = true;
      return room;
    },
  },
  entering: {
    room: () => {
      const room = new FakeRoom();
      room.me = { ...room.me, creator: false, name: 'Cleo' };
      room.policy = { ...room.policy, capacity: 5, join: 'approve' };
      return room;
    },
    next: (room) => {
      room.admit('Ana', undefined, 'waiting');
    },
  },
  /** Somebody who asks to be let in is called as Bo is, whom we verified. */
  'asks-in-as-known': {
    room: () => {
      const room = new FakeRoom();
      room.policy = { ...room.policy, capacity: 5, locked: true };
      const bo = room.admit('Bo');
      bo.verified = true;
      room.receive(bo, 'nobody else is coming', at(4));
      room.askUnderKnownName(bo);
      return room;
    },
  },
  'identity-changed': {
    room: secureRoom,
    next: (room) => {
      const [bo] = room.members;
      if (!bo) return;
      const before = { ...bo, verified: true, safetyNumber: bo.safetyNumber.split(' ').reverse().join(' ') };
      room.change(bo, { changedFrom: before, verified: false });
      room.setState('aborted');
    },
  },
  closed: { room: secureRoom, next: (room) => room.setState('closed') },
  'room-full': turnedAway('ROOM_FULL'),
  'wrong-setup': {
    room: () => new FakeRoom(),
    next: (room) => {
      room.setState('closed');
      const message =
        '"relay" expected an address such as https://relay.example, got "localhost:5000". Write "http://localhost:5000".';
      room.fail(new QsecError('INVALID_ARGUMENT', message));
    },
  },
  'bad-link': turnedAway('ROOM_NOT_FOUND'),
};
