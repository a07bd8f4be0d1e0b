import { describe, expect, it } from 'vitest';
import type { Terminal } from './command.ts';
import { Progress } from './progress.ts';

function terminal(interactive: boolean): { written: string[]; terminal: Terminal } {
  const written: string[] = [];
  return {
    written,
    terminal: { out: () => {}, err: (text) => written.push(text), interactive, signal: new AbortController().signal },
  };
}

describe('a line of progress', () => {
  it('overwrites itself and leaves an empty line', () => {
    const { written, terminal: shown } = terminal(true);
    const progress = new Progress(shown);
    progress.show('run 10 of 10');
    progress.show('done');
    progress.clear();
    progress.clear();
    expect(written).toEqual(['\rrun 10 of 10', '\rdone        ', '\r    \r']);
  });

  it('stays away from pipes and logs', () => {
    const { written, terminal: piped } = terminal(false);
    const progress = new Progress(piped);
    progress.show('run 1 of 10');
    progress.clear();
    expect(written).toEqual([]);
  });
});
