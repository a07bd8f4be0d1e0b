import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Agreement, agree } from './agree.ts';
import { Alice } from './alice.ts';
import { flipBit } from './bits.ts';
import { Bob } from './bob.ts';
import { measure, simulatedChannel, weakCoherent } from './channel/index.ts';
import { Xoshiro128 } from './channel/physics-random.ts';
import { cascade } from './reconciliation/cascade.ts';
import type { TracedPhoton } from './trace.ts';

/* Whole runs in which nothing is left to chance: the system's generator is a seeded one here. */

afterEach(() => vi.restoreAllMocks());

function seedEverything(): void {
  const random = new Xoshiro128(1);
  vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
    const { buffer, byteOffset, byteLength } = array as unknown as Uint8Array;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    for (let i = 0; i < byteLength; i++) bytes[i] = random.next() >>> 24;
    return array;
  });
}

const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

/** Length and digest of every flight, and what came of them. */
function converse(alice: Alice, bob: Bob) {
  const flights: string[] = [];
  const sides = [alice, bob];
  for (let message = alice.next(), turn = 1; message; turn++) {
    flights.push(`${message.length} ${digest(message)}`);
    message = (sides[turn % 2] as Alice | Bob).next(message);
  }
  if (!alice.result || !bob.result) throw alice.failure ?? new Error('a run without an end');
  expect(bob.result.key).toEqual(alice.result.key);
  const { spans: _, ...report } = bob.result.report;
  expect(alice.result.report).toMatchObject(report);
  return { flights, key: digest(alice.result.key), report };
}

describe('a known run', () => {
  // Another digest is another language on the wire: raise FORMAT, or the version of what changed, and write down the new ones.
  it('has known flights and a known key over a noisy link with loss', () => {
    seedEverything();
    const channel = simulatedChannel({ flip: 0.02, loss: 0.25, efficiency: 0.9, darkCount: 1e-3 });
    expect(converse(new Alice({ channel }), new Bob())).toMatchObject({
      flights: ['10384 ee3fcd483786d06e', '7466 e6147ac12886d161', '4724 a2ebdb79ca6a0987', '10 02767c206b05c97c'],
      key: '2cc6f2cb22ba604b',
      report: { detected: 22_088, sifted: 11_040, sampled: 3518, corrected: 152, disclosed: 1344, rounds: 1, finalBits: 3087 },
    });
  });

  it('has known flights and a known key over a link that loses nothing, with a key of fixed length', () => {
    seedEverything();
    const channel = simulatedChannel({ flip: 0.015 });
    expect(converse(new Alice({ channel, keyBits: 256 }), new Bob({ keyBits: 256 }))).toMatchObject({
      flights: ['8278 c16d867becbdafaa', '5394 37f7e48d4aabb3c7', '6519 b219cf1ad4786b68', '10 aa7aff4c9faa1edd'],
      key: 'f51f4953ec1e4aec',
      report: { detected: 32_768, sifted: 16_595, sampled: 5062, corrected: 175, disclosed: 2304, rounds: 1, finalBits: 256 },
    });
  });

  it('has known flights and a known key with decoy states, and Cascade', () => {
    seedEverything();
    const channel = simulatedChannel({ flip: 0.01, source: weakCoherent({ intensities: [0.8, 0.25, 0.0002] }) });
    const options = { channel, method: cascade({ schedule: 'balanced' }), pulses: 1 << 19, zProbability: 0.6 };
    const { flights, key, report } = converse(new Alice(options), new Bob({ method: [cascade({ schedule: 'balanced' })] }));
    expect(flights).toHaveLength(56);
    expect(flights.slice(0, 4)).toEqual([
      '243869 26a26cf6385030ed',
      '119787 8e2ca5c6c7a3644a',
      '39491 c0641ec967a21de0',
      '292 fe14b09917141cdc',
    ]);
    expect(key).toBe('2089d7dc9ca81b62');
    expect(report).toMatchObject({
      decoy: {
        key: [42_770, 7310, 6],
        sampledZ: [19_531, 3275, 4],
        errorsZ: [182, 32, 0],
        sampledX: [27_840, 4600, 2],
        errorsX: [262, 46, 0],
      },
      ...{ detected: 202_360, sifted: 105_338, sampled: 55_252, corrected: 513, disclosed: 4695, rounds: 27, finalBits: 2823 },
    });
  });
});

describe('an error that the sample did not show', () => {
  /** The same run every time, but for the one pulse that Bob reads wrong. */
  async function run(method: 'ldpc' | 'cascade', wrong?: number): Promise<Agreement & { photons: TracedPhoton[] }> {
    seedEverything();
    let photons: TracedPhoton[] = [];
    const agreement = await agree({
      method,
      trace: 64,
      onPhotons: (event) => {
        photons = event.photons;
      },
      receiver: {
        provenance: 'simulated',
        description: 'reads one pulse wrong',
        detect(transmission, bases) {
          const seen = measure(transmission, bases);
          if (wrong !== undefined) flipBit(seen.bits, wrong);
          return seen;
        },
      },
    });
    return { ...agreement, photons };
  }

  it.each(['ldpc', 'cascade'] as const)('is found by the tag, and corrected after all (%s)', async (method) => {
    const clean = await run(method);
    expect(clean.report).toMatchObject({ method: 'none', rounds: 0, corrected: 0, disclosed: 0, verified: true });
    const kept = clean.photons.findIndex(({ fate }) => fate === 'kept');
    const { alice, bob, report } = await run(method, kept);
    expect(bob).toEqual(alice);
    expect(report).toMatchObject({ method, corrected: 1, verified: true, qber: { combined: 0 } });
    expect(report.disclosed).toBeGreaterThan(0);
    expect(report.finalBits).toBe(clean.report.finalBits - report.disclosed);
  });

  it('is one that the sample did show where its pulse is compared', async () => {
    const clean = await run('cascade');
    const compared = clean.photons.findIndex(({ fate }) => fate === 'compared');
    const { report, photons } = await run('cascade', compared);
    expect(report).toMatchObject({ method: 'cascade', corrected: 0 });
    expect(report.qber.combined).toBe(1 / report.sampled);
    const { bit, peerBit } = photons[compared] as TracedPhoton;
    expect((bit as number) + (peerBit as number)).toBe(1);
  });

  it('is of no consequence where the bases differ', async () => {
    const clean = await run('cascade');
    const mismatched = clean.photons.findIndex(({ fate }) => fate === 'mismatched');
    const { alice, report } = await run('cascade', mismatched);
    expect(alice).toEqual(clean.alice);
    expect(report).toMatchObject({ method: 'none', corrected: 0 });
  });
});
