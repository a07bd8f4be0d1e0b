import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkNode, OLDEST_NODE } from './node-version.ts';
import { StartError } from './start-error.ts';

describe('the Node that the relay runs on', () => {
  it.each(['22.14.0', '22.23.5', '24.0.0', '26.12.1', '100.0.0'])('may be %s', (version) => {
    expect(() => checkNode(version)).not.toThrow();
  });

  it.each(['22.13.1', '20.20.2', '21.99.0', '18.0.0', '9.9.9'])('may not be %s, which is said with what to do', (version) => {
    const refusal = expect(() => checkNode(version));
    refusal.toThrow(StartError);
    refusal.toThrow(`needs Node 22.14 or newer, and this is Node ${version}. Install`);
  });

  it('is the one that the package asks npm for', () => {
    const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    expect(engines.node).toBe(`>=${OLDEST_NODE}`);
  });
});
