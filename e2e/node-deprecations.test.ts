import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { newerNode } from '../scripts/newer-node.mjs';

/** What Node is going to withdraw it says only to who asks, and then as an error. */

const newer = newerNode();
const FLAGS = ['--pending-deprecation', '--throw-deprecation'];

async function run(node: string, ...what: string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(node, [...FLAGS, ...what], { env: {} });
  expect(stderr).not.toMatch(/deprecat/i);
  return stdout;
}

const inARoom = fileURLToPath(new URL('support/in-a-room.mjs', import.meta.url));

describe('two members in a room', () => {
  it('use nothing that this Node is going to withdraw', async () => {
    expect(await run(process.execPath, inARoom)).toBe('done\n');
  });

  it.skipIf(!newer)('use nothing that a newer Node is going to withdraw', async () => {
    expect(await run(newer as string, inARoom)).toBe('done\n');
  });

  it.skipIf(!newer)('would be told by the newer one, if they used a key that is not extractable as another object', async () => {
    const from = `const { privateKey } = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
      process.getBuiltinModule('node:crypto').KeyObject.from(privateKey);`;
    await expect(run(newer as string, '--input-type=module', '--eval', from)).rejects.toThrow('DEP0204');
  });
});
