/** One curve: a value, or nothing, for each point of the sweep. */
export interface Series {
  /** For a legend: `decoy states, 10⁹ pulses`. */
  label: string;
  /** For a table: `decoy_1e9`. */
  column: string;
  /** Which curves belong together, and which of them it is: they share a colour and differ by dashes. */
  family: number;
  dash: number;
  values: readonly number[];
}

/** Everything a sweep found. */
export interface Sweep {
  title: string;
  /** What was assumed, in one line. */
  subtitle: string;
  /** The swept quantity. */
  x: { label: string; column: string; values: readonly number[] };
  y: { label: string; logarithmic: boolean };
  series: readonly Series[];
}

/** RFC 4180, one line a point; a rate of 0 means that no key is left. */
export function toCsv({ x, series }: Sweep): string {
  const header = [x.column, ...series.map(({ column }) => column)];
  const lines = x.values.map((value, i) =>
    [value, ...series.map(({ values }) => values[i] ?? 0)].map((number) => String(Number(number.toPrecision(10)))),
  );
  return [header, ...lines].map((cells) => `${cells.join(',')}\r\n`).join('');
}
