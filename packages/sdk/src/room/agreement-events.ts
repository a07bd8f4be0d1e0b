import type { StageEvent } from '../bb84/types.ts';
import type { QsecError } from '../errors.ts';
import type { Emitter } from '../events.ts';
import type { AgreementStage } from '../protocol/agreement.ts';
import { type Bytes, MAX_CAPACITY, toBase64url } from '../wire/index.ts';
import { forgetOldest } from './forget-oldest.ts';
import type { KeyAgreementEvent, RoomEvents } from './types.ts';

/** Agreements that are followed at a time. */
const MAX_UNDER_WAY = 2 * MAX_CAPACITY;

export interface AgreementEventsOptions {
  events: Emitter<RoomEvents>;
  /** Above which nothing is derived, as long as no agreement said so. */
  threshold: number;
  /** Name of the member of a seat, if keys with it are confirmed. */
  nameOf(seat: string): string | undefined;
}

/** Tells the application how key agreements go. */
export class AgreementEvents {
  readonly #options: AgreementEventsOptions;
  /** The last stage of each key agreement under way, by seat. */
  readonly #stages = new Map<string, KeyAgreementEvent>();

  constructor(options: AgreementEventsOptions) {
    this.#options = options;
  }

  /** Stages as they come. An attempt that is dropped is not the end: another may follow, and the conclusion is told apart. */
  stage(seat: Bytes, stage: AgreementStage): void {
    const event = { ...stage, member: this.#describe(seat) };
    this.#stages.set(toBase64url(seat), event);
    // Who stops in the middle is not concluded about.
    forgetOldest(this.#stages, MAX_UNDER_WAY);
    if (stage.stage !== 'aborted') this.#options.events.emit('keyAgreement', event);
  }

  isUnderWay(seat: Bytes): boolean {
    return this.#stages.has(toBase64url(seat));
  }

  /** How an agreement ended, with everything that was counted on the way. */
  conclude(seat: Bytes, stage: 'confirmed' | 'aborted', counts: StageEvent['counts'], error?: QsecError): void {
    const key = toBase64url(seat);
    const last = this.#stages.get(key);
    this.#stages.delete(key);
    this.#options.events.emit('keyAgreement', {
      attempt: last?.attempt ?? 0,
      role: last?.role ?? 'bob',
      threshold: last?.threshold ?? this.#options.threshold,
      member: this.#describe(seat),
      stage,
      counts: { ...last?.counts, ...counts },
      ...(error && { error }),
    });
  }

  #describe(seat: Bytes): KeyAgreementEvent['member'] {
    const key = toBase64url(seat);
    return { seat: key, name: this.#options.nameOf(key) };
  }
}
