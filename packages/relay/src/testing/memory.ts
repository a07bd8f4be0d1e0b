import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ChildRelay, packageDir } from './child-relay.ts';

/** The environment of a relay whose memory is measured. */
export const measured = { NODE_OPTIONS: `--import ${join(packageDir, 'src/testing/collect-garbage.mjs')}` };

/** Bytes, after the garbage was collected. */
export interface Memory {
  /** Resident, as the system counts it. */
  rss: number;
  /** What is kept: the heap, and buffers outside it. */
  heap: number;
}

/** What a relay keeps that was started with {@link measured}. */
export async function memoryOf(relay: ChildRelay): Promise<Memory> {
  return JSON.parse((await relay.signal('SIGUSR2', /^memory /)).slice('memory '.length));
}

/** The same when nobody is connected and no room is left. */
export async function memoryAtRest(relay: ChildRelay): Promise<Memory> {
  for (;;) {
    const { value } = await relay.metrics();
    if (['connections', 'rooms', 'blobs'].every((name) => value(name) === 0)) return memoryOf(relay);
    await sleep(50);
  }
}

export const inMiB = ({ rss, heap }: Memory): string => `${mebibytes(heap)} MiB kept, ${mebibytes(rss)} MiB resident`;

const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
