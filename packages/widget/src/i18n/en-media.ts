import type { MicrophoneProblem } from '@qsec2/sdk/voice';

/** Why there is no microphone, and what a person can do about it. */
const microphone: Readonly<Record<MicrophoneProblem, { title: string; how: string }>> = {
  denied: {
    title: 'The microphone is blocked',
    how: 'Open the site’s settings beside its address, allow the microphone, and press the button again.',
  },
  'denied-by-system': {
    title: 'The system blocks the microphone',
    how: 'Allow this browser the microphone in the privacy settings of the system, and press the button again.',
  },
  'denied-by-page': {
    title: 'This page has the microphone switched off',
    how: 'Only whoever runs the page can change that.',
  },
  insecure: { title: 'This page is not secure', how: 'Browsers give a microphone to pages under https only.' },
  none: { title: 'No microphone was found', how: 'Connect one, and press the button again.' },
  'in-use': {
    title: 'The microphone is used by another program',
    how: 'Close that program or page, and press the button again.',
  },
  unfit: { title: 'This microphone cannot record a voice', how: 'Connect another one, and press the button again.' },
  'no-answer': {
    title: 'The browser gave no microphone',
    how: 'Press the button again, and answer when the browser asks.',
  },
  lost: { title: 'The microphone was lost', how: 'Connect it again, and press the button again.' },
  broken: {
    title: 'The microphone does not work',
    how: 'Connect it again or restart the browser, and press the button again.',
  },
  unsupported: { title: 'This browser cannot record', how: 'Use a current version of Chrome, Edge, Firefox or Safari.' },
};

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
  tooLargeToShow: (width: string, height: string) => `Too large to show: ${width} × ${height} pixels`,
  unknownToShow: 'Cannot be shown here: size in pixels unknown',

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
  nothingHeard: 'Nothing is heard. Is it muted?',
  microphone,
  understood: 'All right',
};

export type MediaDictionary = typeof enMedia;
