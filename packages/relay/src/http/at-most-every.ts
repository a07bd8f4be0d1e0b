/**
 * Asks at most once in so many milliseconds, whoever asks for it meanwhile gets the same answer: what strangers may ask for costs the
 * same however often they do. A failure is an answer, too.
 *
 * @param now monotonic milliseconds
 */
export function atMostEvery<T>(ms: number, ask: () => Promise<T>, now: () => number = () => performance.now()): () => Promise<T> {
  let answer: Promise<T> | undefined;
  let at = 0;
  return () => {
    if (answer === undefined || now() - at >= ms) {
      at = now();
      answer = ask();
    }
    return answer;
  };
}
