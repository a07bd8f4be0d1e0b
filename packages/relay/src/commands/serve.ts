import { type RelaySettings, SettingError } from '../config/settings.ts';
import { createRelay, type Relay } from '../relay.ts';
import { StartError } from '../start-error.ts';
import type { Command } from './run.ts';

/** Longest a stop may take before the process ends all the same. */
const STOP_WITHIN_MS = 10_000;

/** Runs a relay until SIGTERM or SIGINT. */
export const serve: Command = async (settings) => {
  // From the first moment on: whoever reads the line below may ask for a stop before the next one has run.
  const asked = new Promise<void>((resolve) => {
    // Also the second time: a terminal interrupts every process of a command, and each passes it on.
    process.on('SIGTERM', () => resolve());
    process.on('SIGINT', () => resolve());
  });
  const relay = await createRelay(settings);
  console.log(`qsec2-relay listens on ${await relay.listen().catch(closing(relay))}`);
  if (relay.opsUrl) console.log(`metrics and status on ${relay.opsUrl}`);
  await asked;
  setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
  await relay.close();
  return 0;
};

/** A relay that cannot listen gives back what it has open. */
const closing = (relay: Relay) => async (error: unknown) => {
  await relay.close();
  throw error instanceof SettingError ? withCommand(error, relay.settings) : error;
};

/** A port that cannot be had is changed by what the person typed, with another one before it. */
function withCommand(error: SettingError, { port, opsPort = 0 }: RelaySettings): Error {
  const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
  if ((code !== 'EADDRINUSE' && code !== 'EACCES') || error.env === 'RELAY_HOST') return error;
  const command = process.env.npm_lifecycle_event === 'start' ? 'npm start' : 'npx qsec2-relay';
  const hint = `Take another one:\n  ${error.env}=${another(error.env === 'PORT' ? port : opsPort)} ${command}`;
  return new StartError(`${error.message}. ${hint}`, { cause: error });
}

/** The next port; above those that need rights. */
const another = (port: number): number => (port < 1024 ? 5000 : port < 65_535 ? port + 1 : 5000);
