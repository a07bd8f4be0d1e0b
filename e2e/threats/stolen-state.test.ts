import { describe, expect, it } from 'vitest';
import { buildLab, type Edit, type Lab } from './support/lab.ts';
import { pair, settled } from './support/people.ts';
import { keyMaterialIn, LAID_OPEN, readOn, readWith } from './support/thief.ts';

/** At some moment everything in a member's memory is copied. What was said before stays closed. */

const BEFORE = 'the mill at noon, as always';
const AFTER = 'and bring the second map';

/** What a thief reads who recorded everything, with all that Ana's state holds between the two messages. */
async function steal(edits: readonly Edit[] = []): Promise<{ before: boolean; after: boolean; found: number }> {
  const lab: Lab = await buildLab({ edits, patch: LAID_OPEN });
  const relay = new lab.testing.HostileRelay();
  const { ana, bo } = await pair(lab, relay);
  await settled(ana, bo);
  for (const [author, text] of [
    [ana, BEFORE],
    [bo, BEFORE],
  ] as const)
    await (await author.send(text)).delivered;
  await settled(ana, bo);
  // The transport is not part of the state: it belongs to the relay, which has all frames anyway. Nor are texts that are shown.
  const loot = keyMaterialIn(ana, new Set<unknown>([relay, relay.transport]));
  const recorded = relay.captured.length;
  await (await bo.send(AFTER)).delivered;

  const frames = (list: typeof relay.captured) => list.map(({ body }) => body).filter((body) => body[1] === 3);
  const reads = (text: string, bodies: readonly Uint8Array[]) => readWith(loot, bodies).some((plain) => plain.includes(text));
  return {
    before: reads(BEFORE, frames(relay.captured.slice(0, recorded))),
    after: reads(AFTER, frames(relay.captured.slice(recorded))),
    found: loot.length,
  };
}

describe('who copies a member’s whole memory', () => {
  it('reads nothing that was said before, though what follows until the keys change', async () => {
    const { before, after, found } = await steal();
    expect(found).toBeGreaterThan(10);
    // That the thief reads what follows shows that it looked in the right places.
    expect({ before, after }).toEqual({ before: false, after: true });
  });

  it.each<[string, Edit[]]>([
    [
      'a sender kept the seed of its epoch',
      [
        {
          file: 'protocol/sender-key.ts',
          find: 'this.#chain = new SendChain(seed);',
          put: 'this.seed = seed.slice(); this.#chain = new SendChain(seed);',
        },
      ],
    ],
    [
      'a receiver kept the seed it was told',
      [
        {
          file: 'protocol/sender-key.ts',
          find: 'this.#chain = new ReceiveChain(announcement.seed,',
          put: 'this.seed = announcement.seed.slice(); this.#chain = new ReceiveChain(announcement.seed,',
        },
      ],
    ],
    [
      'a chain kept where it came from',
      [
        {
          file: 'protocol/ratchet.ts',
          find: 'const { next, key, nonce } = step(chainKey);\n    erase(chainKey);',
          put: '((this as any).past ??= []).push(chainKey.slice()); const { next, key, nonce } = step(chainKey);',
        },
      ],
    ],
  ])('would read it, if %s', async (_, edits) => {
    expect((await steal(edits)).before).toBe(true);
  });
});

/** Ana and Bo rekey after the theft; whether the thief reads what Bo writes then, with everything that passed the relay. */
async function readAfterRekeying(edits: readonly Edit[] = []): Promise<boolean> {
  const lab: Lab = await buildLab({ edits, patch: LAID_OPEN });
  const relay = new lab.testing.HostileRelay();
  const { ana, bo } = await pair(lab, relay);
  await settled(ana, bo);
  const loot = keyMaterialIn(ana, new Set<unknown>([relay, relay.transport]));
  const recorded = relay.captured.length;
  await bo.rekey();
  await (await bo.send(AFTER)).delivered;
  const bodies = relay.captured.slice(recorded).map(({ body }) => body);
  return readOn(loot, bodies).some((plain) => plain.includes(AFTER));
}

