/** Drops what was put in first until at most `limit` entries are left: maps and sets keep the order in which their keys came. */
export function forgetOldest(entries: Map<string, unknown> | Set<string>, limit: number): string[] {
  const forgotten: string[] = [];
  for (const oldest of entries.keys()) {
    if (entries.size <= limit) break;
    entries.delete(oldest);
    forgotten.push(oldest);
  }
  return forgotten;
}
