import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ChildRelay } from './testing/child-relay.ts';
import { newRoom, TestClient } from './testing/client.ts';
import { afterThisTest, temporaryFolder } from './testing/relay-fixture.ts';

/** Absent, or not allowed to trace. */
const traced = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0;
const PUSHES = 20;

type Step = 'logged' | 'synced' | 'acknowledged';

/** What the thread that acknowledges did, in its order, seen from the kernel. */
function stepsOf(trace: string): Step[] {
  const lines = trace.split('\n');
  const [thread] = lines.find((line) => line.includes('\\"ack\\"'))?.split(' ') ?? [];
  return lines
    .filter((line) => line.startsWith(`${thread} `))
    .flatMap((line): Step[] => {
      if (/pwrite64\(\d+<[^>]*-wal>/.test(line)) return ['logged'];
      if (/(fsync|fdatasync)(\(\d+<[^>]*-wal>| resumed>)\) += 0/.test(line)) return ['synced'];
      return line.includes('\\"ack\\"') ? ['acknowledged'] : [];
    });
}

async function stepsWith(durability: 'wal' | 'fsync'): Promise<Step[]> {
  const folder = temporaryFolder();
  const file = join(folder, 'trace');
  const calls = 'trace=pwrite64,fsync,fdatasync,write,writev,sendmsg,sendto';
  const through = ['strace', '-D', '-f', '-y', '-s', '64', '-o', file, '-e', calls];
  const relay = await ChildRelay.start(folder, { RELAY_DURABILITY: durability }, undefined, through);
  afterThisTest(() => relay.stop('SIGKILL'));
  const ana = await new TestClient(relay.url).connected();
  afterThisTest(() => ana.close());
  const room = newRoom();
  await ana.create(room);
  expect((await ana.join(room)).ok?.durability).toBe(durability);
  for (let sent = 1; sent <= PUSHES; sent++) {
    ana.push({ text: `${sent}` });
    await ana.until(() => ana.acknowledged.length === sent);
  }
  await relay.stop('SIGTERM');
  return stepsOf(readFileSync(file, 'utf8'));
}

/** For every acknowledgement: what came last of writing to the log and waiting for the disk. */
function before(steps: readonly Step[]): Step[] {
  return steps.flatMap((step, i) => {
    const last = steps.slice(0, i).findLast((earlier) => earlier !== 'acknowledged');
    return step === 'acknowledged' && last ? [last] : [];
  });
}

describe.skipIf(!traced)(`an acknowledgement${traced ? '' : ' (skipped: strace is missing, or may not trace)'}`, () => {
  it('waits for the disk with fsync', { timeout: 60_000 }, async () => {
    expect(before(await stepsWith('fsync'))).toEqual(new Array(PUSHES).fill('synced'));
  });

  it('waits for the log to be written, and not for the disk, with wal', { timeout: 60_000 }, async () => {
    expect(before(await stepsWith('wal'))).toEqual(new Array(PUSHES).fill('logged'));
  });
});
