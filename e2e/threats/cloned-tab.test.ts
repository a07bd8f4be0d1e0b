import { describe, expect, it } from 'vitest';
import { buildLab, type Edit, type Lab } from './support/lab.ts';

/** A browser copies a tab, keys and all, and both copies go on writing: AES-GCM falls when a key meets a nonce twice. */

declare global {
  var __qsec2Sealed: string[] | undefined;
}

const OBSERVED: Edit = {
  file: 'protocol/aead.ts',
  find: /(export async function seal\([^{]*\{)/,
  put: '$1 globalThis.__qsec2Sealed?.push([...key, ...nonce].join());',
};

/** Keys and nonces that two copies of one sender, and two copies of one pair's side, seal with. */
async function sealTwice(lab: Lab): Promise<string[]> {
  const { PairChannel, SenderKey, randomBytes } = lab.protocol;
  const [roomId, identity, roster] = [randomBytes(16), randomBytes(32), randomBytes(32)];
  const secrets = {
    sid: randomBytes(16),
    role: 'a' as const,
    transcript: randomBytes(32),
    sas: randomBytes(6),
    shown: randomBytes(1),
    report: undefined,
  };
  const [root, peer] = [randomBytes(32), { identity, policy: randomBytes(1) }];
  const tabs = [1, 2].map(() => new PairChannel(roomId, { ...secrets, peer, root: root.slice() }));

  // A sender's epoch draws its own keys: the copy of it draws the same ones from a script.
  const script = [randomBytes(8), randomBytes(32)];
  const senders = [];
  for (let tab = 0; tab < 2; tab++) {
    globalThis.__qsec2Script = script.map((bytes) => bytes.slice());
    senders.push(await SenderKey.create(roomId, identity, roster, undefined));
  }
  globalThis.__qsec2Script = undefined;
  globalThis.__qsec2Sealed = [];
  for (const copy of [...tabs, ...senders]) for (let i = 0; i < 20; i++) await copy.seal(new Uint8Array([i]));
  return globalThis.__qsec2Sealed ?? [];
}

const SCRIPTABLE: Edit = {
  file: 'protocol/random.ts',
  find: 'export const randomBytes = (length: number): Bytes => ',
  put: `export const randomBytes = (length: number): Bytes =>
    (globalThis as any).__qsec2Script?.find((bytes: Bytes) => bytes.length === length)?.slice() ?? `,
};

describe('two copies of one tab', () => {
  it('never use a key with the same nonce, though they use the same keys', async () => {
    const sealed = await sealTwice(await buildLab({ edits: [OBSERVED, SCRIPTABLE] }));
    expect(sealed).toHaveLength(80);
    expect(new Set(sealed).size).toBe(80);
    expect(new Set(sealed.map((entry) => entry.split(',').slice(0, 32).join())).size).toBe(40);
  });

  it('would repeat every nonce without the guard', async () => {
    const UNGUARDED: Edit = { file: 'protocol/aead.ts', find: /guarded\[i\] = .*;/, put: ';' };
    const sealed = await sealTwice(await buildLab({ edits: [OBSERVED, SCRIPTABLE, UNGUARDED] }));
    expect(new Set(sealed).size).toBe(40);
  });
});
