import { expect, type Page } from '@playwright/test';
import { microphone, type People, recorded, recorder, talking, voice } from './support/people.ts';
import type { RelayProcess } from './support/relay-process.ts';
import { test } from './support/widget-test.ts';

/** The recorder where a browser or a microphone does not do as it should. */

async function recording(relay: RelayProcess, people: People, script: () => void): Promise<[Page, Page]> {
  const [ana, bo] = await talking(relay.url, await people.one({}, script), await people.one());
  await microphone(ana).click();
  return [ana, bo];
}

const send = (page: Page) => recorder(page).getByRole('button', { name: 'Send' }).click();

/** Texts that were in the page while it was watched, hidden ones included. */
const watchTexts = (page: Page) =>
  page.evaluate(() => {
    const seen: string[] = [];
    Object.assign(globalThis, { seenTexts: seen });
    const root = document.querySelector('qsec2-chat')?.shadowRoot;
    if (!root) throw new Error('the widget has a shadow root');
    new MutationObserver(() => seen.push(root.textContent ?? '')).observe(root, {
      childList: true,
      subtree: true,
      characterData: true,
    });
  });
const seenTexts = (page: Page) => page.evaluate(() => (globalThis as unknown as { seenTexts: string[] }).seenTexts.join('\n'));

test('a meter that cannot be made costs the bars, not the recording', async ({ relay, people }) => {
  const [ana, bo] = await recording(relay, people, () => {
    AudioContext.prototype.createMediaStreamSource = () => {
      throw new DOMException('no', 'NotSupportedError');
    };
  });
  await recorded(ana, 2);
  await send(ana);
  await expect(voice(bo)).toHaveCount(1);
  const heights = () =>
    voice(bo)
      .locator('rect')
      .evaluateAll((all) => new Set(all.map((bar) => bar.getAttribute('height'))).size);
  await expect.poll(heights).toBe(1);
});

test('what was recorded is sent when the browser never says that it stopped, and nothing untrue is told meanwhile', async ({
  relay,
  people,
}) => {
  const [ana, bo] = await recording(relay, people, () => {
    const { addEventListener } = MediaRecorder.prototype;
    MediaRecorder.prototype.addEventListener = function (this: MediaRecorder, name: string, ...rest: [never]) {
      if (name !== 'stop') addEventListener.call(this, name, ...rest);
    } as typeof addEventListener;
  });
  await recorded(ana, 2);
  await watchTexts(ana);
  await send(ana);
  await expect(voice(bo)).toHaveCount(1);
  await expect(recorder(ana)).toHaveCount(0);
  expect(await seenTexts(ana)).not.toContain('Longest length');
  await voice(bo).getByRole('button', { name: 'Play' }).click();
  await expect(voice(bo).getByText('Not played yet')).toHaveCount(0);
});

test('a microphone that gives silence is told of while it records', async ({ relay, people }) => {
  const [ana, bo] = await recording(relay, people, () => {
    navigator.mediaDevices.getUserMedia = async () => {
      const context = new AudioContext();
      await context.resume();
      const silent = new GainNode(context, { gain: 0 });
      const out = context.createMediaStreamDestination();
      new OscillatorNode(context).connect(silent).connect(out);
      return out.stream;
    };
  });
  await expect(recorder(ana).getByRole('status')).toHaveText('Nothing is heard. Is it muted?');
  await send(ana);
  await expect(voice(bo)).toHaveCount(1);
});

test('a microphone that is heard is told nothing of', async ({ relay, people }) => {
  const [ana] = await recording(relay, people, () => undefined);
  await watchTexts(ana);
  await recorded(ana, 5);
  await expect(recorder(ana).getByRole('status')).toHaveCount(0);
  await send(ana);
  await expect(recorder(ana)).toHaveCount(0);
  const texts = await seenTexts(ana);
  expect(texts).not.toContain('Nothing is heard');
  expect(texts).not.toContain('Longest length');
});

const WORDS = {
  NotAllowedError: 'The microphone is blocked',
  NotFoundError: 'No microphone was found',
  NotReadableError: 'The microphone is used by another program',
  OverconstrainedError: 'This microphone cannot record a voice',
  AbortError: 'The microphone does not work',
  SecurityError: 'This page has the microphone switched off',
} as const;

test('every reason why there is no microphone has words of its own', async ({ relay, people }) => {
  const [ana] = await talking(relay.url, await people.one(), await people.one());
  for (const [name, words] of Object.entries(WORDS)) {
    await ana.evaluate((name) => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', name));
    }, name);
    await microphone(ana).click();
    await expect(ana.getByRole('alert').filter({ hasText: words })).toBeVisible();
    await ana.getByRole('button', { name: 'All right' }).click();
    await expect(microphone(ana)).toBeVisible();
  }
});
