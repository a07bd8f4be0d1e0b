import { CALLBACK, check, checkEvent, checkOptions, type Kinds, numberWhere, objectWith } from '../../arguments.ts';
import { QsecError } from '../../errors.ts';
import { Emitter, type Listener, type ListenOptions } from '../../events.ts';
import type { PreparedFile } from '../prepared.ts';
import { Capture } from './capture.ts';
import { BITS_PER_SECOND, chooseFormat } from './format.ts';
import { harmlessMeter } from './harmless-meter.ts';
import { peaksOf, READINGS_PER_SECOND } from './loudness.ts';
import { microphoneError, noMicrophone } from './microphone-error.ts';
import { browserPlatform, type Meter, type RecordingPlatform } from './platform.ts';
import { SealingTape } from './sealing-tape.ts';
import { Silence } from './silence.ts';
import { within } from './within.ts';

/** Where a recording stands. Nothing here is thrown: what goes wrong is a state. */
export type RecorderState =
  /** The person is being asked for the microphone. */
  | 'asking'
  | 'recording'
  | 'paused'
  /** Stopped: `finish()` gives the recording. */
  | 'ready'
  /** The microphone is gone; what was recorded before can be finished. */
  | 'lost'
  | 'too-short'
  | 'cancelled'
  /** The microphone may not be used. */
  | 'denied'
  /** There is no microphone that works. */
  | 'unavailable'
  /** This browser cannot record. */
  | 'unsupported';

/** A voice message that is recorded and sealed, and not sent yet. What `room.sendVoice` takes. */
export interface Recording {
  /** The sound itself, to be played before it is sent. */
  readonly blob: Blob;
  readonly type: string;
  readonly durationMs: number;
  /** 64 bars from 0 to 1. */
  readonly peaks: readonly number[];
  readonly prepared: PreparedFile;
}

export interface RecorderEvents {
  state: RecorderState;
  /**
   * 20 times a second while recording: loudness from 0 to 1 (0 where it cannot be measured), how long the recording is, and whether
   * nothing has been heard for so long that the microphone may be muted.
   */
  level: { level: number; durationMs: number; silent: boolean };
}

export interface RecordVoiceOptions {
  /** Recordings shorter than that are discarded. Default 700 ms. */
  minMs?: number;
  /** Recording stops by itself then, with state `ready`. Default 15 minutes. */
  maxMs?: number;
  /** Another browser, for tests. */
  platform?: RecordingPlatform;
}

const TIME = numberWhere('a time in milliseconds', (ms) => ms >= 0);
const OPTIONS: Kinds<RecordVoiceOptions> = {
  minMs: TIME,
  maxMs: TIME,
  platform: objectWith('a platform', 'openMicrophone', 'createRecorder'),
};
const EVENTS: readonly (keyof RecorderEvents)[] = ['state', 'level'];

const MIN_MS = 700;
const MAX_MS = 15 * 60_000;
/** So long a person, and then the browser, may take to give a microphone. */
const ASKED_MS = 60_000;
/**
 * Readings without anything recorded, after which a recorder counts as lost. Not a time: none pass while a machine sleeps, and fewer
 * in a page that nobody looks at.
 */
const MAX_READINGS_WITHOUT_DATA = 5 * READINGS_PER_SECOND;
const READING_MS = 1000 / READINGS_PER_SECOND;

/**
 * Asks for the microphone and records a voice message, sealing it on the way so that sending it takes no time.
 *
 * @example
 * ```ts
 * const recorder = recordVoice();
 * recorder.on('level', ({ level, durationMs }) => draw(level, durationMs));
 * const recording = await recorder.finish();
 * if (recording) await room.sendVoice(recording);
 * ```
 */
export const recordVoice = (options: RecordVoiceOptions = {}): VoiceRecorder => new VoiceRecorder(options);

