import { expect, type Page, test } from '@playwright/test';
import type { FakeRoom } from '../../packages/widget/test/fake-room.ts';
import { type SceneServer, startSceneServer } from './scene-server.ts';

declare global {
  interface Window {
    room: FakeRoom;
    chat: HTMLElement;
  }
}

test.describe.configure({ mode: 'parallel' });

let server: SceneServer;

test.beforeAll(async () => {
  server = await startSceneServer();
});

test.afterAll(async () => {
  await server.close();
});

async function show(page: Page, scene: string, query = ''): Promise<void> {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.goto(`${server.url}/?scene=${scene}${query}`);
  await page.locator('html[data-ready]').waitFor();
}

const composer = (page: Page) => page.getByRole('textbox', { name: 'Message' });

test.describe('writing', () => {
  test('starts in the message field, sends by Enter and breaks lines by Shift+Enter', async ({ page }) => {
    await show(page, 'secure');
    await expect(composer(page)).toBeFocused();
    await page.keyboard.type('one');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('two');
    await page.keyboard.press('Enter');
    await expect(composer(page)).toHaveValue('');
    expect(await page.evaluate(() => window.room.calls.filter((call) => call.startsWith('send')))).toEqual(['send one\ntwo']);
  });

  test('is not sent by the Enter that ends a composition', async ({ page }) => {
    await show(page, 'secure');
    await composer(page).fill('に');
    await composer(page).dispatchEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true, cancelable: true });
    await expect(composer(page)).toHaveValue('に');
  });

  test('grows with the text up to six lines and scrolls after that', async ({ page }) => {
    await show(page, 'secure');
    const height = async () => (await composer(page).boundingBox())?.height ?? 0;
    const single = await height();
    await composer(page).fill('1\n2\n3');
    expect(await height()).toBe(single + 44);
    await composer(page).fill('line\n'.repeat(30));
    expect(await height()).toBe(single + 110);
  });

  test('keeps the text of a message that could not be sent', async ({ page }) => {
    await show(page, 'secure');
    await page.evaluate(() => {
      const error = new Error('no') as Error & { code: string; remediation: string };
      error.code = 'MESSAGE_TOO_LARGE';
      error.remediation = 'Shorten the message.';
      (window.room as { sendError: unknown }).sendError = error;
    });
    await composer(page).fill('too much');
    await page.keyboard.press('Enter');
    await expect(page.getByText('This message is too long. Shorten the message.')).toBeVisible();
    await expect(composer(page)).toHaveValue('too much');
  });

  test('keeps the draft through an abort', async ({ page }) => {
    await show(page, 'exchange');
    await composer(page).fill('for later');
    await page.evaluate(() => window.room.setState('aborted'));
    await expect(page.getByRole('alert').filter({ hasText: 'Key exchange stopped.' })).toBeVisible();
    await expect(composer(page)).toHaveValue('for later');
    await expect(page.getByRole('button', { name: 'Send' })).toBeDisabled();
  });
});

test.describe('reading', () => {
  test('stays where the reader is and offers the new messages', async ({ page }) => {
    await show(page, 'chat');
    const log = page.getByRole('log');
    await page.evaluate(() => {
      const [bo] = window.room.members;
      for (let i = 0; i < 30; i += 1) window.room.receive(bo!, `older ${i}`);
    });
    await expect(page.getByText('older 29', { exact: true })).toBeInViewport();
    await log.evaluate((box) => {
      box.scrollTop = 0;
    });
    await expect.poll(() => log.evaluate((box) => box.scrollTop)).toBe(0);
    await page.evaluate(() => window.room.receive(window.room.members[0]!, 'news'));
    const pill = page.getByRole('button', { name: '1 new message' });
    await expect(pill).toBeVisible();
    expect(await log.evaluate((box) => box.scrollTop)).toBe(0);
    await pill.click();
    await expect(page.getByText('news', { exact: true })).toBeInViewport();
    await expect(pill).toBeHidden();
  });

  test('goes from message to message with the arrow keys', async ({ page }) => {
    await show(page, 'chat');
    const messages = page.getByRole('article');
    await messages.last().focus();
    await page.keyboard.press('ArrowUp');
    await expect(messages.nth(-2)).toBeFocused();
    await page.keyboard.press('Home');
    await expect(messages.first()).toBeFocused();
    await expect(messages.first()).toHaveAccessibleName(/^Bo, .*: Morning\. Did the contract come through\?$/);
  });

  test('announces what comes, and counts what comes at once', async ({ page }) => {
    await show(page, 'secure');
    const announcer = page.locator('qsec2-chat .hidden-text[role=status]').last();
    await page.evaluate(() => window.room.receive(window.room.members[0]!, 'hello'));
    await expect(announcer).toHaveText('Bo: hello');
    await page.evaluate(() => {
      for (const text of ['a', 'b', 'c']) window.room.receive(window.room.members[0]!, text);
    });
    await expect(announcer).toHaveText('3 new messages');
  });

  test('opens links in a page that knows nothing of this one', async ({ page }) => {
    await show(page, 'chat');
    const link = page.getByRole('link', { name: 'https://example.org/contract#s4' });
    await expect(link).toHaveAttribute('rel', /noopener noreferrer/);
    await expect(link).toHaveAttribute('target', '_blank');
  });
});

