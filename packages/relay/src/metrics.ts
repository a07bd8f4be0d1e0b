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

  /** Observations in each bucket, the last one without a bound; not cumulated. */
  get values(): HistogramValues {
    return { bounds: BOUNDS, counts: [...this.#counts], sum: this.#sum };
  }
}

export interface HistogramValues {
  bounds: readonly number[];
  counts: readonly number[];
  sum: number;
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
  heartbeatsLate = 0;
  membersCutLate = 0;
  relaysDied = 0;
  readonly commitSeconds = new Histogram();
}

/** Values read at the moment they are asked for. */
export interface Gauges {
  connections: number;
  /** Requests whose X-Forwarded-For came from a peer that is not trusted. */
  forwardedNotBelieved: number;
  rooms: number;
  seats: number;
  eventsDropped: number;
  draining: boolean;
  uptimeSeconds: number;
  blobs: BlobFigures;
  heartbeatAgeSeconds: number;
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
  connectionsRefused: ['connections_refused_total', 'Connections and requests refused by caps, rates or origin.'],
  misbehaved: ['misbehaved_total', 'Connections ended because of a message that is none.'],
  failures: ['failures_total', 'Errors of the relay itself; the log names their kind.'],
  heartbeatsLate: ['heartbeats_late_total', 'Times this relay could not say for three seconds that it is alive.'],
  membersCutLate: ['members_cut_late_total', 'Members cut because others took this relay for dead.'],
  relaysDied: ['relays_died_total', 'Other relays this one found dead while they had members.'],
};

/** One metric at a moment, whatever format it is to be told in. */
export type Reading = { name: string; help: string } & (
  | { kind: 'counter' | 'gauge'; value: number }
  | { kind: 'histogram'; values: HistogramValues }
);

export function readings(metrics: Metrics, gauges: Gauges): Reading[] {
  const read: Reading[] = [];
  const add = (kind: 'counter' | 'gauge', name: string, help: string, value: number) =>
    read.push({ kind, name: `qsec2_relay_${name}`, help, value });
  for (const [field, [name, help]] of Object.entries(COUNTERS)) add('counter', name, help, metrics[field as Counter]);
  add('gauge', 'connections', 'Connections open.', gauges.connections);
  add(
    'counter',
    'forwarded_not_believed_total',
    'Requests with an X-Forwarded-For from a peer that RELAY_TRUSTED_PROXIES does not name.',
    gauges.forwardedNotBelieved,
  );
  add('gauge', 'rooms', 'Rooms kept.', gauges.rooms);
  add('gauge', 'seats', 'Seats taken, by members present or away.', gauges.seats);
  add('gauge', 'events_dropped', 'Events that could not be written to the event log.', gauges.eventsDropped);
  add('gauge', 'draining', '1 while the relay is stopping.', gauges.draining ? 1 : 0);
  const age = 'Seconds since the relays that share the rooms were last told that this one is alive; 0 for one that stands alone.';
  add('gauge', 'heartbeat_age_seconds', age, gauges.heartbeatAgeSeconds);
  const { blobs } = gauges;
  add('gauge', 'blobs', 'Sealed files kept.', blobs.blobs);
  add('gauge', 'blob_bytes', 'Bytes of sealed files kept.', blobs.bytes);
  add('counter', 'blob_chunks_stored_total', 'Chunks of files stored.', blobs.chunksStored);
  add('counter', 'blob_chunks_sent_total', 'Chunks of files sent.', blobs.chunksSent);
  add('counter', 'blob_quota_refusals_total', 'Chunks refused for want of space.', blobs.refusedByQuota);
  add('counter', 'blobs_expired_total', 'Files deleted because their time was up.', blobs.expired);
  const help = 'Time to place the frames of a tick.';
  read.push({ kind: 'histogram', name: 'qsec2_relay_commit_seconds', help, values: metrics.commitSeconds.values });
  const { user, system } = process.cpuUsage();
  add('gauge', 'resident_memory_bytes', 'Resident memory.', process.memoryUsage().rss);
  add('counter', 'cpu_seconds_total', 'Processor time used.', (user + system) / 1e6);
  return read;
}

/** The metrics in Prometheus' text format. */
export function renderMetrics(metrics: Metrics, gauges: Gauges): string {
  const lines = readings(metrics, gauges).flatMap((reading) => {
    const { name, help, kind } = reading;
    const values = reading.kind === 'histogram' ? histogramLines(name, reading.values) : [`${name} ${reading.value}`];
    return [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`, ...values];
  });
  return `${lines.join('\n')}\n`;
}

function histogramLines(name: string, { bounds, counts, sum }: HistogramValues): string[] {
  let below = 0;
  const buckets = counts.map((count, i) => {
    below += count;
    return `${name}_bucket{le="${bounds[i] ?? '+Inf'}"} ${below}`;
  });
  return [...buckets, `${name}_sum ${sum}`, `${name}_count ${below}`];
}
