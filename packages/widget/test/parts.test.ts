import { describe, expect, it } from 'vitest';
import { addressWithout, badgeText, inviteInFragment, titleWith } from '../src/components/qsec2-chat/qsec2-chat.logic';
import { fieldHeight, sends } from '../src/components/qsec2-composer/qsec2-composer.logic';
import { ageOf, groupsOf, shownAgreement, verdictOf } from '../src/components/qsec2-security/qsec2-security.logic';
import { clampPeople, inviteError, nameError } from '../src/components/qsec2-setup/qsec2-setup.logic';
import { loadDictionary } from '../src/i18n';
import { en } from '../src/i18n/en';
import { enSecurity } from '../src/i18n/en-security';
import { makeFormat } from '../src/i18n/format';
import { angleOf, arc, band95, pointAt } from '../src/parts/gauge/gauge.logic';
import { pipelineBars } from '../src/parts/pipeline/pipeline.logic';
import { problemFrom } from '../src/store/problem.logic';
import type { MemberView } from '../src/store/view';
import { FakeRoom } from './fake-room.ts';
import { fullReport } from './fixtures.ts';

describe('the address bar', () => {
  it('gives an invite, and leaves anchors of the page alone', () => {
    expect(inviteInFragment('#q2.abc')).toBe('q2.abc');
    expect(inviteInFragment('#prices')).toBeUndefined();
    expect(inviteInFragment('')).toBeUndefined();
  });

  it('gives an invite behind a route of the page, as the SDK writes it', () => {
    const { invite } = new FakeRoom();
    for (const hash of ['', '#/chat/1', '#/chat/1?tab=2', '#!inbox', '#q=cats']) {
      const link = new URL(invite.link(`https://app.example/a${hash}`));
      expect(inviteInFragment(link.hash)).toBe(invite.code);
      expect(addressWithout(link.href, undefined)).toBe(`https://app.example/a${hash}`);
    }
    expect(inviteInFragment('#/faq2.html')).toBeUndefined();
  });

  it('is cleared of the secret and keeps the rest', () => {
    expect(addressWithout('https://app.example/a?b=1#q2.secret', undefined)).toBe('https://app.example/a?b=1');
    expect(addressWithout('https://app.example/#/q2.secret', undefined)).toBe('https://app.example/#/');
  });

  it('leaves the page where it was, unless the link names a route of its own', () => {
    const before = 'https://app.example/#/chat/1';
    expect(addressWithout('https://app.example/#q2.secret', before)).toBe(before);
    expect(addressWithout('https://app.example/#q2.secret', `${before}?q2.older`)).toBe(before);
    expect(addressWithout('https://app.example/#/chat/2?q2.secret', before)).toBe('https://app.example/#/chat/2');
  });
});

describe('unread messages', () => {
  it('stand before the title once', () => {
    expect(titleWith(2, 'Shop')).toBe('(2) Shop');
    expect(titleWith(3, '(2) Shop')).toBe('(3) Shop');
    expect(titleWith(0, '(99+) Shop')).toBe('Shop');
  });

  it('are not counted beyond 99 on the badge', () => {
    expect(badgeText(100)).toBe('99+');
  });
});

describe('writing', () => {
  const press = { key: 'Enter', shiftKey: false, isComposing: false, keyCode: 13 };

  it('is sent by Enter', () => {
    expect(sends(press)).toBe(true);
  });

  it('is not sent by Shift+Enter, nor by the Enter that picks a word of an input method', () => {
    expect(sends({ ...press, shiftKey: true })).toBe(false);
    expect(sends({ ...press, isComposing: true })).toBe(false);
    expect(sends({ ...press, keyCode: 229 })).toBe(false);
  });

  it('grows to six lines', () => {
    expect(fieldHeight(44, 22)).toBe(44);
    expect(fieldHeight(900, 22)).toBe(6 * 22 + 22);
  });
});

describe('set-up', () => {
  const code = new FakeRoom().invite.code;

  it('takes a code, a fragment and a link', () => {
    for (const text of [code, `#${code}`, `  https://app.example/page#${code}\n`]) expect(inviteError(text, en)).toBe('');
  });

  it('says what is wrong with anything else', () => {
    expect(inviteError('', en)).toBe(en.inviteMissing);
    expect(inviteError('https://app.example/', en)).toBe(en.inviteNone);
    expect(inviteError(code.slice(0, -1), en)).toBe(en.inviteShort);
    expect(inviteError(`${code} and more`, en)).toBe(en.inviteShort);
  });

  it('takes names of up to 64 characters, however they are encoded', () => {
    expect(nameError('🦊'.repeat(64), en)).toBe('');
    expect(nameError('a'.repeat(65), en)).toContain('64');
  });

  it('keeps the places between 2 and 16', () => {
    expect([0, 2, 16, 17].map(clampPeople)).toEqual([2, 2, 16, 16]);
  });
});

