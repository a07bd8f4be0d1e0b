import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ChildRelay, packageDir } from './child-relay.ts';

const REST_SECONDS = 8;

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

/**
 * The same when nothing happens any more: the least of what is seen for a while. Members who dropped out are not shown as away for
 * five seconds, and what is known of them is kept as long.
 */
export async function memoryAtRest(relay: ChildRelay): Promise<Memory> {
  const least: Memory = { rss: Number.POSITIVE_INFINITY, heap: Number.POSITIVE_INFINITY };
  for (let seconds = 0; seconds < REST_SECONDS; seconds++) {
    await sleep(1000);
    const { rss, heap } = await memoryOf(relay);
    least.rss = Math.min(least.rss, rss);
    least.heap = Math.min(least.heap, heap);
  }
  return least;
}

export const inMiB = ({ rss, heap }: Memory): string => `${mebibytes(heap)} MiB kept and ${mebibytes(rss)} resident`;

const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);
