import { READINGS_PER_SECOND } from './loudness.ts';

/** Below that nobody speaks into a microphone that works: −60 dB of full scale. */
const SILENT_LEVEL = 0.001;
/** So long nothing is heard from the beginning, before a person is told. */
const FIRST_MS = 3_000;
/** And between what was heard: people stop to think. */
const LATER_MS = 6_000;

/** Tells a microphone that gives silence, one reading after another. */
export class Silence {
  #readings = 0;
  #heard = false;

  /** @param level loudness, 0–1; undefined where it cannot be measured: then nothing is said of it */
  add(level: number | undefined): void {
    if (level !== undefined && level < SILENT_LEVEL) {
      this.#readings++;
      return;
    }
    this.#readings = 0;
    this.#heard ||= level !== undefined;
  }

  /** What comes after a pause is heard anew. */
  reset(): void {
    this.#readings = 0;
  }

  /** Whether nothing was heard for so long that a person should know. */
  get lasts(): boolean {
    return (1000 * this.#readings) / READINGS_PER_SECOND >= (this.#heard ? LATER_MS : FIRST_MS);
  }
}
