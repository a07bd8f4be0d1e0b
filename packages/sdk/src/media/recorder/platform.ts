import { QsecError } from '../../errors.ts';
import { rootMeanSquare } from './loudness.ts';

/** What recording needs of a browser; another one stands in for it in tests. */
export interface RecordingPlatform {
  /** @throws {QsecError} `MIC_DENIED`, `MIC_UNAVAILABLE`, `UNSUPPORTED` */
  openMicrophone(): Promise<MediaStream>;
  isFormatSupported(type: string): boolean;
  createRecorder(microphone: MediaStream, options: MediaRecorderOptions): MediaRecorder;
  /** @returns undefined where loudness cannot be measured */
  createMeter(microphone: MediaStream): Meter | undefined;
  /** Milliseconds that never run backwards. */
  now(): number;
}

export interface Meter {
  /** Loudness at this moment, 0–1. */
  read(): number;
  close(): void;
}

const SAMPLES = 2048;

export const browserPlatform: RecordingPlatform = {
  async openMicrophone() {
    if (typeof navigator === 'undefined' || !navigator.mediaDevices || typeof MediaRecorder === 'undefined') throw unsupported();
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
    try {
      return await navigator.mediaDevices.getUserMedia({ audio });
    } catch (cause) {
      throw microphoneError(cause);
    }
  },
  isFormatSupported: (type) => MediaRecorder.isTypeSupported(type),
  createRecorder: (microphone, options) => new MediaRecorder(microphone, options),
  createMeter(microphone) {
    if (typeof AudioContext === 'undefined') return undefined;
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: SAMPLES });
    context.createMediaStreamSource(microphone).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    return {
      read() {
        analyser.getFloatTimeDomainData(samples);
        return rootMeanSquare(samples);
      },
      close: () => void context.close(),
    };
  },
  now: () => performance.now(),
};

export const unsupported = (): QsecError => new QsecError('UNSUPPORTED', 'This browser cannot record.');

/** What a browser says when it gives no microphone (Media Capture and Streams, §10.3.4). */
export function microphoneError(cause: unknown): QsecError {
  const name = cause instanceof Error || cause instanceof DOMException ? cause.name : '';
  return name === 'NotAllowedError' || name === 'SecurityError'
    ? new QsecError('MIC_DENIED', 'This page may not use the microphone.', { cause })
    : new QsecError('MIC_UNAVAILABLE', 'No microphone can be used.', { cause });
}