/** One voice message in the making. */
export class VoiceRecorder {
  readonly #platform: RecordingPlatform;
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #events = new Emitter<RecorderEvents>();
  readonly #parts: Blob[] = [];
  readonly #readings: number[] = [];
  readonly #tape = new SealingTape();
  #state: RecorderState = 'asking';
  #error: QsecError | undefined;
  #microphone: MediaStream | undefined;
  #capture: Capture | undefined;
  readonly #silence = new Silence();
  #readingsWithoutData = 0;
  #meter: Meter | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** Recorded before the last pause. */
  #elapsed = 0;
  #since: number | undefined;
  #type = '';
  #recording: Promise<Recording | undefined> | undefined;

  /** @throws {QsecError} `INVALID_ARGUMENT` */
  constructor(options: RecordVoiceOptions = {}) {
    checkOptions('options', options, OPTIONS);
    const { minMs = MIN_MS, maxMs = MAX_MS, platform = browserPlatform } = options;
    this.#platform = platform;
    this.#minMs = minMs;
    this.#maxMs = maxMs;
    void this.#begin();
  }

  get state(): RecorderState {
    return this.#state;
  }

  /** Why there is no recording: `MIC_DENIED`, `MIC_UNAVAILABLE` or `UNSUPPORTED`, with a {@link MicrophoneProblem} as `details.reason`. */
  get error(): QsecError | undefined {
    return this.#error;
  }

