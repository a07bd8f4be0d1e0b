import { closeSync, openSync, readSync } from 'node:fs';
import { type RelaySettings, SettingError } from './config/settings.ts';
import { hasKeptPepper, keptPepper } from './hashes.ts';
import { sqliteFile } from './store/sqlite/database.ts';

type Settings = Pick<RelaySettings, 'pepper' | 'redisUrl' | 'databaseUrl' | 'dataDir'>;

/** Whether other relays may serve the same rooms, and have to hash their names alike. */
export const sharesRooms = ({ redisUrl, databaseUrl }: Settings): boolean =>
  redisUrl !== undefined || databaseUrl.startsWith('postgres');

/**
 * The key of the relay's hashes: the one of the settings, or the one kept in the data folder, made together with the database.
 *
 * @throws {SettingError} when relays that share rooms would hash their names differently, and when the pepper of a database that exists is missing:
 * under a new one nothing in there would be recognised.
 */
export function pepperOf(settings: Settings): string | Buffer {
  const { pepper, dataDir } = settings;
  if (pepper !== undefined) return pepper;
  if (sharesRooms(settings)) throw new SettingError('RELAY_PEPPER', 'one secret for all relays that share a database');
  const file = sqliteFile(settings.databaseUrl);
  // Looked for again behind the database: another process that starts meanwhile makes the pepper first.
  if (!hasKeptPepper(dataDir) && isDatabase(file) && !hasKeptPepper(dataDir)) {
    throw new SettingError(
      'RELAY_DATA_DIR',
      `a folder with the file "pepper" that was made together with the database ${file}: without it nothing in there is recognised. ` +
        `Put the file back in ${dataDir}, or set RELAY_PEPPER if it was set before. To begin anew, without the rooms there are:\n  npx qsec2-relay pepper --new`,
    );
  }
  try {
    return keptPepper(dataDir);
  } catch (cause) {
    throw new SettingError(
      'RELAY_DATA_DIR',
      'a folder whose file "pepper", if there is one, holds the pepper of earlier starts',
      { cause },
    );
  }
}

/** How every database of SQLite begins ("Database File Format", 1.3.1). */
const MAGIC = Buffer.from('SQLite format 3\0');

function isDatabase(file: string): boolean {
  try {
    const descriptor = openSync(file, 'r');
    const start = Buffer.alloc(MAGIC.length);
    readSync(descriptor, start);
    closeSync(descriptor);
    return start.equals(MAGIC);
  } catch {
    // What cannot be read is told of when it is opened.
    return false;
  }
}
