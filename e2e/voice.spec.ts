import { type CDPSession, expect, type Page } from '@playwright/test';
import { findSecrets } from '../packages/relay/src/testing/secret-scan.ts';
import { CaptureProxy } from './support/capture-proxy.ts';
import { Site, twoLines } from './support/host-page.ts';
import { recordNothing, switchOffEncryption, watchContent } from './support/page-watch.ts';
import { microphone, type People, recorded, recorder, talking, voice } from './support/people.ts';
import { test } from './support/widget-test.ts';

/** Voice messages between two people who use the widget, over a real relay. The microphone is Chromium's fake one, which beeps. */

async function send(page: Page, seconds: number): Promise<void> {
  await microphone(page).click();
  await recorded(page, seconds);
  await recorder(page).getByRole('button', { name: 'Send' }).click();
  await expect(recorder(page)).toHaveCount(0);
}

const slider = (page: Page) => voice(page).getByRole('slider', { name: 'Position' });

test('a voice message is recorded, listened to and sent; the other side plays it to its end', async ({ site, people }) => {
  const [ana, bo] = await talking(site.url, await people.one(), await people.one());
  await microphone(ana).click();
  await recorded(ana, 2);
  await recorder(ana).getByRole('button', { name: 'Listen' }).click();
  await expect(recorder(ana).getByRole('timer', { name: 'Paused' })).toBeVisible();
  await recorder(ana).getByRole('button', { name: 'Go on recording' }).click();
  await recorded(ana, 3);
  await recorder(ana).getByRole('button', { name: 'Send' }).click();
  await expect(recorder(ana)).toHaveCount(0);
  await expect(voice(ana)).toHaveCount(1);

  await expect(voice(bo)).toHaveAccessibleName(/Voice message, 0:0[3-9]/);
  await expect(voice(bo).getByText('Not played yet')).toBeAttached();
  const bars = await voice(bo)
    .locator('rect')
    .evaluateAll((all) => all.map((bar) => Number(bar.getAttribute('height'))));
  expect(bars).toHaveLength(64);
  expect(Math.max(...bars)).toBe(28);
  expect(Math.min(...bars)).toBeLessThan(10);

  await voice(bo).getByRole('button', { name: 'Play' }).click();
  await expect(voice(bo).getByRole('button', { name: 'Pause' })).toBeVisible();
  await expect(slider(bo)).not.toHaveAttribute('aria-valuenow', '0');
  await expect(voice(bo).getByText('Not played yet')).toHaveCount(0);
  // To its end, and ready to begin again.
  await expect(voice(bo).getByRole('button', { name: 'Play' })).toBeVisible();
  await expect(slider(bo)).toHaveAttribute('aria-valuenow', '0');
});

test('the sound that arrives is the one recorded; none of it is in what the relay saw, and no address of it outlives the room', async ({
  relay,
  people,
}) => {
  const proxy = await CaptureProxy.listen(relay.port);
  const site = await Site.page(twoLines(proxy.url));
  try {
    const [ana, bo] = await talking(site.url, await people.one({}, watchContent), await people.one({}, watchContent));
    await send(ana, 2);
    await voice(bo).getByRole('button', { name: 'Play' }).click();
    await expect(voice(bo).getByText('Not played yet')).toHaveCount(0);
    const recording = Buffer.from(await ana.evaluate(() => bytesOf(new Blob(recordedParts))));
    const [played, duration] = await bo.evaluate(async () => {
      const [sound] = sounds;
      return [await bytesOf(shownNow.get(sound?.src ?? '') as Blob), sound?.duration ?? 0] as const;
    });
    expect(Buffer.from(played).equals(recording)).toBe(true);
    // What Chromium records does not say how long it is; the player has found out.
    expect(duration).toBeGreaterThan(1.9);
    expect(duration).toBeLessThan(4);
    expect(findSecrets(proxy.received, secret(recording))).toEqual([]);

    for (const page of [ana, bo]) {
      expect(await page.evaluate(() => shownEver.filter(({ type }) => type.startsWith('audio/')).length)).toBe(
        page === bo ? 1 : 0,
      );
      await page.getByRole('button', { name: 'More' }).click();
      await page.getByRole('menuitem', { name: 'Leave room' }).click();
      await expect(voice(page)).toHaveCount(0);
      expect(await page.evaluate(() => [...shownNow.values()].filter(({ type }) => type.startsWith('audio/')).length)).toBe(0);
    }
  } finally {
    await site.close();
    await proxy.close();
  }
});

