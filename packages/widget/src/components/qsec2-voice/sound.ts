const heard = (audio: HTMLAudioElement, names: readonly string[]): Promise<void> =>
  new Promise((resolve, reject) => {
    for (const name of names) audio.addEventListener(name, () => resolve(), { once: true });
    audio.addEventListener('error', () => reject(audio.error), { once: true });
  });

/**
 * A sound that can be played from anywhere. What Chromium records does not say how long it is, and one cannot seek in it until its
 * end was looked for.
 *
 * @throws {MediaError} for what this browser cannot play
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
