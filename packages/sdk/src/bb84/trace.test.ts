import { expect, test } from 'vitest';
import { agree } from './agree.ts';
import { simulatedChannel } from './channel/index.ts';
import type { TracedPhoton } from './trace.ts';

async function traced(trace: number): Promise<Record<'alice' | 'bob', TracedPhoton[]>> {
  const traces: Record<'alice' | 'bob', TracedPhoton[]> = { alice: [], bob: [] };
  const channel = simulatedChannel({ flip: 0.02, loss: 0.2 });
  await agree({ trace, channel, onPhotons: ({ side, photons }) => traces[side].push(...photons) });
  return traces;
}

test('both sides tell the same story of the first pulses', async () => {
  const { alice, bob } = await traced(2000);
  expect(alice).toHaveLength(2000);
  expect(bob).toHaveLength(2000);
  const fates = new Map<string, number>();
  alice.forEach((photon, i) => {
    const other = bob[i] as TracedPhoton;
    fates.set(photon.fate, (fates.get(photon.fate) ?? 0) + 1);
    expect(other.fate).toBe(photon.fate);
    expect([other.basis, other.peerBasis]).toEqual([photon.peerBasis, photon.basis]);
    if (photon.fate === 'compared') expect([other.bit, other.peerBit]).toEqual([photon.peerBit, photon.bit]);
    if (photon.fate === 'mismatched') expect(photon.basis).not.toBe(photon.peerBasis);
  });
  expect(fates.get('lost')).toBeGreaterThan(300);
  expect(fates.get('mismatched')).toBeGreaterThan(650);
  expect(fates.get('compared')).toBeGreaterThan(150);
  expect(fates.get('kept')).toBeGreaterThan(400);
});

test('bits that go into the key are never in the trace', async () => {
  const { alice, bob } = await traced(4096);
  for (const photon of [...alice, ...bob]) {
    if (photon.fate === 'kept') expect(Object.keys(photon)).toEqual(['fate', 'basis', 'peerBasis']);
  }
});

test('without the option there is no trace, and its length is bounded', async () => {
  expect((await traced(0)).alice).toEqual([]);
  await expect(traced(4097)).rejects.toThrow('"trace"');
});
