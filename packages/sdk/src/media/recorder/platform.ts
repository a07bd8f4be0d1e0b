import { rootMeanSquare } from './loudness.ts';
import { microphoneError, noMicrophone } from './microphone-error.ts';

/** What recording needs of a browser; another one stands in for it in tests. */
export interface RecordingPlatform {
  /** @throws {QsecError} `MIC_DENIED`, `MIC_UNAVAILABLE`, `UNSUPPORTED` */
  openMicrophone(): Promise<MediaStream>;
  isFormatSupported(type: string): boolean;
  createRecorder(microphone: MediaStream, options: MediaRecorderOptions): MediaRecorder;
  /** @returns undefined where loudness cannot be measured; may throw */
  createMeter(microphone: MediaStream): Meter | undefined;
  /** Milliseconds that never run backwards. */
  now(): number;
}

export interface Meter {
  /** Loudness at this moment, 0–1; undefined while it is not measured. */
  read(): number | undefined;
  close(): void;
}

const SAMPLES = 2048;

export const browserPlatform: RecordingPlatform = {
  async openMicrophone() {
    if (globalThis.isSecureContext === false) throw noMicrophone('insecure');
    if (typeof navigator === 'undefined' || !navigator.mediaDevices || typeof MediaRecorder === 'undefined') {
      throw noMicrophone('unsupported');
    }
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
    // Whether it does or not: what is not measured is drawn flat.
    const ignored = () => undefined;
    const close = () => void context.close().catch(ignored);
    try {
      const analyser = new AnalyserNode(context, { fftSize: SAMPLES });
      context.createMediaStreamSource(microphone).connect(analyser);
      const samples = new Float32Array(analyser.fftSize);
      context.resume().catch(ignored);
      return {
        read() {
          // Until a person did something on the page it stands still, and shows silence that is none.
          if (context.state !== 'running') return undefined;
          analyser.getFloatTimeDomainData(samples);
          return rootMeanSquare(samples);
        },
        close,
      };
    } catch (error) {
      close();
      throw error;
    }
  },
  now: () => performance.now(),
};
