import type { BlobFigures } from './blobs/blob-store.ts';

/** Upper bounds of the buckets of a histogram, seconds. */
const BOUNDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

/** Times, counted by buckets as Prometheus wants them. */
export class Histogram {
  readonly #counts: number[] = new Array(BOUNDS.length + 1).fill(0);
  #sum = 0;

  observe(seconds: number): void {
    this.#sum += seconds;
    const bucket = BOUNDS.findIndex((bound) => seconds <= bound);
    this.#counts[bucket < 0 ? BOUNDS.length : bucket]!++;
  }

  lines(name: string): string[] {
    let below = 0;
    const buckets = this.#counts.map((count, i) => {
      below += count;
      return `${name}_bucket{le="${BOUNDS[i] ?? '+Inf'}"} ${below}`;
    });
    return [...buckets, `${name}_sum ${this.#sum}`, `${name}_count ${below}`];
  }
}

/** What the relay counts: no rooms, members or addresses, only how many. Fields are plain so that counting costs nothing. */
export class Metrics {
  framesPlaced = 0;
  framesTransient = 0;
  framesRefused = 0;
  bytesTaken = 0;
  commits = 0;
  joins = 0;
  joinsRefused = 0;
  roomsCreated = 0;
  batchesSent = 0;
  bytesSent = 0;
  gaps = 0;
  slowdowns = 0;
  connectionsCut = 0;
  connectionsRefused = 0;
  misbehaved = 0;
  failures = 0;
  readonly commitSeconds = new Histogram();
}

/** Values read at the moment they are asked for. */
export interface Gauges {
  connections: number;
  rooms: number;
  seats: number;
  eventsDropped: number;
  draining: boolean;
  uptimeSeconds: number;
  blobs: BlobFigures;
}

type Counter = { [K in keyof Metrics]: Metrics[K] extends number ? K : never }[keyof Metrics];

const COUNTERS: Record<Counter, [name: string, help: string]> = {
  framesPlaced: ['frames_placed_total', 'Frames given a place in a log.'],
  framesTransient: ['frames_transient_total', 'Frames passed on without a place.'],
  framesRefused: ['frames_refused_total', 'Frames refused.'],
  bytesTaken: ['bytes_taken_total', 'Bytes of frames taken from members.'],
  commits: ['commits_total', 'Transactions that placed frames.'],
  joins: ['joins_total', 'Seats taken or resumed.'],
  joinsRefused: ['joins_refused_total', 'Joins refused.'],
  roomsCreated: ['rooms_created_total', 'Rooms made.'],
  batchesSent: ['batches_sent_total', 'Batches sent to members.'],
  bytesSent: ['bytes_sent_total', 'Bytes of batches sent to members.'],
  gaps: ['gaps_total', 'Gaps announced to members.'],
  slowdowns: ['slowdowns_total', 'Times members of a room were asked to slow down.'],
  connectionsCut: ['connections_cut_total', 'Connections cut because they took nothing.'],
  connectionsRefused: ['connections_refused_total', 'Connections refused by caps, rates or origin.'],
  misbehaved: ['misbehaved_total', 'Connections ended because of a message that is none.'],
  failures: ['failures_total', 'Errors of the relay itself; the log names their kind.'],
};

/** The metrics in Prometheus' text format. */
export function renderMetrics(metrics: Metrics, gauges: Gauges): string {
  const lines: string[] = [];
  const add = (name: string, type: string, help: string, values: string[]) =>
    lines.push(`# HELP qsec2_relay_${name} ${help}`, `# TYPE qsec2_relay_${name} ${type}`, ...values);
  for (const [field, [name, help]] of Object.entries(COUNTERS)) {
    add(name, 'counter', help, [`qsec2_relay_${name} ${metrics[field as Counter]}`]);
  }
  add('connections', 'gauge', 'Connections open.', [`qsec2_relay_connections ${gauges.connections}`]);
  add('rooms', 'gauge', 'Rooms kept.', [`qsec2_relay_rooms ${gauges.rooms}`]);
  add('seats', 'gauge', 'Seats taken, by members present or away.', [`qsec2_relay_seats ${gauges.seats}`]);
  add('events_dropped', 'gauge', 'Events that could not be written to the event log.', [
    `qsec2_relay_events_dropped ${gauges.eventsDropped}`,
  ]);
  add('draining', 'gauge', '1 while the relay is stopping.', [`qsec2_relay_draining ${gauges.draining ? 1 : 0}`]);
  const { blobs } = gauges;
  add('blobs', 'gauge', 'Sealed files kept.', [`qsec2_relay_blobs ${blobs.blobs}`]);
  add('blob_bytes', 'gauge', 'Bytes of sealed files kept.', [`qsec2_relay_blob_bytes ${blobs.bytes}`]);
  add('blob_chunks_stored_total', 'counter', 'Chunks of files stored.', [
    `qsec2_relay_blob_chunks_stored_total ${blobs.chunksStored}`,
  ]);
  add('blob_chunks_sent_total', 'counter', 'Chunks of files sent.', [`qsec2_relay_blob_chunks_sent_total ${blobs.chunksSent}`]);
  add('blob_quota_refusals_total', 'counter', 'Chunks refused for want of space.', [
    `qsec2_relay_blob_quota_refusals_total ${blobs.refusedByQuota}`,
  ]);
  add('blobs_expired_total', 'counter', 'Files deleted because their time was up.', [
    `qsec2_relay_blobs_expired_total ${blobs.expired}`,
  ]);
  add(
    'commit_seconds',
    'histogram',
    'Time to place the frames of a tick.',
    metrics.commitSeconds.lines('qsec2_relay_commit_seconds'),
  );
  const memory = process.memoryUsage();
  const cpu = process.cpuUsage();
  add('resident_memory_bytes', 'gauge', 'Resident memory.', [`qsec2_relay_resident_memory_bytes ${memory.rss}`]);
  add('cpu_seconds_total', 'counter', 'Processor time used.', [`qsec2_relay_cpu_seconds_total ${(cpu.user + cpu.system) / 1e6}`]);
  return `${lines.join('\n')}\n`;
}