test('without encryption the relay would have had the recording: the search finds it', async ({ relay, people }) => {
  const proxy = await CaptureProxy.listen(relay.port);
  const site = await Site.page(twoLines(proxy.url));
  try {
    const bare = () => people.one({}, switchOffEncryption);
    const [first, second] = [await bare(), await bare()];
    await first.addInitScript(watchContent);
    const [ana, bo] = await talking(site.url, first, second);
    await send(ana, 1);
    await expect(voice(bo)).toHaveCount(1);
    const recording = Buffer.from(await ana.evaluate(() => bytesOf(new Blob(recordedParts))));
    expect(findSecrets(proxy.received, secret(recording))).not.toEqual([]);
  } finally {
    await site.close();
    await proxy.close();
  }
});

/** From the middle: the container's head is the same in every recording. */
const secret = (recording: Buffer) =>
  new Map([['recording', recording.subarray(recording.length >> 1, (recording.length >> 1) + 64)]]);

test('a position is chosen by keys and by mouse, before and while it plays', async ({ site, people }) => {
  const [ana, bo] = await talking(site.url, await people.one(), await people.one({}, watchContent));
  await send(ana, 6);
  await expect(voice(bo)).toHaveCount(1);
  const length = Number(await slider(bo).getAttribute('aria-valuemax'));
  expect(length).toBeGreaterThanOrEqual(6);
  await slider(bo).press('End');
  await expect(slider(bo)).toHaveAttribute('aria-valuenow', String(length));
  await slider(bo).press('ArrowLeft');
  await expect(slider(bo)).toHaveAttribute('aria-valuenow', String(length - 5));
  await slider(bo).press('ArrowRight');
  await slider(bo).press('Home');
  await expect(slider(bo)).toHaveAttribute('aria-valuenow', '0');
  await expect(slider(bo)).toHaveAttribute('aria-valuetext', /0:00 of 0:0[6-9]/);

  const box = await slider(bo).boundingBox();
  if (!box) throw new Error('the slider is on screen');
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  await bo.mouse.click(middle.x, middle.y);
  await expect(slider(bo)).toHaveAttribute(
    'aria-valuenow',
    new RegExp(`^[${Math.floor((length - 0.5) / 2)}-${Math.ceil(length / 2)}]$`),
  );
  // Dragged to its first quarter.
  await bo.mouse.move(middle.x, middle.y);
  await bo.mouse.down();
  await bo.mouse.move(box.x + box.width / 4, middle.y, { steps: 4 });
  await bo.mouse.up();
  await expect(slider(bo)).toHaveAttribute(
    'aria-valuenow',
    new RegExp(`^[${Math.floor((length - 0.5) / 4)}-${Math.ceil(length / 4)}]$`),
  );

  await voice(bo).getByRole('button', { name: 'Play' }).click();
  await expect(voice(bo).getByRole('button', { name: 'Pause' })).toBeVisible();
  const at = () => bo.evaluate(() => sounds[0]?.currentTime ?? 0);
  expect(await at()).toBeGreaterThanOrEqual(length / 4 - 0.5);
  await slider(bo).press('Home');
  await expect.poll(at).toBeLessThan(length / 4 - 0.5);
  await bo.mouse.click(box.x + box.width * 0.8, middle.y);
  await expect.poll(at).toBeGreaterThan(length * 0.7);
});

test('a speed is chosen by mouse and by keys, and is the speed on the next page, too; nothing else is kept', async ({
  site,
  people,
}) => {
  const [first, second] = [await people.one(), await people.one({}, watchContent)];
  const [ana, bo] = await talking(site.url, first, second);
  await send(ana, 1);
  await voice(bo).getByRole('button', { name: 'Speed 1' }).click();
  await voice(bo).getByRole('button', { name: 'Speed 1.5' }).press('Enter');
  await expect(voice(bo).getByRole('button', { name: 'Speed 2' })).toBeFocused();
  await voice(bo).getByRole('button', { name: 'Play' }).click();
  await expect.poll(() => bo.evaluate(() => sounds[0]?.playbackRate)).toBe(2);
  expect(await bo.evaluate(() => [Object.entries(localStorage), sessionStorage.length])).toEqual([[['qsec2-speed', '2']], 0]);

  const [again, later] = await talking(site.url, first, second);
  await send(again, 1);
  await expect(voice(later).getByRole('button', { name: 'Speed 2' })).toBeVisible();
});

