import type { Meter } from './platform.ts';

/** A meter that fails at nothing: it is decoration, and no recording ends for it. What it cannot tell is not measured. */
export function harmlessMeter(make: () => Meter | undefined): Meter {
  const meter = attempt(make);
  return {
    read: () => attempt(() => meter?.read()),
    close: () => void attempt(() => meter?.close()),
  };
}

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
