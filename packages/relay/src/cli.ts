#!/usr/bin/env node
import { runCommand } from './commands/run.ts';
import { SettingError } from './config/settings.ts';

try {
  process.exitCode = await runCommand(process.argv.slice(2), process.env);
} catch (error) {
  if (!(error instanceof SettingError)) throw error;
  console.error(`qsec2-relay: ${error.message}`);
  process.exitCode = 2;
}
