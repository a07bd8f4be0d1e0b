import { SettingError } from '../../config/settings.ts';
import { openFile } from './driver.ts';

/** A relay that is stopping still holds the lock for a moment. */
const WAIT_MS = 8000;

/**
 * Makes sure that no other relay writes the same file: order and seats live in the memory of one. The lock is the operating
 * system's, and goes with the process however it ends.
 *
 * @returns what gives the lock back.
 * @throws {SettingError} when another process has it.
 */
export function lockDatabase(file: string): () => void {
  const lock = openFile(`${file}.lock`);
  try {
    lock.pragma(`busy_timeout = ${WAIT_MS}`);
    lock.pragma('locking_mode = EXCLUSIVE');
    lock.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    throw new SettingError('RELAY_DATABASE_URL', 'a database that no other relay has open', { cause });
  }
  return () => lock.close();
}
