/** Path of an executable; undefined where there is none. */
export function installedFirefox(): string | undefined;
