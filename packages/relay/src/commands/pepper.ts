import { parseArgs } from 'node:util';
import { type RelaySettings, SettingError } from '../config/settings.ts';
import { usableDataDir } from '../data-dir.ts';
import { hasKeptPepper, keptPepper } from '../hashes.ts';
import { pepperOf, sharesRooms } from '../pepper.ts';
import { forgetHashed } from '../storage.ts';
import { type Command, UsageError } from './run.ts';

/** Says where the pepper is; with `--new` makes one where it was lost, and forgets what was hashed under the one before. */
export const pepper: Command = async (settings, args) => {
  const { values } = parseArgs({ args, options: { new: { type: 'boolean' } } });
  if (values.new) return beginAnew(settings);
  pepperOf(settings);
  console.log(settings.pepper === undefined ? `the pepper is kept in ${settings.dataDir}` : 'the pepper is set by RELAY_PEPPER');
  return 0;
};

async function beginAnew(settings: RelaySettings): Promise<number> {
  if (settings.pepper !== undefined || sharesRooms(settings))
    throw new UsageError('--new is for a pepper that is kept in the data folder; set another RELAY_PEPPER instead');
  usableDataDir(settings.dataDir);
  if (hasKeptPepper(settings.dataDir)) throw new UsageError(`there is a pepper in ${settings.dataDir}: nothing was changed`);
  const rooms = await forgetHashed(settings);
  try {
    keptPepper(settings.dataDir);
  } catch (cause) {
    throw new SettingError('RELAY_DATA_DIR', 'a folder that this user can write to', { cause });
  }
  console.log(`a new pepper is kept in ${settings.dataDir}; ${rooms} rooms and all blocks of addresses were forgotten`);
  return 0;
}
