/** 32768 → `32 768`, with a narrow no-break space. */
export const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f');

/** A fraction as a percentage with two decimals; `–` when there is none. */
export const percentage = (fraction: number): string => (Number.isFinite(fraction) ? `${(100 * fraction).toFixed(2)} %` : '–');

/** Rows as aligned columns; columns named in `right` are aligned right. */
export function table(rows: readonly (readonly string[])[], right: ReadonlySet<number> = new Set()): string {
  const widths: number[] = [];
  for (const row of rows) for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  const align = (cell: string, column: number): string =>
    right.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
  return rows.map((row) => row.map(align).join('  ').trimEnd()).join('\n');
}
