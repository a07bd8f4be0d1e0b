/** Addresses of contents that a page shows. Each holds its content in memory until it is revoked. */
export class ObjectUrls {
  readonly #urls = new Map<Blob, string>();

  of(blob: Blob): string {
    const known = this.#urls.get(blob);
    if (known) return known;
    const url = URL.createObjectURL(blob);
    this.#urls.set(blob, url);
    return url;
  }

  revokeAll(): void {
    for (const url of this.#urls.values()) URL.revokeObjectURL(url);
    this.#urls.clear();
  }
}
