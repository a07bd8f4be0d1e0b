import { test as base } from '@playwright/test';
import { People } from './people.ts';
import { DEMO, RelayProcess } from './relay-process.ts';

/** Tests of people who use the widget: with a relay that serves its demo page, and people who are gone when the test is over. */
export const test = base.extend<{ people: People }, { relay: RelayProcess }>({
  relay: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads from it that nothing else is needed
    async ({}, use) => {
      const relay = await RelayProcess.start({ RELAY_DEMO_DIR: DEMO });
      await use(relay);
      await relay.stop();
    },
    { scope: 'worker' },
  ],
  people: async ({ browser }, use) => {
    const people = new People(browser);
    await use(people);
    await people.close();
  },
});
