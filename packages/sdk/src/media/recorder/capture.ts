import { within } from './within.ts';

/** How often the browser hands over what it recorded. */
const SLICE_MS = 250;
/** So long a browser is waited for that does not hand over what it has, or does not say that it stopped. */
const ANSWER_MS = 2_000;

export interface CaptureEvents {
  data(part: Blob): void;
  /** Nothing more is recorded, and nobody asked for that. */
  lost(cause: unknown): void;
}

/** A browser's recorder, which may fail in every way there is: it throws, stops by itself, or does not answer. */
export class Capture {
  readonly #recorder: MediaRecorder;
  readonly #events: CaptureEvents;
  readonly #stopped: Promise<void>;
  #ending = false;

  constructor(recorder: MediaRecorder, events: CaptureEvents) {
    this.#recorder = recorder;
    this.#events = events;
    recorder.addEventListener('dataavailable', ({ data }) => {
      if (data.size > 0) events.data(data);
    });
    recorder.addEventListener('error', (event) => this.#lost(event));
    this.#stopped = new Promise((resolve) => {
      recorder.addEventListener('stop', (event) => {
        resolve();
        this.#lost(event);
      });
    });
  }

  get type(): string {
    return this.#recorder.mimeType;
  }

  /** @throws {DOMException} what the browser says */
  start(): void {
    this.#recorder.start(SLICE_MS);
  }

  pause(): void {
    this.#attempt(() => this.#recorder.pause());
  }

  resume(): void {
    this.#attempt(() => this.#recorder.resume());
  }

  /** Has what was recorded so far handed over, as far as the browser does that in time. */
  async flush(): Promise<void> {
    const handed = new Promise<void>((resolve) => {
      this.#recorder.addEventListener('dataavailable', () => resolve(), { once: true });
    });
    if (this.request()) await within(ANSWER_MS, handed);
  }

  /** Asks for what was recorded so far. Returns whether it can come. */
  request(): boolean {
    return this.#attempt(() => this.#recorder.requestData());
  }

  /** Stops, and resolves when everything was handed over; what a browser keeps to itself is not waited for. */
  async stop(): Promise<void> {
    this.abandon();
    await within(ANSWER_MS, this.#stopped);
  }

  /** Stops, whatever is still to come. */
  abandon(): void {
    this.#ending = true;
    this.#attempt(() => this.#recorder.stop());
  }

  /** Returns whether it worked. A recorder that is not active refuses everything. */
  #attempt(act: () => void): boolean {
    if (this.#recorder.state === 'inactive') return false;
    try {
      act();
      return true;
    } catch (cause) {
      this.#lost(cause);
      return false;
    }
  }

  #lost(cause: unknown): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#events.lost(cause);
  }
}