test.describe('the panel', () => {
  test('closes layer by layer with Escape and returns to the launcher', async ({ page }) => {
    await show(page, 'chat');
    await page.getByRole('button', { name: /security details/ }).click();
    await expect(page.getByRole('region', { name: 'Security' })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('region', { name: 'Security' })).toBeHidden();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toBeHidden();
    await expect(page.getByRole('button', { name: 'Open private chat' })).toBeFocused();
  });

  test('counts what came while it was closed, on the launcher and in the title', async ({ page }) => {
    await show(page, 'secure');
    await page.keyboard.press('Escape');
    await expect(page.getByRole('dialog')).toBeHidden();
    await page.evaluate(() => {
      for (const text of ['a', 'b']) window.room.receive(window.room.members[0]!, text);
    });
    await expect(page.getByRole('button', { name: 'Open private chat, 2 unread messages' })).toBeVisible();
    await expect(page).toHaveTitle('(2) Scene');
    await page.getByRole('button', { name: /Open private chat/ }).click();
    await expect(page).toHaveTitle('Scene');
  });

  test('fills a phone and keeps the page behind out of reach', async ({ page }) => {
    await page.setViewportSize({ width: 390, height: 780 });
    await show(page, 'chat');
    const box = await page.getByRole('dialog').boundingBox();
    expect(box).toMatchObject({ x: 0, y: 0, width: 390, height: 780 });
    expect(await page.evaluate(() => window.chat.shadowRoot?.querySelector('dialog')?.matches(':modal'))).toBe(true);
  });

  test('reflows to 320 pixels without scrolling sideways', async ({ page }) => {
    await page.setViewportSize({ width: 320, height: 640 });
    for (const scene of ['setup', 'waiting', 'exchange', 'aborted', 'chat']) {
      await show(page, scene);
      const overflow = await page.evaluate(() => {
        const boxes = [...(window.chat.shadowRoot?.querySelectorAll<HTMLElement>('.panel, .body, .log, .header') ?? [])];
        return boxes.filter((box) => box.scrollWidth > box.clientWidth).map(({ className }) => className);
      });
      expect(overflow, scene).toEqual([]);
    }
  });

  test('sets the security panel beside the conversation where there is room', async ({ page }) => {
    await page.setViewportSize({ width: 1200, height: 800 });
    await show(page, 'chat', '&mode=fullscreen');
    await page.getByRole('button', { name: /security details/ }).click();
    const sheet = page.getByRole('region', { name: 'Security' });
    await expect(sheet).toBeVisible();
    expect((await sheet.boundingBox())?.width).toBe(380);
    await expect(composer(page)).toBeVisible();
  });
});

test.describe('the room', () => {
  test('shows how far a key agreement is, with the figures of its events', async ({ page }) => {
    await show(page, 'exchange');
    await expect(page.getByRole('meter')).toHaveAttribute('aria-valuetext', 'Error rate 1.5 percent, below the 11 percent limit');
    await expect(page.getByText('4,112 of 16,451 checked')).toBeVisible();
    await expect(page.getByText('Simulated channel')).toBeVisible();
  });

  test('says why it was refused and offers what can be done', async ({ page }) => {
    await show(page, 'aborted');
    await expect(page.getByRole('alert').filter({ hasText: 'Error rate' })).toHaveText(
      /Key exchange stopped\.\s*Error rate 24\.8\s%\sis above the 11\s% limit\. Someone may be listening, or the link is noisy\. No messages were sent\./,
    );
    await page.getByRole('button', { name: 'Retry' }).click();
    expect(await page.evaluate(() => window.room.calls)).toEqual(['retry']);
  });

  test('is verified by a person who compared the safety number', async ({ page }) => {
    await show(page, 'secure');
    await page.getByRole('button', { name: 'Compare' }).click();
    await expect(page.getByRole('region', { name: 'Security' }).getByText('76286')).toBeVisible();
    await page.getByRole('button', { name: 'Mark as verified' }).click();
    await expect(page.getByText('Only you and Bo can read this chat.')).toBeVisible();
    await page.getByRole('button', { name: 'Back' }).click();
    await expect(page.getByRole('button', { name: /^Verified\./ })).toBeVisible();
  });

  test('tells of a lost connection after a while, counts what waits and reconnects on demand', async ({ page }) => {
    await page.clock.install();
    await show(page, 'secure');
    await composer(page).fill('later');
    await page.keyboard.press('Enter');
    await page.evaluate(() => window.room.setState('reconnecting'));
    await expect(page.getByText(/Reconnecting…/)).toBeHidden();
    await page.clock.runFor(2100);
    await expect(page.getByText('Reconnecting… 1 message will send when back')).toBeVisible();
    await page.getByRole('button', { name: 'Retry now' }).click();
    expect(await page.evaluate(() => window.room.calls)).toContain('reconnect');
  });

  test('offers to send or drop a message that failed', async ({ page }) => {
    await show(page, 'failed');
    await page.getByRole('button', { name: 'Delete' }).click();
    await expect(page.getByText('This one did not make it')).toBeHidden();
  });

  test('copies its invite link and says so', async ({ page, context }) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await show(page, 'waiting');
    await page.getByRole('button', { name: 'Copy' }).click();
    await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain('#q2.');
  });

  test('does not take a text for an invite that is none', async ({ page }) => {
    await show(page, 'setup');
    await page.getByRole('textbox', { name: 'Invite link' }).fill('https://example.org/');
    await page.getByRole('button', { name: 'Join' }).click();
    await expect(page.getByText('There is no invite in this text.')).toBeVisible();
  });
});
