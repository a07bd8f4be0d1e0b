#!/usr/bin/env node
import { serve } from './commands/serve.ts';
import { loadSettings, printSettings } from './config/load.ts';
import { SettingError } from './config/settings.ts';

const [command = 'serve', ...options] = process.argv.slice(2);

try {
  if (command === '--print-config' || options.includes('--print-config')) console.log(printSettings(loadSettings(process.env)));
  else if (command === 'serve') await serve(loadSettings(process.env));
  else {
    console.error(`qsec2-relay: there is no command "${command}"`);
    process.exitCode = 2;
  }
} catch (error) {
  if (!(error instanceof SettingError)) throw error;
  console.error(`qsec2-relay: ${error.message}`);
  process.exitCode = 2;
}
