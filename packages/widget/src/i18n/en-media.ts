/** The words of files and voice messages, which load with the first of them. */
export const enMedia = {
  cancelSend: (name: string) => `Stop sending ${name}`,
  cancelFetch: (name: string) => `Stop fetching ${name}`,
  load: (name: string) => `Show ${name}`,
  download: (name: string) => `Download ${name}`,
  retryFetch: (name: string) => `Try to fetch ${name} again`,
  sentOf: (done: string, total: string) => `${done} of ${total}`,
  cancelled: 'Cancelled',
  empty: 'This file is empty',
  notShown: 'Cannot be shown here',

  // Player
  play: 'Play',
  pause: 'Pause',
  position: 'Position',
  speed: (speed: string) => `Speed ${speed}`,
  unheard: 'Not played yet',
  notPlayed: 'Cannot be played here',

  // Recorder
  recorder: 'Voice message',
  recording: 'Recording',
  paused: 'Paused',
  discard: 'Delete',
  discardQuestion: 'Delete this recording?',
  keep: 'Keep',
  pauseRecording: 'Pause recording',
  resumeRecording: 'Go on recording',
  preview: 'Listen',
  stopPreview: 'Stop listening',
  takenAway: 'The recording ended because the chat was taken off the page.',
  micLost: 'Microphone lost',
  longest: 'Longest length reached',
  slideHint: 'Slide to cancel',
  lockHint: 'Up to lock',
  micHow: 'Open the site’s settings beside its address, allow the microphone, and press the button again.',
  understood: 'All right',
};

export type MediaDictionary = typeof enMedia;