test('one message plays at a time, and the next one nobody listened to follows', async ({ site, people }) => {
  const [ana, bo] = await talking(site.url, await people.one(), await people.one({}, watchContent));
  await send(ana, 2);
  await send(ana, 2);
  await expect(voice(bo)).toHaveCount(2);
  await voice(bo).nth(1).getByRole('button', { name: 'Play' }).click();
  await expect(voice(bo).nth(1).getByRole('button', { name: 'Pause' })).toBeVisible();
  await voice(bo).nth(0).getByRole('button', { name: 'Play' }).click();
  await expect(voice(bo).nth(1).getByRole('button', { name: 'Play' })).toBeVisible();
  await send(ana, 1);
  await expect(voice(bo)).toHaveCount(3);
  // The second was heard already: nothing follows the first.
  await expect.poll(() => bo.evaluate(() => sounds.filter(({ paused }) => !paused).length)).toBe(0);
  await voice(bo).nth(1).getByRole('button', { name: 'Play' }).click();
  await expect(voice(bo).nth(2).getByText('Not played yet')).toHaveCount(0);
});

test('a recording is paused by Escape, and deleted when the person says so', async ({ site, people }) => {
  const [ana] = await talking(site.url, await people.one(), await people.one());
  await microphone(ana).focus();
  await ana.keyboard.press('Enter');
  await recorded(ana, 1);
  await ana.keyboard.press('Escape');
  await expect(recorder(ana).getByRole('timer', { name: 'Paused' })).toBeVisible();
  await ana.keyboard.press('Escape');
  const question = ana.getByRole('alertdialog', { name: 'Delete this recording?' });
  await question.getByRole('button', { name: 'Keep' }).click();
  await recorder(ana).getByRole('button', { name: 'Delete' }).click();
  await expect(microphone(ana)).toBeVisible();
  await expect(voice(ana)).toHaveCount(0);
  await expect(ana.getByRole('dialog', { name: /Guest|chat/ })).toBeVisible();
});

test('a blocked microphone is explained', async ({ site, people }) => {
  const [ana] = await talking(site.url, await people.one(), await people.one());
  await ana.evaluate(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
  });
  await microphone(ana).click();
  await expect(ana.getByRole('alert').filter({ hasText: 'The microphone is blocked' })).toBeVisible();
  await ana.getByRole('button', { name: 'All right' }).click();
  await expect(microphone(ana)).toBeVisible();
});

test('what was recorded before the microphone was lost can be heard and sent', async ({ site, people }) => {
  const [ana, bo] = await talking(site.url, await people.one(), await people.one());
  await ana.evaluate(() => {
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      const stream = await ask(wanted);
      Object.assign(globalThis, { unplug: () => stream.getTracks()[0]?.dispatchEvent(new Event('ended')) });
      return stream;
    };
  });
  await microphone(ana).click();
  await recorded(ana, 1);
  await ana.evaluate('unplug()');
  await expect(recorder(ana).getByText('Microphone lost')).toBeVisible();
  await recorder(ana).getByRole('button', { name: 'Listen' }).click();
  // Escape asks first: there is something to lose.
  await ana.keyboard.press('Escape');
  await ana.getByRole('button', { name: 'Keep' }).click();
  await recorder(ana).getByRole('button', { name: 'Send' }).click();
  await expect(voice(bo)).toHaveAccessibleName(/0:0[1-9]/);
});

test('a recording with nothing in it is a state, and nothing is sent', async ({ site, people }) => {
  const [ana] = await talking(site.url, await people.one({}, recordNothing), await people.one());
  await microphone(ana).click();
  await recorded(ana, 1);
  await recorder(ana).getByRole('button', { name: 'Send' }).click();
  await expect(ana.getByRole('alert').filter({ hasText: 'The microphone does not work' })).toBeVisible();
  await ana.getByRole('button', { name: 'All right' }).click();
  await expect(microphone(ana)).toBeVisible();
  await expect(voice(ana)).toHaveCount(0);
});

