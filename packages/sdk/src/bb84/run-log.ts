import { Emitter, type Listener, type ListenOptions } from '../events.ts';
import { listening } from './arguments.ts';
import { type TracedPhoton, type TraceInput, tracePhotons } from './trace.ts';
import type { Report, Stage, StageEvent } from './types.ts';

/** The events of one side of a run. */
export interface AgreementEvents {
  /** A stage is done. */
  stage: StageEvent;
  /** What became of the first pulses, after the comparison. Only with the option `trace`. */
  photons: { photons: TracedPhoton[] };
}

const EVENTS = ['stage', 'photons'] as const satisfies readonly (keyof AgreementEvents)[];

type Counts = StageEvent['counts'];

/** What one side of a run counted and how long each stage took it. */
export class RunLog {
  readonly #emitter = new Emitter<AgreementEvents>();
  readonly #spans: Report['spans'] = {};
  #counts: Counts = {};

  get counts(): Readonly<Counts> {
    return this.#counts;
  }

  on<K extends keyof AgreementEvents>(name: K, listener: Listener<AgreementEvents[K]>, options?: ListenOptions): () => void {
    listening(name, listener, EVENTS);
    return this.#emitter.on(name, listener, options);
  }

  /** Runs `work`, adding its time to a stage. */
  time<T>(stage: Stage, work: () => T): T {
    const start = performance.now();
    try {
      return work();
    } finally {
      this.#spans[stage] = (this.#spans[stage] ?? 0) + performance.now() - start;
    }
  }

  /** Adds counts and tells the listeners that a stage is done. */
  done(stage: Stage, counts: Counts): void {
    this.#counts = { ...this.#counts, ...counts };
    this.#emitter.emit('stage', { stage, counts: this.#counts });
  }

  /** Tells the listeners what became of the first `count` pulses. */
  trace(count: number, input: TraceInput): void {
    if (count > 0) this.#emitter.emit('photons', { photons: tracePhotons(count, input) });
  }

  /** The report of a run that came to its end. */
  report(): Report {
    return { ...(this.#counts as Omit<Report, 'spans'>), spans: { ...this.#spans } };
  }
}
