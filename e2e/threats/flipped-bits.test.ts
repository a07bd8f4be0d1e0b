import { beforeAll, describe, expect, it } from 'vitest';
import { PLAIN } from '../support/test-build.ts';
import { type FlipCount, flipEveryBit } from './support/bit-flips.ts';
import { buildLab, type Edit } from './support/lab.ts';
import { KEY_FROM_ELSEWHERE } from './support/sources.ts';

/** A frame of each kind with one bit turned over, for every bit; of those longer than 500 bytes an even choice here, and all in the soak run. */

const MOST_FLIPS = process.env.QSEC2_SOAK ? Number.POSITIVE_INFINITY : 2_000;
const FRAMES = ['M1', 'M2', 'M3 and flight 1', 'flight 2 and M4', 'M5', 'pair', 'R1', 'R2', 'R3', 'removal', 'group'];
const ORDERS = ['order: policy', 'order: lock', 'order: admission', 'order: removal', 'secret of the new link'];
const KINDS = [...FRAMES, ...ORDERS];

/** Fewer for the builds that accept: one accepted flip says enough. */
const FEW = 400;

describe('a frame with one bit turned over', () => {
  let counts: Record<string, FlipCount>;
  beforeAll(async () => {
    counts = await flipEveryBit(await buildLab({ replacements: KEY_FROM_ELSEWHERE }), MOST_FLIPS);
  }, 600_000);

  it.each(KINDS)('is never accepted: %s', (kind) => {
    expect(counts[kind]).toMatchObject({ accepted: 0, genuine: true });
    expect(counts[kind]?.tried).toBeGreaterThan(200);
  });
});

describe('the same flips', () => {
  const unsigned: Edit[] = [
    {
      file: 'protocol/sender-key.ts',
      find: /if \(!\(await signed\)\)/,
      put: 'if (false)',
    },
    { file: 'protocol/pair-channel.ts', find: 'if (!equalBytes(reader.rest(), expected))', put: 'if (false)' },
  ];
  it.each<[string, Edit[], string[]]>([
    [
      'M1, if it had no binder',
      [{ file: 'protocol/handshake.ts', find: /if \(!equalBytes\(expected, reader\.fixed\(HASH_BYTES\)\)\)/, put: 'if (false)' }],
      ['M1'],
    ],
    [
      'orders, if their signatures were not checked',
      [
        {
          file: 'protocol/orders.ts',
          find: 'return (await importVerificationKey(signer)).verify(about, message, signature);',
          put: 'return true;',
        },
        {
          file: 'protocol/policy.ts',
          find: '(await key.verify(ABOUT, signedPart(invite, body), encoded.subarray(-SIGNATURE_BYTES)))',
          put: 'true',
        },
      ],
      ['order: policy', 'order: lock', 'order: admission', 'order: removal'],
    ],
    [
      'M4, if it were not compared',
      [{ file: 'protocol/pairing.ts', find: "if (!equalBytes(content, secrets.role === 'a' ? m4 : m5))", put: 'if (false)' }],
      ['flight 2 and M4'],
    ],
  ])('would be accepted in %s', async (_, edits, kinds) => {
    const counts = await flipEveryBit(await buildLab({ edits, replacements: KEY_FROM_ELSEWHERE }), FEW);
    for (const kind of kinds) expect(counts[kind]?.accepted).toBeGreaterThan(0);
  });

  it('would be accepted in sealed frames, if sealing did not authenticate and frames had neither signature nor MAC', async () => {
    const counts = await flipEveryBit(
      await buildLab({ edits: unsigned, replacements: { ...KEY_FROM_ELSEWHERE, ...PLAIN } }),
      FEW,
    );
    for (const kind of ['pair', 'R1', 'R2', 'R3', 'removal', 'group']) expect(counts[kind]?.accepted).toBeGreaterThan(0);
  });
});