describe('who copies a member’s memory and goes on listening', () => {
  it('reads nothing more once the pair was rekeyed', async () => {
    expect(await readAfterRekeying()).toBe(false);
  });

  it('would read on, if the new sender key went out under the old root', async () => {
    const edits: Edit[] = [
      { file: 'protocol/pair-channel.ts', find: 'if (!this.#next) return;', put: 'if (this.#next || !this.#next) return;' },
    ];
    expect(await readAfterRekeying(edits)).toBe(true);
  });
});

/** R1 and R2 are the only large frames between two members. Whether `rekey` says that it failed, and whether the thief reads on. */
async function readAfterBlockedRekeying(edits: readonly Edit[] = []): Promise<{ told: string; epochs: number; reads: boolean }> {
  const lab: Lab = await buildLab({ edits: [IN_A_MOMENT, ...edits], patch: LAID_OPEN });
  const relay = new lab.testing.HostileRelay();
  const { ana, bo } = await pair(lab, relay);
  await settled(ana, bo);
  const loot = keyMaterialIn(ana, new Set<unknown>([relay, relay.transport]));
  const recorded = relay.captured.length;
  const before = bo.security.epoch;
  relay.attack({ tamper: (frame) => (frame.body[1] === 2 && frame.body.length > 1_000 ? [] : [frame]) });
  const told = await bo.rekey().then(
    () => 'done',
    (error: unknown) => (lab.QsecError.is(error) ? error.code : 'another error'),
  );
  await (await bo.send(AFTER)).delivered;
  const epochs = bo.security.epoch - before;
  const bodies = relay.captured.slice(recorded).map(({ body }) => body);
  return { told, epochs, reads: readOn(loot, bodies).some((plain) => plain.includes(AFTER)) };
}

/** The seconds that a rekeying is waited for take as long here as the ways of a relay in the same process. */
const IN_A_MOMENT: Edit = { file: 'room/renewals.ts', find: 'const LIMIT_MS = 15_000;', put: 'const LIMIT_MS = 500;' };

describe('a relay that holds back the large frames of a rekeying', () => {
  it('is told of: nobody believes that the keys are new while a thief reads on', async () => {
    expect(await readAfterBlockedRekeying()).toEqual({ told: 'REKEY_FAILED', epochs: 0, reads: true });
  });

  it('would make it seem done, with a sender key that the thief gets, if what takes too long were passed over', async () => {
    const passedOver: Edit = {
      file: 'room/renewals.ts',
      find: 'this.#options.giveUp(peer);',
      put: 'if (true) { this.#options.enqueue(() => this.renewed(peer)); return; }',
    };
    expect(await readAfterBlockedRekeying([passedOver])).toEqual({ told: 'done', epochs: 1, reads: true });
  });

  it('only delays it: once it lets them through the thief reads nothing more', async () => {
    const lab: Lab = await buildLab({ edits: [IN_A_MOMENT], patch: LAID_OPEN });
    const relay = new lab.testing.HostileRelay();
    const { ana, bo } = await pair(lab, relay);
    await settled(ana, bo);
    const loot = keyMaterialIn(ana, new Set<unknown>([relay, relay.transport]));
    const recorded = relay.captured.length;
    relay.attack({ tamper: (frame) => (frame.body[1] === 2 && frame.body.length > 1_000 ? [] : [frame]) });
    await expect(bo.rekey()).rejects.toMatchObject({ code: 'REKEY_FAILED' });
    relay.calm();
    await bo.rekey();
    await (await bo.send(AFTER)).delivered;
    const bodies = relay.captured.slice(recorded).map(({ body }) => body);
    expect(readOn(loot, bodies).some((plain) => plain.includes(AFTER))).toBe(false);
  });
});
