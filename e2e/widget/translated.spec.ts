import { type Browser, expect, type Page, test } from '@playwright/test';
import type { QsecError } from '@qsec2/sdk';
import type { FakeRoom } from '../../packages/widget/test/fake-room.ts';
import type { fullReport, refusedStages, stagesUpTo } from '../../packages/widget/test/fixtures.ts';
import { type SceneServer, startSceneServer } from './scene-server.ts';

/** Pages that a browser translates: what is shown follows the state, whatever became of the text nodes that were there. */

interface Scene extends Window {
  chat: HTMLElement & { open(): Promise<void>; close(): Promise<void> };
  room: FakeRoom & { sendError: unknown };
  stagesUpTo: typeof stagesUpTo;
  refusedStages: typeof refusedStages;
  fullReport: typeof fullReport;
  QsecError: typeof QsecError;
}
declare const window: Scene;

let server: SceneServer;

test.beforeAll(async () => {
  server = await startSceneServer();
});

test.afterAll(async () => {
  await server.close();
});

/** What translators do to text nodes. */
const MANNERS = {
  'put into elements': (text: Text) => {
    const [outer, inner] = [document.createElement('font'), document.createElement('font')];
    outer.append(inner);
    text.replaceWith(outer);
    inner.append(text.data);
  },
  'split into elements': (text: Text) => {
    const half = Math.ceil(text.length / 2);
    const pieces = [text.data.slice(0, half), text.data.slice(half)].map((piece) => {
      const font = document.createElement('font');
      font.append(piece);
      return font;
    });
    text.replaceWith(...pieces);
  },
  'split and joined': (text: Text) => {
    const parent = text.parentNode;
    text.splitText(Math.floor(text.length / 2));
    parent?.normalize();
    text.replaceWith(new Text(text.data));
  },
  'taken out': (text: Text) => text.remove(),
} as const;
type Manner = keyof typeof MANNERS;

const translate = (page: Page, manner: Manner) =>
  page.evaluate((change) => {
    const all = (root: Node): Text[] => [...root.childNodes].flatMap((node) => (node instanceof Text ? [node] : all(node)));
    const one = new Function(`return ${change}`)() as (text: Text) => void;
    const root = window.chat.shadowRoot;
    if (root) for (const text of all(root)) if (text.data.trim()) one(text);
  }, MANNERS[manner].toString());

/** Every text there is in the widget, and every name and description. */
const shown = (page: Page) =>
  page.evaluate(() => {
    const root = window.chat.shadowRoot;
    const elements = [...(root?.querySelectorAll('*') ?? [])].filter((element) => element.localName !== 'font');
    return {
      whole: root?.textContent ?? '',
      texts: elements
        .filter(({ localName }) => localName === 'qsec2-text' || localName === 'tspan')
        .map((one) => one.textContent),
      labels: elements
        .map((one) => one.getAttribute('aria-label') ?? one.getAttribute('placeholder'))
        .filter((label) => label !== null),
    };
  });

