/** Numbers and times as the reader's language writes them. One object per language, made once. */
export interface Format {
  /** 32768 → 32,768 */
  count(n: number): string;
  /** 0.0486 → 4.9, without a sign. */
  percentNumber(fraction: number): string;
  /** 0.0486 → 4.9 % */
  percent(fraction: number): string;
  time(date: Date): string;
  day(date: Date): string;
}

/** A no-break space keeps the figure and its sign on one line. */
const NBSP = '\u00a0';

export function makeFormat(lang: string): Format {
  const whole = new Intl.NumberFormat(lang);
  const tenths = new Intl.NumberFormat(lang, { minimumFractionDigits: 0, maximumFractionDigits: 1 });
  const clock = new Intl.DateTimeFormat(lang, { hour: 'numeric', minute: '2-digit' });
  const calendar = new Intl.DateTimeFormat(lang, { weekday: 'long', day: 'numeric', month: 'long' });
  const percentNumber = (fraction: number) => tenths.format(fraction * 100);
  return {
    count: (n) => whole.format(n),
    percentNumber,
    percent: (fraction) => `${percentNumber(fraction)}${NBSP}%`,
    time: (date) => clock.format(date),
    day: (date) => calendar.format(date),
  };
}