  /** Length of the recording so far, without pauses. */
  get durationMs(): number {
    const running = this.#since === undefined ? 0 : this.#platform.now() - this.#since;
    return Math.min(this.#maxMs, this.#elapsed + running);
  }

  /** The bars of the recording so far. */
  get peaks(): readonly number[] {
    return peaksOf(this.#readings);
  }

  on<K extends keyof RecorderEvents>(name: K, listener: Listener<RecorderEvents[K]>, options?: ListenOptions): () => void {
    checkEvent(name, EVENTS);
    check('listener', listener, CALLBACK);
    return this.#events.on(name, listener, options);
  }

  pause(): void {
    if (this.#state !== 'recording') return;
    this.#capture?.pause();
    this.#halt();
    this.#become('paused');
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#capture?.resume();
    // It may be that it does not, and is lost by now.
    if (this.#state !== 'paused') return;
    this.#since = this.#platform.now();
    this.#silence.reset();
    this.#readingsWithoutData = 0;
    this.#become('recording');
  }

  /** Pauses, and gives what was recorded so far in a form that can be played. Undefined when there is nothing. */
  async preview(): Promise<Blob | undefined> {
    this.pause();
    if (this.#state === 'paused') await this.#capture?.flush();
    return this.#parts.length > 0 ? this.#blob() : undefined;
  }

  /** Stops and gives the recording. Undefined when there is none: too short, cancelled, or no microphone. */
  async finish(): Promise<Recording | undefined> {
    while (this.#state === 'asking') await this.#events.once('state');
    if (this.#state === 'recording' || this.#state === 'paused') this.#stop('ready');
    return this.#recording;
  }

  /** Throws everything away. */
  cancel(): void {
    if (this.#over) return;
    const { durationMs } = this;
    this.#release();
    this.#discard();
    this.#elapsed = durationMs;
    this.#recording = undefined;
    this.#become('cancelled');
  }

  /** Nothing can be made of it any more. */
  get #over(): boolean {
    return !['asking', 'recording', 'paused', 'ready', 'lost'].includes(this.#state);
  }

  async #begin(): Promise<void> {
    try {
      const opening = this.#platform.openMicrophone();
      const microphone = await within(ASKED_MS, opening);
      if (!microphone) {
        opening.then(stopTracks, () => undefined);
        throw noMicrophone('no-answer');
      }
      // Cancelled while the person was asked.
      if (this.#state === 'cancelled') stopTracks(microphone);
      else this.#record(microphone);
    } catch (error) {
      if (this.#state !== 'cancelled') this.#fail(QsecError.is(error) ? error : microphoneError(error));
    }
  }

  #record(microphone: MediaStream): void {
    this.#microphone = microphone;
    const mimeType = chooseFormat((type) => this.#platform.isFormatSupported(type));
    if (mimeType === undefined) throw noMicrophone('unsupported');
    const options = { mimeType, audioBitsPerSecond: BITS_PER_SECOND, audioBitrateMode: 'constant' as const };
    const capture = new Capture(this.#platform.createRecorder(microphone, options), {
      data: (part) => this.#take(part),
      lost: () => this.#lose(),
    });
    this.#capture = capture;
    this.#type = capture.type || mimeType;
    for (const track of microphone.getAudioTracks()) track.addEventListener('ended', () => this.#lose(), { once: true });
    this.#meter = harmlessMeter(() => this.#platform.createMeter(microphone));
    capture.start();
    this.#since = this.#platform.now();
    this.#timer = setInterval(() => this.#read(), READING_MS);
    this.#become('recording');
  }

  #take(data: Blob): void {
    if (this.#over) return;
    this.#readingsWithoutData = 0;
    this.#parts.push(data);
    this.#tape.add(data);
  }

  #read(): void {
    if (this.#state !== 'recording') return;
    const measured = this.#meter?.read();
    const level = measured ?? 0;
    const { durationMs } = this;
    this.#readings.push(level);
    this.#silence.add(measured);
    this.#events.emit('level', { level, durationMs, silent: this.#silence.lasts });
    if (durationMs >= this.#maxMs) this.#stop('ready');
    else this.#watchData();
  }

  /** Some browsers keep what they recorded until they are asked for it; some recorders died and did not say so. */
  #watchData(): void {
    this.#readingsWithoutData++;
    if (this.#readingsWithoutData === MAX_READINGS_WITHOUT_DATA / 2) this.#capture?.request();
    if (this.#readingsWithoutData > MAX_READINGS_WITHOUT_DATA) this.#lose();
  }

  /** The microphone was unplugged or taken away, or what records failed. What was recorded before stays. */
  #lose(): void {
    if (this.#state !== 'recording' && this.#state !== 'paused') return;
    this.#error = noMicrophone('lost');
    this.#stop('lost');
  }

  #stop(state: 'ready' | 'lost'): void {
    this.#halt();
    if (this.durationMs < this.#minMs) {
      if (state === 'lost') {
        this.#fail(noMicrophone('lost'));
        return;
      }
      this.#release();
      this.#discard();
      this.#become('too-short');
      return;
    }
    this.#recording = this.#complete();
    this.#become(state);
  }

  async #complete(): Promise<Recording | undefined> {
    await this.#capture?.stop();
    this.#release();
    if (this.#over) return undefined;
    if (this.#parts.length === 0) {
      this.#fail(noMicrophone('broken'));
      return undefined;
    }
    const { durationMs, peaks } = this;
    const prepared = await this.#tape.finish();
    return this.#over ? undefined : { blob: this.#blob(), type: this.#type, durationMs, peaks, prepared };
  }

  #fail(error: QsecError): void {
    this.#error = error;
    this.#release();
    this.#discard();
    this.#become(error.code === 'MIC_DENIED' ? 'denied' : error.code === 'UNSUPPORTED' ? 'unsupported' : 'unavailable');
  }

  #blob(): Blob {
    return new Blob(this.#parts, { type: this.#type });
  }

  /** Stops the clock. */
  #halt(): void {
    this.#elapsed = this.durationMs;
    this.#since = undefined;
  }

  /** Lets go of the microphone: its light goes out. */
  #release(): void {
    clearInterval(this.#timer);
    this.#meter?.close();
    this.#meter = undefined;
    this.#capture?.abandon();
    if (this.#microphone) stopTracks(this.#microphone);
    this.#microphone = undefined;
    this.#since = undefined;
  }

  #discard(): void {
    this.#parts.length = 0;
    this.#tape.discard();
  }

  #become(state: RecorderState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#events.emit('state', state);
  }
}

function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}
