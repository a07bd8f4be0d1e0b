/**
 * Recording voice messages in a browser. Apart from the main entry, so that a page loads it when someone records.
 *
 * @packageDocumentation
 */

export type { PreparedFile } from './prepared.ts';
export { RECORDING_FORMATS } from './recorder/format.ts';
export { peaksOf } from './recorder/loudness.ts';
export type { MicrophoneProblem } from './recorder/microphone-error.ts';
export type { Meter, RecordingPlatform } from './recorder/platform.ts';
export {
  type RecorderEvents,
  type RecorderState,
  type Recording,
  type RecordVoiceOptions,
  recordVoice,
  VoiceRecorder,
} from './recorder/recorder.ts';
