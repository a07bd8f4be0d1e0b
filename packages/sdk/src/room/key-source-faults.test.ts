import { describe, expect, it, vi } from 'vitest';
import type { QsecError } from '../errors.ts';
import { bb84KeySource } from '../key-source/bb84.ts';
import type { KeyParty, KeySource } from '../key-source/types.ts';
import { HostileRelay } from '../testing/hostile/hostile-relay.ts';
import { connect } from './connect.ts';
import { enter, until } from './rooms-in-fast-time.ts';
import type { Room } from './types.ts';

/** Key sources that do not do their part: both sides are told why, in time, and nothing begins again by itself. */

const honest = bb84KeySource();

/** A source whose parties are changed by `spoil`. */
function source(spoil: (party: KeyParty) => unknown): KeySource {
  const spoilt = (party: KeyParty) => spoil(party) as KeyParty;
  return { ...honest, alice: (how) => spoilt(honest.alice(how)), bob: (how) => spoilt(honest.bob(how)) };
}

const party = (own: KeyParty, changes: Partial<Record<keyof KeyParty, unknown>>): unknown =>
  new Proxy(own, {
    get: (target, name) => {
      const value = name in changes ? changes[name as keyof KeyParty] : Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

const SOURCES: Record<string, KeySource> = {
  'throws when it is asked to take part': source(() => {
    throw new Error('no photons today');
  }),
  'gives no party': source(() => undefined),
  'gives a party without events': source(() => ({ next: () => undefined })),
  'throws at a step': source((own) =>
    party(own, {
      next: () => {
        throw new TypeError('detector');
      },
    }),
  ),
  'fails at a step a moment later': source((own) => party(own, { next: () => Promise.reject(new Error('laser')) })),
  'never answers': source((own) => party(own, { next: () => new Promise(() => undefined) })),
  'says what is no flight': source((own) => party(own, { next: () => 'photons' })),
  'says more than it may': source((own) => party(own, { next: () => new Uint8Array(1_000_000) })),
  'has a result without a key': source((own) => party(own, { result: {} })),
  'has a failure that is none': source((own) => party(own, { failure: {}, next: () => new Uint8Array(1) })),
};

/** Everything that a room tells of its state and its errors. */
function story(room: Room) {
  const states: string[] = [room.state];
  const errors: QsecError[] = [];
  room.on('state', (state) => states.push(state));
  room.on('error', (error) => errors.push(error));
  return { room, states, errors };
}

async function meet(ofAna: KeySource | 'simulated', ofBo: KeySource | 'simulated') {
  const relay = new HostileRelay();
  const ana = story(await enter(relay, { name: 'Ana', keyAgreement: { source: ofAna } }));
  const bo = story(await enter(relay, { name: 'Bo', invite: ana.room.invite, keyAgreement: { source: ofBo } }));
  return { ana, bo };
}

/** Both are told once, and for minutes nothing changes any more. */
async function endsOnce({ ana, bo }: Awaited<ReturnType<typeof meet>>, code: string) {
  await until(() => ana.room.state === 'aborted' && bo.room.state === 'aborted');
  const told = [ana.states.length, bo.states.length];
  await vi.advanceTimersByTimeAsync(180_000);
  expect([ana.states.length, bo.states.length]).toEqual(told);
  for (const { errors } of [ana, bo]) expect(errors.map((error) => error.code)).toEqual([code]);
}

describe('a key source that', () => {
  for (const [how, broken] of Object.entries(SOURCES)) {
    it(`${how}, with who came, ends the agreement once on both sides`, async () => {
      const both = await meet('simulated', broken);
      await endsOnce(both, 'KEY_SOURCE_FAILED');
      expect(both.ana.errors[0]?.details.reason).toBe('peer');
      expect(both.bo.errors[0]?.details.reason).toBeUndefined();
    });

    it(`${how}, with who was there, ends the agreement once on both sides`, async () => {
      const both = await meet(broken, 'simulated');
      await endsOnce(both, 'KEY_SOURCE_FAILED');
      expect(both.bo.errors[0]?.details.reason).toBe('peer');
    });
  }

  it('gives a key of another length, ends the agreement once on both sides', async () => {
    const short = source((own) => party(own, { result: { key: new Uint8Array(16), report: {} } }));
    await endsOnce(await meet('simulated', short), 'HANDSHAKE_FAILED');
    await endsOnce(await meet(short, 'simulated'), 'HANDSHAKE_FAILED');
  });

  it('is of another kind than the other side’s, ends the agreement once on both sides', async () => {
    const other: KeySource = { ...honest, kind: 'etsi014' };
    await endsOnce(await meet('simulated', other), 'KEY_SOURCE_FAILED');
    await endsOnce(await meet(other, 'simulated'), 'KEY_SOURCE_FAILED');
  });

  it('works again is tried again when a person asks for it, by either side', async () => {
    let broken = true;
    const flaky = source((own) => {
      if (broken) throw new Error('warming up');
      return own;
    });
    for (const side of ['ana', 'bo'] as const) {
      broken = true;
      const both = await meet('simulated', flaky);
      await until(() => both.ana.room.state === 'aborted' && both.bo.room.state === 'aborted');
      broken = false;
      both[side].room.retry();
      await until(() => both.ana.room.state === 'secure' && both.bo.room.state === 'secure');
    }
  });

  it.each([
    ['kind', { ...honest, kind: 'entangled' }],
    ['kind', { ...honest, kind: undefined }],
    ['provenance', { ...honest, provenance: 'a dream' }],
  ])('names no %s that there is, is refused before anybody is met', async (name, wrong) => {
    const { transport } = new HostileRelay();
    await expect(
      connect({ relay: 'http://relay.test', transport, keyAgreement: { source: wrong as KeySource } }),
    ).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(`"keyAgreement.source.${name}"`) });
  });
});
