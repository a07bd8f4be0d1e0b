import { QsecError } from '@qsec2/sdk';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { addressWithout } from '../src/components/qsec2-chat/qsec2-chat.logic';
import { launcherText } from '../src/i18n/launcher';
import { loadError } from '../src/store/load-error.logic';
import { reloadPage } from '../src/store/reload';

afterEach(() => vi.unstubAllGlobals());

describe('a part that did not load', () => {
  it.each([
    ['by the browser', new TypeError('Failed to fetch dynamically imported module')],
    ['by a bundler', Object.assign(new Error('Loading chunk 7 failed.'), { name: 'ChunkLoadError' })],
  ])('is said to be missing, with what happened: %s', (_, error) => {
    expect(loadError(error)).toMatchObject({
      message: 'A part of the chat could not be loaded.',
      code: 'NOT_LOADED',
      remediation: launcherText.missing,
      outdated: false,
      cause: error,
    });
  });

  it('of an older page asks for the page to be loaded again', () => {
    const error = Object.assign(new TypeError('gone'), { outdated: true });
    expect(loadError(error)).toMatchObject({ remediation: launcherText.updated, outdated: true });
    expect(loadError(Object.assign(new TypeError('gone'), { outdated: 'maybe' }))).toMatchObject({ outdated: false });
  });

  it('is told from one that came and failed by itself', () => {
    for (const error of [new QsecError('ROOM_FULL', 'full'), new Error('other'), 'text', undefined])
      expect(loadError(error)).toBe(error);
  });
});

describe('a page that is loaded again', () => {
  const load = (hash: string, code?: string) => {
    const replaceState = vi.fn();
    const reload = vi.fn();
    vi.stubGlobal('location', { hash, reload });
    vi.stubGlobal('history', { state: 'kept', replaceState });
    reloadPage(code);
    expect(reload).toHaveBeenCalledTimes(1);
    return replaceState.mock.calls;
  };

  it.each(['', '#/chat/1', '#/chat/1?tab=2', '#!inbox', '#q=cats'])('follows its invite, and keeps its route: %s', (hash) => {
    const [call] = load(hash, 'q2.abc');
    expect(call?.slice(0, 2)).toEqual(['kept', '']);
    expect(addressWithout(`https://app.example/${call?.[2]}`, undefined)).toBe(`https://app.example/${hash}`);
    expect(call?.[2]).toContain('q2.abc');
  });

  it('stays at its address without one', () => {
    expect(load('#/chat/1')).toEqual([]);
  });
});
