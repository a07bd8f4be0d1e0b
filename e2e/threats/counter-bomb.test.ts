import { describe, expect, it } from 'vitest';
import { forgeGroupFrame } from './support/forge.ts';
import { buildLab, type Edit, type Lab } from './support/lab.ts';

/** A frame that claims to be far ahead makes its receiver compute: how far, and for whom. */

declare global {
  var __qsec2Steps: number | undefined;
}

const COUNTED: Edit = {
  file: 'protocol/ratchet.ts',
  find: 'const okm = expandInfo(',
  put: 'globalThis.__qsec2Steps = (globalThis.__qsec2Steps ?? 0) + 1; const okm = expandInfo(',
};
const UNSIGNED: Edit = {
  file: 'protocol/sender-key.ts',
  find: /if \(!\(await signed\)\)/,
  put: 'if (false)',
};
const UNCAPPED: Edit = {
  file: 'protocol/ratchet.ts',
  find: 'export const MAX_FORWARD_JUMP = 2000;',
  put: 'export const MAX_FORWARD_JUMP = 20_000;',
};

/** Steps of Bo's chain for a frame `ahead` of it, signed by a member or by an outsider, and whether frames still come through. */
async function bomb(lab: Lab, by: 'member' | 'outsider', ahead: number): Promise<{ steps: number; opened: boolean }> {
  const { SenderKey, ReceiverKey, generateSigningKey, randomBytes } = lab.protocol;
  const [roomId, roster] = [randomBytes(16), randomBytes(32)];
  const identity = (await generateSigningKey()).publicKey;
  const sender = await SenderKey.create(roomId, identity, roster, undefined);
  const key = await generateSigningKey();
  const announced = { ...sender.announcement, ...(by === 'member' && { signingKey: key.publicKey }) };
  const receiver = await ReceiverKey.create(roomId, identity, { ...announced, seed: announced.seed.slice() });
  const frame = await forgeGroupFrame(lab, {
    roomId,
    identity,
    announced,
    counter: ahead,
    plaintext: new Uint8Array(3),
    sign: (message) => key.sign('group frame', message),
  });
  globalThis.__qsec2Steps = 0;
  const opened = await receiver.open(frame).then(
    () => true,
    (error: unknown) => {
      if (lab.QsecError.is(error)) return false;
      throw error;
    },
  );
  return { steps: globalThis.__qsec2Steps ?? 0, opened };
}

describe('a frame far ahead of its chain', () => {
  it('costs no step when an outsider made it', async () => {
    const lab = await buildLab({ edits: [COUNTED] });
    for (const ahead of [1, 1999, 2 ** 31]) expect(await bomb(lab, 'outsider', ahead)).toEqual({ steps: 0, opened: false });
  });

  it('costs a member’s readers two thousand steps at most, and nothing beyond', async () => {
    const lab = await buildLab({ edits: [COUNTED] });
    expect(await bomb(lab, 'member', 2000)).toEqual({ steps: 2001, opened: true });
    for (const ahead of [2001, 2 ** 32 - 1]) expect(await bomb(lab, 'member', ahead)).toEqual({ steps: 0, opened: false });
  });

  it('would cost as many steps to outsiders’ frames, if signatures were not checked first', async () => {
    expect(await bomb(await buildLab({ edits: [COUNTED, UNSIGNED] }), 'outsider', 1999)).toMatchObject({ steps: 2000 });
  });

  it('would cost without bound, if jumps had none', async () => {
    expect(await bomb(await buildLab({ edits: [COUNTED, UNCAPPED] }), 'member', 19_999)).toMatchObject({ steps: 20_000 });
  });
});
