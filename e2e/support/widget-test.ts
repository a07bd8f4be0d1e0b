import { test as base } from '@playwright/test';
import { Site, twoLines } from './host-page.ts';
import { People } from './people.ts';
import { DEMO, RelayProcess } from './relay-process.ts';

interface Places {
  relay: RelayProcess;
  /** A page of another origin with the README's two lines. */
  site: Site;
}

/** Tests of people who use the widget: with a relay, a page of another origin, and people who are gone when the test is over. */
export const test = base.extend<{ people: People }, Places>({
  relay: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads from it that nothing else is needed
    async ({}, use) => {
      const relay = await RelayProcess.start({ RELAY_DEMO_DIR: DEMO });
      await use(relay);
      await relay.stop();
    },
    { scope: 'worker' },
  ],
  site: [
    async ({ relay }, use) => {
      const site = await Site.page(twoLines(relay.url));
      await use(site);
      await site.close();
    },
    { scope: 'worker' },
  ],
  people: async ({ browser }, use) => {
    const people = new People(browser);
    await use(people);
    await people.close();
  },
});