describe('the gauge', () => {
  it('spans 0 to 25 percent and stays at its ends', () => {
    expect(angleOf(0)).toBe(0);
    expect(angleOf(0.25)).toBe(180);
    expect(angleOf(0.9)).toBe(180);
    expect(pointAt(0.125, 10).y).toBeLessThan(pointAt(0, 10).y);
    expect(arc(0, 0.25, 88)).toBe('M32 118A88 88 0 0 1 208 118');
  });

  it('shows the interval that Wilson’s formula gives', () => {
    // 10 errors in 100: 0.0552 to 0.1744, the standard worked example.
    const band = band95(0.1, 100);
    expect(band?.low).toBeCloseTo(0.0552, 4);
    expect(band?.high).toBeCloseTo(0.1744, 4);
  });

  it('narrows with the sample, stays above zero, and is absent without one', () => {
    const wide = band95(0.05, 100)!;
    const narrow = band95(0.05, 4000)!;
    expect(narrow.high - narrow.low).toBeLessThan(wide.high - wide.low);
    expect(band95(0, 100)?.low).toBe(0);
    expect(band95(0.05, 0)).toBeUndefined();
    expect(band95(Number.NaN, 100)).toBeUndefined();
  });
});

describe('the pipeline', () => {
  it('shows the counts of the report, each on the scale of the photons', () => {
    const bars = pipelineBars({ counts: fullReport() });
    expect(bars.map(({ step, value }) => [step, value])).toEqual([
      ['sent', 32_768],
      ['sifted', 16_451],
      ['sampled', 4_112],
      ['disclosed', 2_304],
      ['final', 256],
    ]);
    expect(bars[1]?.share).toBeCloseTo(16_451 / 32_768);
  });

  it('shows the photons that were detected when some were lost', () => {
    expect(pipelineBars({ counts: fullReport({ detected: 900 }) }).map(({ step }) => step)).toContain('detected');
  });

  it('stops where the run stopped', () => {
    expect(pipelineBars({ counts: { pulses: 100, sifted: 50 } }).map(({ step }) => step)).toEqual(['sent', 'sifted']);
  });
});

describe('the security panel', () => {
  const words = { ...enSecurity, someone: en.someone };
  const bo = { id: 'b', name: 'Bo', verified: false, report: fullReport() } as MemberView;

  it('sums up in one sentence', () => {
    expect(verdictOf({ phase: 'secure', members: [bo] }, words)).toBe(words.verdictSecure('Bo'));
    expect(verdictOf({ phase: 'secure', members: [{ ...bo, verified: true }] }, words)).toBe(words.verdictVerified('Bo'));
    expect(verdictOf({ phase: 'aborted', members: [bo] }, words)).toBe(words.verdictAborted);
    expect(verdictOf({ phase: 'waiting', members: [] }, words)).toBe(words.verdictNone);
  });

  it('shows the figures of the refused run, not those of an earlier key', () => {
    expect(shownAgreement({ agreement: undefined, phase: 'aborted' }, bo)).toBeUndefined();
    expect(shownAgreement({ agreement: undefined, phase: 'secure' }, bo)?.counts.finalBits).toBe(256);
  });

  it('splits the safety number into its twelve groups', () => {
    expect(groupsOf('12345 67890 '.repeat(6))).toHaveLength(12);
  });

  it('tells a key’s age in whole units', () => {
    const now = new Date('2026-03-01T12:00:00Z');
    const ago = (minutes: number) => ageOf(new Date(now.getTime() - minutes * 60_000), now, 'en', 'now');
    expect([0, 1, 59, 60, 2880].map(ago)).toEqual(['now', '1 minute', '59 minutes', '1 hour', '2 days']);
  });
});

describe('words and figures', () => {
  it('are English where there is no other dictionary, with what the page replaced', async () => {
    const words = await loadDictionary('xx-YY', { create: 'Begin' });
    expect([words.create, words.join]).toEqual(['Begin', 'Join']);
  });

  it('write percentages with one digit at most and a space that does not break', () => {
    const format = makeFormat('en');
    expect(format.percent(0.248)).toBe('24.8\u00a0%');
    expect(format.percent(0.11)).toBe('11\u00a0%');
    expect(format.count(32_768)).toBe('32,768');
  });
});

describe('a failure', () => {
  it('that is not the SDK’s own keeps its message', () => {
    expect(problemFrom('odd')).toEqual({ code: 'UNSUPPORTED', message: 'odd', remediation: '' });
  });
});
