import { type RelaySettings, SettingError } from './config/settings.ts';
import { keptPepper } from './hashes.ts';

/**
 * The key of the relay's hashes: the one of the settings, or the one kept in the data folder.
 *
 * @throws {SettingError} when relays that share rooms would hash their names differently.
 */
export function pepperOf({ pepper, redisUrl, databaseUrl, dataDir }: RelaySettings): string | Buffer {
  if (pepper !== undefined) return pepper;
  const shared = redisUrl !== undefined || databaseUrl.startsWith('postgres');
  if (shared) throw new SettingError('RELAY_PEPPER', 'one secret for all relays that share a database');
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
