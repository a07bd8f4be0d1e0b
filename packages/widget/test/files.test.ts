import { QsecError } from '@qsec2/sdk';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { actionOf, factsOf, shareOf, wantsAtOnce } from '../src/components/qsec2-file/qsec2-file.logic';
import { isCancelled, isRetryable, spoken } from '../src/components/qsec2-log/spoken.logic';
import { en } from '../src/i18n/en';
import { enMedia } from '../src/i18n/en-media';
import { makeFormat } from '../src/i18n/format';
import { notDrawn } from '../src/media/drawable';
import { inlineOf } from '../src/media/inline.logic';
import { Session } from '../src/store/session';
import type { MessageItem } from '../src/store/view';
import { contentOf, FakeRoom } from './fake-room.ts';

const words = { t: en, media: enMedia, format: makeFormat('en') };

let session: Session;
let room: FakeRoom;

beforeEach(() => {
  vi.stubGlobal('location', { href: 'https://app.example/' });
  session = new Session(() => ({ relay: 'https://relay.example', keyAgreement: undefined, linkBase: '' }), {
    message: vi.fn(),
    error: vi.fn(),
  });
  room = new FakeRoom();
  room.admit('Bo');
  session.adopt(room);
});

const items = () => session.view.timeline.filter((item) => item.kind === 'message');
const pdf = { blob: new Blob([new Uint8Array(1000)]), name: 'a.pdf', type: 'application/pdf' };

describe('a picture', () => {
  const png = (side: number) => {
    const file = new Uint8Array(29);
    file.set([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]);
    for (const at of [16, 20]) new DataView(file.buffer).setUint32(at, side);
    return new Blob([file]);
  };

  it('is drawn by itself up to forty million pixels, and no further', async () => {
    expect(await notDrawn(png(6_324))).toBeUndefined();
    expect(await notDrawn(png(6_325))).toEqual({ width: 6_325, height: 6_325 });
    expect(await notDrawn(png(16_000))).toEqual({ width: 16_000, height: 16_000 });
  });

  it('is not drawn when its size cannot be told', async () => {
    expect(await notDrawn(new Blob(['<svg xmlns="http://www.w3.org/2000/svg"/>']))).toBe('unknown');
    expect(await notDrawn(new Blob([]))).toBe('unknown');
    const unreadable = Object.assign(new Blob(['x']), { arrayBuffer: () => Promise.reject(new Error('gone')) });
    expect(await notDrawn(unreadable)).toBe('unknown');
  });

  it('is none when it could act: SVG is a file like any other', () => {
    for (const type of ['image/svg+xml', 'image/svg', 'image/x-icon', 'text/html', 'application/xml']) {
      expect(inlineOf(type)).toBeUndefined();
    }
  });
});

describe('a file on its way out', () => {
  it('is a message from the start, tells how far it is, and stays in its place once it is sent', async () => {
    const sending = session.sendFile(pdf);
    expect(items()).toMatchObject([{ mine: true, status: 'sending', done: 0, file: { name: 'a.pdf', size: 1000 } }]);
    const [{ id: place }] = items() as [MessageItem];
    room.uploads[0]?.progress(400);
    expect(items()).toMatchObject([{ done: 400 }]);
    room.receive(room.members[0]!, 'meanwhile');
    room.uploads[0]?.finish();
    await sending;
    expect(items()).toMatchObject([{ status: 'sent', place, done: undefined, file: { name: 'a.pdf' } }, { text: 'meanwhile' }]);
    room.setStatus(items()[0]!.id, 'delivered');
    expect(items()[0]).toMatchObject({ status: 'delivered', place });
  });

  it('can be cancelled, which is not shown as an error, and sent after all', async () => {
    const sending = session.sendFile(pdf);
    session.cancel(items()[0]!.id);
    await sending;
    expect(items()).toMatchObject([{ status: 'failed', problem: { code: 'ABORTED' } }]);
    expect(items().map(isCancelled)).toEqual([true]);
    void session.resend(items()[0]!.id);
    await vi.waitFor(() => expect(room.uploads).toHaveLength(2));
    expect(items()).toMatchObject([{ status: 'sending', file: { name: 'a.pdf' } }]);
  });

  it('says why it was not sent, and offers another try only where that could help', async () => {
    const sending = session.sendFile(pdf);
    room.uploads[0]?.fail(new QsecError('FILE_TOO_LARGE', 'too large'));
    await sending;
    const [item] = items() as [MessageItem];
    expect(factsOf(item, item.problem, words)).toBe('This file is too large');
    expect([isRetryable(item), isCancelled(item)]).toEqual([false, false]);
    expect(isRetryable({ ...item, problem: { code: 'RELAY_UNREACHABLE', message: '', remediation: '' } })).toBe(true);
  });

  it('shows nothing any more once the room was left', async () => {
    const sending = session.sendFile(pdf);
    await session.leave();
    room.uploads[0]?.finish();
    await sending;
    expect(session.view.timeline).toEqual([]);
  });
});