/** One after the other, every state and every change within one. Each runs in both pages, and is over when it returns. */
const STEPS: Readonly<Record<string, (page: Page) => Promise<unknown>>> = {
  'a key is being made': (page) => page.evaluate(() => window.room.setState('agreeing')),
  'pulses are sent': (page) => page.evaluate(() => window.room.agree(window.stagesUpTo('pulses'))),
  'errors are estimated': (page) => page.evaluate(() => window.room.agree(window.stagesUpTo('estimation').slice(1))),
  'the exchange is stopped': (page) =>
    page.evaluate(() => {
      const qber = { z: 0.25, x: 0.25, combined: 0.25, upperBound: 0.27 };
      window.room.agree(window.refusedStages(window.fullReport({ qber })));
      window.room.setState('aborted');
    }),
  'it is tried again': (page) => page.getByRole('button', { name: 'Retry' }).click(),
  'another attempt': (page) =>
    page.evaluate(() => {
      window.room.setState('agreeing');
      window.room.agree(window.stagesUpTo('confirmed', window.fullReport(), 2));
    }),
  'somebody is there': (page) => page.evaluate(() => window.room.admit('Bo')),
  'somebody writes': (page) => page.evaluate(() => window.room.setTyping(window.room.members[0]!, true)),
  'a message came': (page) =>
    page.evaluate(() => {
      window.room.setTyping(window.room.members[0]!, false);
      window.room.receive(window.room.members[0]!, 'See https://example.org/a and write back', new Date(Date.now() - 9e7));
    }),
  'a message goes': (page) => page.evaluate(() => window.room.sendAt('On its way', new Date(), 'sending')),
  'one is shown by the widget': async (page) => {
    await page.getByRole('textbox', { name: 'Message' }).fill('Hello');
    await page.keyboard.press('Enter');
  },
  'it is delivered': (page) => page.evaluate(() => window.room.setStatus(window.room.history().at(-1)!.id, 'delivered')),
  'the other one failed': (page) => page.evaluate(() => window.room.setStatus(window.room.history().at(-2)!.id, 'failed')),
  'a message is refused': async (page) => {
    await page.evaluate(() => {
      window.room.sendError = new window.QsecError('MESSAGE_TOO_LARGE', 'too large');
    });
    await page.getByRole('textbox', { name: 'Message' }).fill('Hello again');
    await page.keyboard.press('Enter');
  },
  'a notice': (page) => page.evaluate(() => window.room.fail(new window.QsecError('RATE_LIMITED', 'slow down'))),
  'another notice': (page) => page.evaluate(() => window.room.fail(new window.QsecError('TIMEOUT', 'no answer'))),
  'the notice is gone': (page) => page.getByRole('button', { name: 'Dismiss' }).first().click(),
  'the connection is away': async (page) => {
    await page.evaluate(() => window.room.setState('reconnecting'));
    await page
      .getByText(/^Reconnecting…/)
      .first()
      .waitFor();
  },
  'and back': (page) => page.evaluate(() => window.room.setState('secure')),
  'the other is away': (page) => page.evaluate(() => window.room.setPresence(window.room.members[0]!, 'away')),
  'security is shown': (page) => page.getByRole('button', { name: /security details/ }).click(),
  'somebody is verified': (page) => page.evaluate(() => window.room.members[0]!.verify()),
  'security is put away': (page) => page.keyboard.press('Escape'),
  'the menu is open': (page) => page.getByRole('button', { name: 'More' }).click(),
  'people are shown': (page) => page.getByRole('menuitem', { name: 'People' }).click(),
  'somebody asks to come in': (page) => page.evaluate(() => window.room.change(window.room.members[0]!, { waiting: true })),
  'people are put away': (page) => page.keyboard.press('Escape'),
  'somebody is let in': (page) => page.evaluate(() => window.room.change(window.room.members[0]!, { waiting: false })),
  'somebody shows another key': (page) =>
    page.evaluate(() => window.room.change(window.room.members[0]!, { changedFrom: { ...window.room.members[0]! } })),
  'the person goes on': (page) => page.evaluate(() => window.room.members[0]!.accept()),
  'the other leaves': (page) => page.evaluate(() => window.room.depart(window.room.members[0]!)),
  'the link is asked for again': (page) => page.getByRole('button', { name: 'Share the link again' }).click(),
  'another one comes': (page) => page.evaluate(() => window.room.admit('Cy')),
  'the room ends': (page) => page.evaluate(() => window.room.setState('closed')),
  'start again': (page) => page.getByRole('button', { name: 'Start again' }).click(),
  'more people': (page) => page.getByRole('button', { name: 'One person more' }).click(),
  'no link': (page) => page.getByRole('button', { name: 'Join' }).click(),
  'half a link': async (page) => {
    await page.getByRole('textbox', { name: 'Invite link' }).fill('#q2.abc');
    await page.getByRole('button', { name: 'Join' }).click();
  },
};

/** Steps by a button that has no name while its text is away. */
const BY_TEXT = new Set([
  'it is tried again',
  'people are shown',
  'the link is asked for again',
  'start again',
  'more people',
  'no link',
  'half a link',
]);

for (const manner of Object.keys(MANNERS) as Manner[]) {
  test(`every state is shown as on a page that is left alone, when texts are ${manner}`, async ({ browser }) => {
    test.setTimeout(240_000);
    const [left, changed] = [await show(browser), await show(browser)];
    let before = await shown(left);
    for (const [name, step] of Object.entries(STEPS)) {
      if (manner === 'taken out' && BY_TEXT.has(name)) continue;
      await translate(changed, manner);
      await step(left);
      await step(changed);
      let now = before;
      await expect
        .poll(
          async () => {
            now = await shown(left);
            if (now.whole === before.whole && String(now.labels) === String(before.labels)) return 'nothing happened yet';
            return differences(now, await shown(changed), before, manner);
          },
          { message: name },
        )
        .toEqual([]);
      before = now;
    }
  });
}

type Shown = Awaited<ReturnType<typeof shown>>;

/** In what the changed page is not as the one that was left alone. */
function differences(now: Shown, changed: Shown, before: Shown, manner: Manner): string[] {
  const labels = now.labels.flatMap((label, i) => (changed.labels[i] === label ? [] : [`${label} / ${changed.labels[i]}`]));
  if (manner !== 'taken out') return changed.whole === now.whole ? labels : [...labels, `${now.whole} / ${changed.whole}`];
  // What did not change stays away until it is drawn again; nothing stands there that is not so.
  const texts = now.texts.flatMap((text, i) => {
    const there = changed.texts[i];
    return there === text || (there === '' && before.texts.includes(text)) ? [] : [`${text} / ${there}`];
  });
  return [...labels, ...texts];
}

async function show(browser: Browser): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  page.on('pageerror', (error) => {
    throw error;
  });
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.clock.setFixedTime(new Date('2026-03-04T10:00:00'));
  await page.goto(`${server.url}/?scene=waiting`);
  await page.locator('html[data-ready]').waitFor();
  return page;
}
