/** Parsers of setting values. Each returns the value, or undefined when the text has another form. */

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;
const MILLISECONDS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `10m`, `1.5s`, `24h` … in milliseconds. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = DURATION.exec(text) ?? [];
  return amount && unit ? Math.round(Number(amount) * MILLISECONDS[unit]!) : undefined;
}

const SIZE = /^(\d+)(KiB|MiB|GiB)?$/;
const BYTES: Record<string, number> = { KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };

/** `262144`, `64MiB` … in bytes. */
export function parseSize(text: string): number | undefined {
  const [, amount, unit] = SIZE.exec(text) ?? [];
  return amount ? Number(amount) * (unit ? BYTES[unit]! : 1) : undefined;
}

export function parseInteger(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Comma-separated, blanks around the parts ignored; an empty text is an empty list. */
export function parseList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
