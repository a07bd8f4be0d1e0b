import { openDatabase } from '../storage.ts';
import type { Command } from './run.ts';

/** Brings the schema up to date. `serve` does the same when it starts; this is for doing it beforehand. */
export const migrateCommand: Command = async (settings) => {
  const database = await openDatabase(settings, () => {});
  await database.close();
  console.log(database.migrated.length === 0 ? 'the schema is up to date' : `applied ${database.migrated.join(', ')}`);
  return 0;
};
