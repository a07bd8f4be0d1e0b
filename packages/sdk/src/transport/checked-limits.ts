import { type BlobLimits, MAX_FRAME_BYTES, type RelayLimits } from '../wire/index.ts';

/**
 * The limits that a relay announces, as far as a client goes by them. They are for the relay's sake, and a hostile one must not switch
 * anything off by them: how long a client repeats what is not confirmed, waits for who is away and looks after a former place follows from
 * `retentionMs`. Each number has a floor and a ceiling; what is no number, or missing, is the default.
 */

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Timers of more than 2³¹ ms, 24.8 days, ring at once. */
const LONGEST_MS = 24 * DAY_MS;

/** A limit: what it is at least, unless it is said, and at most. */
type Range = readonly [floor: number, usual: number, ceiling: number];

const RANGES: Readonly<Record<Exclude<keyof RelayLimits, 'blobs'>, Range>> = {
  frameBytes: [1_024, MAX_FRAME_BYTES, MAX_FRAME_BYTES],
  inFlightFrames: [1, 64, 4_096],
  inFlightBytes: [MAX_FRAME_BYTES, 2 ** 20, 2 ** 26],
  retentionMs: [10 * MINUTE_MS, 10 * MINUTE_MS, LONGEST_MS],
};
const BLOB_RANGES: Readonly<Record<keyof BlobLimits, Range>> = {
  roomBytes: [0, 2 ** 30, 2 ** 40],
  retentionMs: [10 * MINUTE_MS, DAY_MS, LONGEST_MS],
  inFlight: [1, 16, 256],
};

/** @param announced by a relay, of any shape */
export function checkedLimits(announced: unknown): RelayLimits {
  const fields = fieldsOf(announced);
  const { blobs } = fields;
  return {
    ...within(fields, RANGES),
    ...(blobs !== undefined && blobs !== null && { blobs: within(fieldsOf(blobs), BLOB_RANGES) }),
  };
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

function within<K extends string>(
  fields: Readonly<Record<string, unknown>>,
  ranges: Readonly<Record<K, Range>>,
): Record<K, number> {
  const names = Object.keys(ranges) as K[];
  return Object.fromEntries(names.map((name) => [name, clamp(fields[name], ranges[name])])) as Record<K, number>;
}

function clamp(value: unknown, [floor, usual, ceiling]: Range): number {
  if (typeof value !== 'number' || Number.isNaN(value) || value < 0) return usual;
  return Math.floor(Math.min(ceiling, Math.max(floor, value)));
}