/** A finger on the screen. */
class Finger {
  readonly #session: CDPSession;
  #at = { x: 0, y: 0 };

  constructor(session: CDPSession) {
    this.#session = session;
  }

  async down(x: number, y: number): Promise<void> {
    this.#at = { x, y };
    await this.#touch('touchStart', [this.#at]);
  }

  /** In steps, as a finger does. */
  async move(dx: number, dy: number): Promise<void> {
    const STEPS = 6;
    const { x, y } = this.#at;
    for (let i = 1; i <= STEPS; i++) {
      this.#at = { x: x + (dx * i) / STEPS, y: y + (dy * i) / STEPS };
      await this.#touch('touchMove', [this.#at]);
    }
  }

  up = () => this.#touch('touchEnd', []);
  /** The system takes the finger away. */
  taken = () => this.#touch('touchCancel', []);

  async #touch(type: 'touchStart' | 'touchMove' | 'touchEnd' | 'touchCancel', touchPoints: { x: number; y: number }[]) {
    await this.#session.send('Input.dispatchTouchEvent', { type, touchPoints });
  }
}

test.describe('with a finger', () => {
  const phone = { hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } };

  async function held(site: Site, people: People): Promise<{ ana: Page; bo: Page; finger: Finger }> {
    const [ana, bo] = await talking(site.url, await people.one(phone), await people.one());
    const finger = new Finger(await ana.context().newCDPSession(ana));
    return { ana, bo, finger };
  }

  async function press(finger: Finger, page: Page): Promise<void> {
    const box = await microphone(page).boundingBox();
    if (!box) throw new Error('the button is on screen');
    await finger.down(box.x + box.width / 2, box.y + box.height / 2);
  }

  test('it records while it is held, and sends when it lets go', async ({ site, people }) => {
    const { ana, bo, finger } = await held(site, people);
    await press(finger, ana);
    await expect(ana.getByText('Slide to cancel')).toBeVisible();
    await recorded(ana, 2);
    await finger.up();
    await expect(ana.getByRole('timer')).toHaveCount(0);
    await expect(voice(bo)).toHaveAccessibleName(/Voice message, 0:0[2-9]/);
  });

  test('a short touch records nothing, and says how it is done', async ({ site, people }) => {
    const { ana, finger } = await held(site, people);
    await press(finger, ana);
    await expect(ana.getByText('Slide to cancel')).toBeVisible();
    await finger.up();
    await expect(ana.getByRole('status').filter({ hasText: /hold/i })).toBeVisible();
    await expect(microphone(ana)).toBeVisible();
    await expect(voice(ana)).toHaveCount(0);
  });

  test('sliding back cancels, though it has let go only then', async ({ site, people }) => {
    const { ana, finger } = await held(site, people);
    await press(finger, ana);
    await recorded(ana, 1);
    await finger.move(-60, 0);
    await expect(ana.getByText('Slide to cancel')).toBeVisible();
    await finger.move(-50, 0);
    await expect(ana.getByRole('timer')).toHaveCount(0);
    await finger.up();
    await expect(microphone(ana)).toBeVisible();
    await expect(voice(ana)).toHaveCount(0);
  });

  test('sliding up locks: it goes on without the finger, and is sent by the first tap on the button', async ({
    site,
    people,
  }) => {
    const { ana, bo, finger } = await held(site, people);
    await press(finger, ana);
    await recorded(ana, 1);
    await finger.move(0, -80);
    await finger.up();
    await expect(recorder(ana).getByRole('button', { name: 'Pause recording' })).toBeVisible();
    await recorded(ana, 1);
    await recorder(ana).getByRole('button', { name: 'Send' }).tap();
    await expect(voice(bo)).toHaveAccessibleName(/Voice message, 0:0[1-9]/);
  });

  test('a finger that the system takes away sends nothing and loses nothing', async ({ site, people }) => {
    const { ana, finger } = await held(site, people);
    await press(finger, ana);
    await recorded(ana, 1);
    await finger.taken();
    await expect(recorder(ana).getByRole('button', { name: 'Send' })).toBeVisible();
    await expect(voice(ana)).toHaveCount(0);
  });
});
