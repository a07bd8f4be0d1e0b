import { QSEC_ERROR_CODES } from '@qsec2/sdk';
import { describe, expect, it } from 'vitest';
import {
  bodyOf,
  chipOf,
  composerOf,
  initialOf,
  remedyOf,
  subtitleOf,
  titleOf,
} from '../src/components/qsec2-panel/qsec2-panel.logic';
import { problemTitle } from '../src/i18n';
import { en } from '../src/i18n/en';
import { EMPTY_VIEW, type MemberView, type MessageItem, type View } from '../src/store/view';

const view = (change: Partial<View>): View => ({ ...EMPTY_VIEW, ...change });
const bo = { id: 'b', name: 'Bo', presence: 'present', verified: false } as MemberView;
const message: MessageItem = {
  kind: 'message',
  id: '1',
  at: new Date(),
  mine: true,
  author: 'me',
  name: 'Ana',
  text: 'hi',
  status: 'sent',
};

describe('what fills the panel', () => {
  it.each([
    ['setup', view({})],
    ['waiting', view({ phase: 'waiting' })],
    ['exchange', view({ phase: 'agreeing' })],
    ['chat', view({ phase: 'secure', members: [bo] })],
    ['aborted', view({ phase: 'aborted' })],
    ['failed', view({ phase: 'failed' })],
    ['closed', view({ phase: 'closed' })],
  ] as const)('is %s', (body, given) => {
    expect(bodyOf(given)).toBe(body);
  });

  it('stays the conversation when everyone has left', () => {
    expect(bodyOf(view({ phase: 'waiting', timeline: [message] }))).toBe('chat');
  });

  it('stays what it was while reconnecting', () => {
    expect(bodyOf(view({ phase: 'reconnecting', before: 'waiting' }))).toBe('waiting');
    expect(bodyOf(view({ phase: 'reconnecting', before: 'secure' }))).toBe('chat');
  });

  it('is who seems to be somebody else, once they are let in', () => {
    const eve = { ...bo, id: 'e', waiting: false, changedFrom: bo } as MemberView;
    expect(bodyOf(view({ phase: 'secure', members: [bo, eve] }))).toBe('changed');
    expect(bodyOf(view({ phase: 'secure', members: [bo, { ...eve, waiting: true }] }))).toBe('chat');
  });

  it('is the conversation of a room that was reconnecting before it was shown', () => {
    expect(bodyOf(view({ phase: 'reconnecting', members: [bo] }))).toBe('chat');
  });
});

describe('the header', () => {
  it('says encrypted with an outline, and verified with a filled shield', () => {
    const security = { verified: true } as View['security'];
    expect(chipOf(view({ phase: 'secure', members: [bo] }))).toMatchObject({ name: 'secure', shield: 'outline' });
    expect(chipOf(view({ phase: 'secure', members: [bo], security }))).toMatchObject({ name: 'verified', shield: 'filled' });
  });

  it('is never green without members', () => {
    const security = { verified: true } as View['security'];
    expect(chipOf(view({ phase: 'secure', security }))?.name).toBe('secure');
    expect(chipOf(view({ phase: 'waiting', timeline: [message] }))).toMatchObject({ name: 'alone', tone: 'grey' });
  });

  it('names the person, the room or nobody', () => {
    expect(titleOf(view({ phase: 'secure', members: [bo], roomName: 'Review' }), en)).toBe('Bo');
    expect(titleOf(view({ phase: 'waiting', roomName: 'Review' }), en)).toBe('Review');
    expect(titleOf(view({ phase: 'waiting' }), en)).toBe(en.dialog);
  });

  it('is of who is in the room, and not of who asks to be let in', () => {
    const members = [bo, { ...bo, id: 'e', name: 'Eve', waiting: true } as MemberView];
    expect(titleOf(view({ phase: 'secure', members, roomName: 'Review' }), en)).toBe('Bo');
    expect(subtitleOf(view({ phase: 'secure', members, capacity: 4 }), en)).toBe('2 of 4 here');
  });

  it('tells who writes before who is here', () => {
    expect(subtitleOf(view({ phase: 'secure', members: [bo], typing: ['Bo'] }), en)).toBe('Bo is writing…');
    expect(subtitleOf(view({ phase: 'secure', members: [{ ...bo, presence: 'away' }] }), en)).toBe(en.away);
    expect(subtitleOf(view({ phase: 'waiting', capacity: 4 }), en)).toBe('1 of 4 here');
  });

  it('takes whole characters as initials', () => {
    expect(initialOf('bo')).toBe('B');
    expect(initialOf(' 🦊 fox')).toBe('🦊');
    expect(initialOf('')).toBe('');
  });
});

describe('the composer', () => {
  it('sends only once there are keys', () => {
    for (const phase of ['waiting', 'agreeing', 'aborted'] as const) {
      const state = composerOf(view({ phase }), en);
      expect(state.on).toBe(false);
      expect(state.reason).not.toBe('');
    }
    expect(composerOf(view({ phase: 'secure', members: [bo] }), en)).toMatchObject({ on: true, locked: false });
  });

  it('is locked after an abort', () => {
    expect(composerOf(view({ phase: 'aborted' }), en).locked).toBe(true);
  });

  it('queues while reconnecting', () => {
    expect(composerOf(view({ phase: 'reconnecting', before: 'secure', members: [bo] }), en).on).toBe(true);
  });

  it('keeps the draft when nobody else is left', () => {
    expect(composerOf(view({ phase: 'waiting', timeline: [message] }), en)).toMatchObject({
      on: false,
      locked: false,
      reason: en.draftAlone,
    });
  });
});

describe('failures', () => {
  it('have a title and one remedy each', () => {
    for (const code of QSEC_ERROR_CODES) {
      expect(problemTitle(code, en)).toBeTruthy();
      expect(['retry', 'other-link', 'start-over']).toContain(remedyOf(code));
    }
  });
});
