/** Numbers and times as the reader's language writes them. One object per language, made once. */
export interface Format {
  /** 32768 → 32,768 */
  count(n: number): string;
  /** 0.0486 → 4.9, without a sign. */
  percentNumber(fraction: number): string;
  /** 0.0486 → 4.9 % */
  percent(fraction: number): string;
  /** 1536 → 1.5 kB */
  bytes(n: number): string;
  /** 75 000 → 1:15 */
  duration(ms: number): string;
  time(date: Date): string;
  /** With the year, unless it is this one. */
  day(date: Date, now?: Date): string;
}

/** A no-break space keeps the figure and its sign on one line. */
const NBSP = '\u00a0';

const SIZES = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;

export function makeFormat(lang: string): Format {
  // Each is made when it is first needed: making all of them takes longer than a key agreement.
  const whole = once(() => new Intl.NumberFormat(lang));
  const tenths = once(() => new Intl.NumberFormat(lang, { minimumFractionDigits: 0, maximumFractionDigits: 1 }));
  const two = once(() => new Intl.NumberFormat(lang, { minimumIntegerDigits: 2 }));
  const clock = once(() => new Intl.DateTimeFormat(lang, { hour: 'numeric', minute: '2-digit' }));
  const dayOfYear = { weekday: 'long', day: 'numeric', month: 'long' } as const;
  const calendar = once(() => new Intl.DateTimeFormat(lang, dayOfYear));
  const years = once(() => new Intl.DateTimeFormat(lang, { ...dayOfYear, year: 'numeric' }));
  const sizes = SIZES.map((unit, power) =>
    once(
      () => new Intl.NumberFormat(lang, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: power > 1 ? 1 : 0 }),
    ),
  );
  const percentNumber = (fraction: number) => tenths().format(fraction * 100);
  return {
    bytes: (n) => {
      const power = Math.min(SIZES.length - 1, Math.floor(Math.log10(Math.max(1, n)) / 3));
      return sizes[power]?.().format(n / 1000 ** power) ?? '';
    },
    duration: (ms) => {
      const seconds = Math.floor(ms / 1000);
      return `${whole().format(Math.floor(seconds / 60))}:${two().format(seconds % 60)}`;
    },
    count: (n) => whole().format(n),
    percentNumber,
    percent: (fraction) => `${percentNumber(fraction)}${NBSP}%`,
    time: (date) => clock().format(date),
    day: (date, now = new Date()) => (date.getFullYear() === now.getFullYear() ? calendar() : years()).format(date),
  };
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
