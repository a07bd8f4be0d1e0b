import { describe, expect, it } from 'vitest';
import { part } from './part.ts';

describe('a part of the SDK', () => {
  it('is what was loaded', async () => {
    expect(await part(async () => 7)).toBe(7);
  });

  it('that did not arrive is an error with a code, and with what the loader knows', async () => {
    const failing = (cause: Error) => part(() => Promise.reject(cause));
    const missing = new TypeError('Failed to fetch dynamically imported module');
    await expect(failing(missing)).rejects.toMatchObject({ code: 'NOT_LOADED', cause: missing, details: { outdated: false } });
    const outdated = Object.assign(new TypeError('gone'), { outdated: true });
    await expect(failing(outdated)).rejects.toMatchObject({ code: 'NOT_LOADED', details: { outdated: true } });
  });
});
