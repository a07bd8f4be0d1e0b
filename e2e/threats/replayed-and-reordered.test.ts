import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Room } from '../../packages/sdk/src/index.ts';
import type { HostileRelay } from '../../packages/sdk/src/testing/index.ts';
import { VirtualTime } from '../support/virtual-time.ts';
import { buildLab, type Edit, type Lab } from './support/lab.ts';
import { enter, isProbe, pair, settled, textsAt } from './support/people.ts';

/** The relay repeats, replays, delays, drops, splices, reflects, forges and injects as random schedules say. */

const RUNS = process.env.QSEC2_SOAK ? 2_000 : 25;

let honest: Lab;
beforeAll(async () => {
  honest = await buildLab();
});

/** What is lost is made up for within seconds of heartbeats: they pass at once here. */
const time = new VirtualTime();

interface Exchange {
  sent: Record<'ana' | 'bo', string[]>;
  shown: Record<'ana' | 'bo', string[]>;
}

let round = 0;

/** Both write a few texts while the schedule is played, and one more each once the relay is calm. */
async function exchange(
  relay: HostileRelay,
  people: { ana: Room; bo: Room },
  moves: Parameters<HostileRelay['attack']>[0],
): Promise<Exchange> {
  const { ana, bo } = people;
  const texts = Array.from({ length: 5 }, (_, i) => `${++round} ${i}`);
  const atBo = textsAt(bo);
  const atAna = textsAt(ana);
  relay.attack(moves);
  await time.until(Promise.all(texts.flatMap((text) => [ana.send(`a${text}`), bo.send(`b${text}`)])));
  relay.calm();
  await time.until(settled(ana, bo));
  const real = (shown: string[]) => shown.filter((text) => !isProbe(text));
  return {
    sent: { ana: texts.map((text) => `a${text}`), bo: texts.map((text) => `b${text}`) },
    shown: { ana: real(atAna), bo: real(atBo) },
  };
}

describe('under any schedule of a hostile relay', () => {
  beforeAll(() => time.install());
  afterAll(() => time.uninstall());

  it('each text is shown once at most, to who it was for, and none that was not sent; the session goes on', async () => {
    const { HostileRelay, movesFrom } = honest.testing;
    const relay = new HostileRelay();
    const people = await time.until(pair(honest, relay));
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 24 }), async (schedule) => {
        const { sent, shown } = await exchange(relay, people, { moves: movesFrom(schedule) });
        for (const [author, reader] of [
          ['ana', 'bo'],
          ['bo', 'ana'],
        ] as const) {
          // What is sent again is shown in a later round: it is still the author's, and still only once.
          expect(new Set(shown[reader]).size).toBe(shown[reader].length);
          for (const text of shown[reader]) expect(text).toMatch(author === 'ana' ? /^a/ : /^b/);
          const ofNow = shown[reader].filter((text) => sent[author].includes(text));
          expect(sent[author]).toEqual(expect.arrayContaining(ofNow));
        }
      }),
      { numRuns: RUNS },
    );
  }, 600_000);

  it('every text is shown, in order, when the relay loses and delays none', async () => {
    const { HostileRelay, movesFrom, LOSSLESS } = honest.testing;
    const relay = new HostileRelay();
    const people = await time.until(pair(honest, relay));
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 24 }), async (schedule) => {
        const { sent, shown } = await exchange(relay, people, { moves: movesFrom(schedule, LOSSLESS) });
        expect(shown).toEqual({ ana: sent.bo, bo: sent.ana });
      }),
      { numRuns: RUNS },
    );
  }, 600_000);

  it('two agree keys and write, when the relay loses and delays nothing from the beginning', async () => {
    const { HostileRelay, movesFrom, LOSSLESS } = honest.testing;
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (schedule) => {
        const relay = new HostileRelay({ moves: movesFrom(schedule, LOSSLESS) });
        const { ana, bo } = await time.until(pair(honest, relay));
        await time.until(settled(ana, bo));
      }),
      { numRuns: Math.ceil(RUNS / 5) },
    );
  }, 600_000);
});

