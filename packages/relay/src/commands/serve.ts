import type { RelaySettings } from '../config/settings.ts';
import { createRelay } from '../relay.ts';

/** Longest a stop may take before the process ends all the same. */
const STOP_WITHIN_MS = 10_000;

/** Runs a relay until SIGTERM or SIGINT. */
export async function serve(settings: RelaySettings): Promise<void> {
  const relay = await createRelay(settings);
  const stop = () => {
    setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref();
    relay.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  console.log(`qsec2-relay listens on ${await relay.listen()}`);
}