describe('a file that came', () => {
  it('tells how far it is while it is fetched', () => {
    const { id } = room.receiveFile(room.members[0]!, contentOf(pdf.blob, 'a.pdf', pdf.type));
    const facts = { transfer: '0', direction: 'receive', message: id, name: 'a.pdf', total: 1000 } as const;
    room.progress({ ...facts, done: 250, state: 'running' });
    expect(shareOf(items()[0]!)).toBe(0.25);
    room.progress({ ...facts, done: 1000, state: 'done' });
    expect(shareOf(items()[0]!)).toBeUndefined();
  });

  it('is fetched at once up to the limit, and else when it is asked for', () => {
    room.receiveFile(room.members[0]!, { ...contentOf(pdf.blob, 'a.pdf', pdf.type), size: 9 * 2 ** 20 });
    const [item] = items() as [MessageItem];
    expect(wantsAtOnce(item)).toBe(false);
    expect(actionOf(item, 'no')).toBe('download');
    expect(actionOf(item, 'running')).toBe('cancel-fetch');
    expect(actionOf(item, 'failed')).toBe('retry');
    // What can be seen is shown first, and is a file to keep after that.
    const film = { ...item, file: { ...item.file!, type: 'video/mp4' } };
    expect([actionOf(film, 'no'), actionOf(film, 'here')]).toEqual(['load', 'download']);
  });
});

describe('a file in words', () => {
  it('has its kind, size and share', () => {
    const file = { name: 'a.pdf', type: '', size: 1_536_000, voice: undefined, blob: async () => new Blob() };
    const item = { mine: false, status: 'received', file } as MessageItem;
    expect(factsOf(item, undefined, words)).toBe('PDF · 1.5 MB');
    expect(factsOf({ ...item, done: 512_000 }, undefined, words)).toBe('512 kB of 1.5 MB');
    expect(spoken({ ...item, text: '' }, en, words.format)).toBe('File a.pdf');
    const voice = { durationMs: 75_900, peaks: [] };
    expect(spoken({ ...item, text: '', file: { ...file, voice } }, en, words.format)).toBe('Voice message, 1:15');
  });

  it('says that it is empty, cancelled or broken', () => {
    const item = { file: { name: 'a', size: 0 } } as MessageItem;
    const say = (code: 'INVALID_ARGUMENT' | 'ABORTED' | 'FILE_CORRUPT') =>
      factsOf(item, { code, message: '', remediation: '' }, words);
    expect([say('INVALID_ARGUMENT'), say('ABORTED'), say('FILE_CORRUPT')]).toEqual([
      'This file is empty',
      'Cancelled',
      'This file did not arrive as it was sent',
    ]);
  });
});

describe('what is shown by itself', () => {
  it('is what a browser runs nothing of', () => {
    expect(['image/png', 'image/svg+xml', 'audio/ogg', 'video/mp4', 'text/html', ''].map(inlineOf)).toEqual([
      'image',
      undefined,
      'audio',
      'video',
      undefined,
      undefined,
    ]);
  });
});
