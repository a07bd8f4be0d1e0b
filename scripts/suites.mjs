import { existsSync, readdirSync } from 'node:fs';

/** Names of the suites in a folder: its modules, without those that only help (`_name.mjs`). */
export const suitesIn = (folder) =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.endsWith('.mjs') && !file.startsWith('_'))
        .map((file) => file.slice(0, -'.mjs'.length))
        .sort()
    : [];