/** Replays each of Ana's frames to Bo ten times over; how often Bo shows her one text. */
async function replay(lab: Lab): Promise<number> {
  const relay = new lab.testing.HostileRelay();
  const { ana, bo } = await pair(lab, relay);
  const atBo = textsAt(bo);
  relay.attack({ tamper: (frame) => Array.from({ length: 10 }, () => frame) });
  await (await ana.send('once')).delivered;
  relay.calm();
  await settled(ana, bo);
  return atBo.filter((text) => text === 'once').length;
}

/** Two defences stand in line; either alone suffices. */
const KEYS_KEPT: Edit[] = [
  {
    file: 'protocol/ratchet.ts',
    find: 'take(counter: number): MessageKey {',
    put: `take(counter: number): MessageKey {
          const first = (this as any).first ??= this.#chainKey?.slice();
          let again = first.slice(); let known: any;
          for (let at = 0; at <= counter; at++) { known = step(again); again = known.next; }
          if (true) return { counter, key: known.key, nonce: known.nonce };`,
  },
];
const IDS_FORGOTTEN: Edit[] = [
  {
    file: 'room/seen-ids.ts',
    find: /has\(author: string, id: string\): boolean \{/,
    put: 'has(author: string, id: string): boolean { if (true) return false;',
  },
];

describe('a frame that is replayed', () => {
  it.each<[string, Edit[]]>([
    ['with both defences', []],
    ['with ids alone', KEYS_KEPT],
    ['with chains alone', IDS_FORGOTTEN],
  ])('is shown once %s', async (_, edits) => {
    expect(await replay(await buildLab({ edits }))).toBe(1);
  });

  it('would be shown every time, if chains kept their keys and ids were forgotten', async () => {
    expect(await replay(await buildLab({ edits: [...KEYS_KEPT, ...IDS_FORGOTTEN] }))).toBe(10);
  });
});

describe('a frame that is reflected to its sender', () => {
  /** Whether a side of a pair opens a frame of its own. */
  async function reflect(lab: Lab): Promise<boolean> {
    const { PairChannel, randomBytes } = lab.protocol;
    const shown = randomBytes(1);
    const secrets = { sid: randomBytes(16), transcript: randomBytes(32), sas: randomBytes(6), shown, report: undefined };
    const peer = { identity: randomBytes(32), policy: randomBytes(1) };
    const side = new PairChannel(randomBytes(16), { ...secrets, role: 'a', peer, root: randomBytes(32) });
    return side.open(await side.seal(new Uint8Array(4))).then(
      () => true,
      (error: unknown) => !lab.QsecError.is(error),
    );
  }

  it('does not open', async () => {
    expect(await reflect(honest)).toBe(false);
  });

  it('would open, if both directions had one chain and one name', async () => {
    const edits: Edit[] = [
      {
        file: 'protocol/pair-channel.ts',
        find: "this.#inbound = role === 'a' ? 'b>a' : 'a>b';",
        put: 'this.#inbound = this.#outbound;',
      },
    ];
    expect(await reflect(await buildLab({ edits }))).toBe(true);
  });
});

describe('frames of another room', () => {
  it('come to nothing', async () => {
    const relay = new honest.testing.HostileRelay();
    const here = await pair(honest, relay);
    const there = await pair(honest, relay, { name: 'Cy' });
    const atBo = textsAt(here.bo);
    const [first = '', second = ''] = relay.rooms;
    await (await there.ana.send('not for you')).delivered;
    const [from = '', to = ''] = relay.seatsOf(first);
    for (const push of relay.captured.filter(({ room }) => room === second)) {
      relay.deliver({ room: first, from, to, transient: true, body: honest.wire.concat(push.body) });
    }
    await settled(here.ana, here.bo);
    expect(atBo.filter((text) => !isProbe(text))).toEqual([]);
    expect(await enter(honest, relay, { name: 'Di' })).toBeDefined();
  });
});
