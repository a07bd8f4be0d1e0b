/** A signal that is aborted with the first of several. `AbortSignal.any` is younger than the browsers this runs in. */
export function linked(...signals: readonly (AbortSignal | undefined)[]): { signal: AbortSignal; unlink(): void } {
  const controller = new AbortController();
  const given = signals.filter((signal) => signal !== undefined);
  const abort = () => {
    unlink();
    controller.abort(given.find(({ aborted }) => aborted)?.reason);
  };
  const unlink = () => {
    for (const signal of given) signal.removeEventListener('abort', abort);
  };
  for (const signal of given) signal.addEventListener('abort', abort);
  if (given.some(({ aborted }) => aborted)) abort();
  return { signal: controller.signal, unlink };
}
