/** A sound that is here and says nothing by then is not going to play. */
const ANSWER_MS = 10_000;

export class SilentSound extends Error {}

const heard = (audio: HTMLAudioElement, names: readonly string[]): Promise<void> =>
  new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new SilentSound('the browser says nothing of a sound')), ANSWER_MS);
    const settle = (how: () => void) => () => {
      clearTimeout(late);
      how();
    };
    for (const name of names) audio.addEventListener(name, settle(resolve), { once: true });
    audio.addEventListener(
      'error',
      settle(() => reject(audio.error)),
      { once: true },
    );
  });

/**
 * A sound that can be played from anywhere. What Chromium records does not say how long it is, and one cannot seek in it until its
 * end was looked for.
 *
 * @throws {MediaError} for what this browser cannot play
 * @throws {SilentSound} when the browser does not say
 */
export async function soundOf(url: string): Promise<HTMLAudioElement> {
  const audio = new Audio(url);
  await heard(audio, ['loadedmetadata']);
  if (!Number.isFinite(audio.duration)) {
    audio.currentTime = Number.MAX_SAFE_INTEGER;
    await heard(audio, ['durationchange', 'seeked']);
    audio.currentTime = 0;
  }
  return audio;
}
