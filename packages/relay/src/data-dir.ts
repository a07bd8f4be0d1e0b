import { accessSync, constants, mkdirSync } from 'node:fs';
import { SettingError } from './config/settings.ts';

/**
 * Makes the data folder where there is none.
 *
 * @throws {SettingError} when it cannot be written to: files of members could not be kept.
 */
export function usableDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true });
    accessSync(dataDir, constants.W_OK | constants.X_OK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new SettingError('RELAY_DATA_DIR', `a folder that this user can write to (${code})`, { cause });
  }
}
