let playing: HTMLAudioElement | undefined;

/** One sound at a time: whatever plays makes way for `audio`. */
export function takeTurn(audio: HTMLAudioElement): void {
  if (playing !== audio) playing?.pause();
  playing = audio;
}
