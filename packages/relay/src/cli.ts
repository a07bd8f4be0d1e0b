#!/usr/bin/env node
import { runCommand } from './commands/run.ts';
import { StartError } from './start-error.ts';

try {
  process.exitCode = await runCommand(process.argv.slice(2), process.env);
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  console.error(`qsec2-relay: ${error.message}`);
  process.exitCode = 2;
}
