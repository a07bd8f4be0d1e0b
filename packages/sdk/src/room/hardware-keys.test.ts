import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { etsi014 } from '../key-source/etsi014/index.ts';
import type { KeySource } from '../key-source/types.ts';
import { type MockKmePair, mockKmePair } from '../testing/etsi014-mock/index.ts';
import { MemoryRelay } from '../testing/memory-relay.ts';
import { connect } from './connect.ts';
import type { Room, RoomState } from './types.ts';

/** Two members in Node whose keys come from key management entities, over real mutual TLS. */

let kmes: MockKmePair;
beforeAll(async () => {
  kmes = await mockKmePair();
});
afterAll(() => kmes[Symbol.asyncDispose]());

const open: Room[] = [];
afterEach(async () => {
  for (const kme of [kmes.a, kmes.b]) kme.fault = undefined;
  await Promise.all(open.splice(0).map((room) => room.leave()));
});

const sources = (provenance?: 'hardware'): [KeySource, KeySource] => {
  const common = { ca: kmes.authority.cert, ...(provenance && { provenance }) };
  return [
    etsi014({ kme: kmes.a.url, peer: 'SAE_B', ...kmes.saeA, ...common }),
    etsi014({ kme: kmes.b.url, peer: 'SAE_A', ...kmes.saeB, ...common }),
  ];
};

async function meet(ofAna: KeySource | 'simulated', ofBo: KeySource | 'simulated'): Promise<{ ana: Room; bo: Room }> {
  const { transport } = new MemoryRelay();
  const ana = await connect({ relay: 'http://relay.test', transport, name: 'Ana', keyAgreement: { source: ofAna } });
  const bo = await connect({
    relay: 'http://relay.test',
    transport,
    name: 'Bo',
    invite: ana.invite,
    keyAgreement: { source: ofBo },
  });
  open.push(ana, bo);
  return { ana, bo };
}

async function reach(room: Room, state: RoomState): Promise<void> {
  while (room.state !== state) await room.once('state');
}

describe('members with keys from ETSI GS QKD 014', () => {
  it('talk, and call it hardware only when they were configured so', async () => {
    for (const provenance of ['hardware', undefined] as const) {
      const { ana, bo } = await meet(...sources(provenance));
      await Promise.all([reach(ana, 'secure'), reach(bo, 'secure')]);
      expect(ana.members[0]?.report?.provenance).toBe(provenance ?? 'simulated');
      expect(bo.security.provenance).toBe(provenance ?? 'simulated');
      const atAna = ana.once('message');
      await bo.send('hello');
      expect((await atAna).text).toBe('hello');
    }
  });

  it('take a fresh key for every rekeying', async () => {
    const { ana, bo } = await meet(...sources());
    await Promise.all([reach(ana, 'secure'), reach(bo, 'secure')]);
    const before = kmes.a.seen.length + kmes.b.seen.length;
    await ana.rekey();
    expect(kmes.a.seen.length + kmes.b.seen.length).toBeGreaterThan(before);
    await (await ana.send('fresh')).delivered;
  });

  it('are told why when an entity has no key, and have no session', async () => {
    kmes.b.fault = { status: 503 };
    const { ana, bo } = await meet(...sources());
    await Promise.all([reach(ana, 'aborted'), reach(bo, 'aborted')]);
    await expect(bo.send('x')).rejects.toMatchObject({ code: 'KEY_SOURCE_FAILED' });
  });

  it('do not come together with members who simulate', async () => {
    const { bo } = await meet(sources()[0], 'simulated');
    await reach(bo, 'aborted');
    await expect(bo.send('x')).rejects.toMatchObject({ code: 'KEY_SOURCE_FAILED' });
  });
});
