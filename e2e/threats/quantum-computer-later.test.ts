import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { eavesdrop } from './support/eavesdropper.ts';
import { buildLab, type Edit } from './support/lab.ts';
import { pair } from './support/people.ts';
import { KEY_FROM_ELSEWHERE, KEY_FROM_ELSEWHERE_COUNTED, OBSERVE, observed } from './support/sources.ts';

/** Everything was recorded; later, mathematics or machines give some of the secrets away. Every subset is tried. */

const SECRETS = ['x25519', 'ml-kem', 'psk', 'agreed key'] as const;
type Secret = (typeof SECRETS)[number];
const ALL_BUT = (one: Secret): Secret[] => SECRETS.filter((secret) => secret !== one);
const SUBSETS = Array.from({ length: 2 ** SECRETS.length }, (_, bits) => SECRETS.filter((_, i) => bits & (1 << i)));

const TEXT = 'the mill at noon';

/** Records a conversation, and tells which subsets of the secrets open it. */
async function subsetsThatOpen(edits: readonly Edit[] = []): Promise<Secret[][]> {
  const lab = await buildLab({ edits: [...OBSERVE, ...edits], replacements: KEY_FROM_ELSEWHERE });
  globalThis.__qsec2Observed = [];
  const relay = new lab.testing.HostileRelay();
  const { ana, bo } = await pair(lab, relay);
  const received = bo.once('message');
  await ana.send(TEXT);
  expect((await received).text).toBe(TEXT);

  const [roomId, generation] = [Buffer.from(ana.invite.roomId), ana.invite.generation];
  return SUBSETS.filter((subset) => {
    const known = (secret: Secret) => (subset.includes(secret) ? (observed(secret)[0] as Buffer) : Buffer.alloc(32));
    const [publicKeys] = observed('x25519 public keys');
    const label = Buffer.from('5c2e2f2f5e5c', 'hex');
    const input = Buffer.concat([known('ml-kem'), known('x25519'), publicKeys as Buffer, label]);
    const kemSecret = () => createHash('sha3-256').update(input).digest();
    const loot = { psk: known('psk'), agreedKey: known('agreed key'), kemSecret, roomId, generation };
    return eavesdrop(relay.captured, loot, [KEY_FROM_ELSEWHERE_COUNTED]).some((content) => content.includes(TEXT));
  });
}

describe('who recorded everything', () => {
  it('reads it with X25519, ML-KEM, the link and the quantum key together, and with nothing less', async () => {
    expect(await subsetsThatOpen()).toEqual([[...SECRETS]]);
  });

  // Each secret left out of the schedule: then the others are enough, and the test above would not hold.
  const zeroed = 'new Uint8Array(32)';
  it.each<[Secret, Edit]>([
    ['x25519', { file: 'protocol/x-wing.ts', find: /concat\(kemShared, x25519Shared,/, put: `concat(kemShared, ${zeroed},` }],
    ['ml-kem', { file: 'protocol/x-wing.ts', find: /concat\(kemShared, x25519Shared,/, put: `concat(${zeroed}, x25519Shared,` }],
    [
      'psk',
      {
        file: 'protocol/handshake.ts',
        find: /extract\(new Uint8Array\(HASH_BYTES\), psk\)/,
        put: `extract(new Uint8Array(HASH_BYTES), ${zeroed})`,
      },
    ],
    [
      'agreed key',
      {
        file: 'protocol/pairing.ts',
        find: "extract(expandLabel(hs, 'derived', NOTHING), key)",
        put: `extract(expandLabel(hs, 'derived', NOTHING), ${zeroed})`,
      },
    ],
  ])('would read it without %s, if that were not part of the keys', async (secret, edit) => {
    expect(await subsetsThatOpen([edit])).toContainEqual(ALL_BUT(secret));
  });
});
