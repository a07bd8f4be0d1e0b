import { describe, expect, it } from 'vitest';
import { transfer } from './support/file-transfer.mjs';

/** Files between two processes through a relay of their own. `npm run soak -- media` does the same with a GiB. */

const MIB = 2 ** 20;

describe('a file from one process to another', () => {
  it('arrives byte for byte though the connection is cut three times each way, in bounded memory', async () => {
    const size = 64 * MIB;
    const { sent, received, relay, cuts, files } = await transfer({ size, cuts: 3 });
    expect(cuts).toBe(6);
    expect([sent.outcome, received.outcome, received.size]).toEqual(['sent', 'received', size]);
    expect(received.sha256).toBe(sent.sha256);
    expect(files).toHaveLength(1);
    // What is not garbage: windows of a MiB, what is being sealed or opened, and buffers of the connection.
    for (const { use } of [sent, received]) expect(use.held).toBeLessThan(12 * MIB);
    if (relay.peak !== undefined && relay.before !== undefined) expect(relay.peak - relay.before).toBeLessThan(96 * MIB);
  });

  it('arrives though the relay is killed half-way, each way: what it acknowledged is there when it is back', async () => {
    const size = 24 * MIB;
    const { sent, received } = await transfer({ size, crash: true });
    expect([sent.outcome, received.outcome, received.size]).toEqual(['sent', 'received', size]);
    expect(received.sha256).toBe(sent.sha256);
  });

  it('that is cancelled half-way leaves nothing at the relay', async () => {
    const { sent, files } = await transfer({ size: 16 * MIB, cancelAt: 0.5 });
    expect(sent.outcome).toBe('ABORTED');
    expect(files).toEqual([]);
  });
});
