import AxeBuilder from '@axe-core/playwright';
import { expect, type Page, test } from '@playwright/test';
import { SCENES } from '../../packages/widget/test/scenes.ts';
import { type SceneServer, startSceneServer } from './scene-server.ts';

/** Every state, light and dark: reachable by assistive technology (WCAG 2.2 A and AA), and without a word on the console. */

const STANDARD = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

test.describe.configure({ mode: 'parallel' });

let server: SceneServer;

test.beforeAll(async () => {
  server = await startSceneServer();
});

test.afterAll(async () => {
  await server.close();
});

async function show(page: Page, scene: string, theme: string): Promise<string[]> {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.emulateMedia({ reducedMotion: 'reduce', colorScheme: theme === 'light' ? 'light' : 'dark' });
  await page.goto(`${server.url}/?scene=${scene}&theme=${theme}`);
  await page.locator('html[data-ready]').waitFor();
  await settled(page);
  return complaints;
}

/** A fade that is still running would be measured as bad contrast. */
async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => document.getAnimations().every((animation) => animation.playState === 'finished'));
}

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).include('qsec2-chat').withTags(STANDARD).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`)).toEqual([]);
}

for (const [theme, scenes] of [
  ['light', ['setup', ...Object.keys(SCENES)]],
  ['dark', ['setup', ...Object.keys(SCENES)]],
  ['quantum', ['chat']],
] as const) {
  test.describe(theme, () => {
    for (const scene of scenes) {
      test(`${scene} is accessible`, async ({ page }) => {
        const complaints = await show(page, scene, theme);
        await expectAccessible(page);
        expect(complaints).toEqual([]);
      });
    }

    // What a theme changes shows in the panels below.
    if (theme !== 'quantum') {
      test('the question who decides after one leaves is accessible', async ({ page }) => {
        await show(page, 'group', theme);
        await page.getByRole('button', { name: 'More' }).click();
        await page.getByRole('menuitem', { name: 'Leave room' }).click();
        await page.getByRole('radio').first().waitFor();
        await settled(page);
        await expectAccessible(page);
      });

      test('making a room for a group is accessible', async ({ page }) => {
        await show(page, 'setup', theme);
        await page.getByRole('button', { name: 'One person more' }).click();
        await page.getByRole('checkbox').check();
        await expectAccessible(page);
      });
    }

    test('the security panel is accessible', async ({ page }) => {
      const complaints = await show(page, 'chat', theme);
      await page.getByRole('button', { name: /security details/ }).click();
      await page.getByRole('list', { name: 'The same, as pictures' }).waitFor();
      await settled(page);
      await expectAccessible(page);
      expect(complaints).toEqual([]);
    });

    test('the list of people is accessible, a question about removing included', async ({ page }) => {
      await show(page, 'asks-in', theme);
      await page.getByRole('button', { name: 'Look' }).click();
      await page.getByRole('button', { name: 'Actions for Bo' }).click();
      await expectAccessible(page);
      await page.getByRole('button', { name: 'Remove from the room' }).click();
      await page.getByRole('alertdialog').waitFor();
      await settled(page);
      await expectAccessible(page);
    });

    test('the menu is accessible', async ({ page }) => {
      await show(page, 'chat', theme);
      await page.getByRole('button', { name: 'More' }).click();
      await page.getByRole('menuitem', { name: 'Leave room' }).waitFor();
      await settled(page);
      await expectAccessible(page);
    });
  });
}
