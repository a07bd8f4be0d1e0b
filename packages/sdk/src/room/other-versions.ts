import { Allowance } from '../protocol/allowance.ts';
import { MAX_CAPACITY } from '../wire/index.ts';
import { forgetOldest } from './forget-oldest.ts';

/** Answers to a seat: so many at once, and one in so many seconds. */
const ANSWERS = 2;
const ANSWERS_PER_SECOND = 0.2;
const MAX_SEATS = 2 * MAX_CAPACITY;

/** Seats whose owners speak another version. What they send says so without end; it is told of once, and answered now and then. */
export class OtherVersions {
  readonly #seats = new Map<string, Allowance>();

  /** @returns whether the owner of this seat is new here */
  note(seat: string): boolean {
    if (this.#seats.has(seat)) return false;
    this.#seats.set(seat, new Allowance(ANSWERS, ANSWERS_PER_SECOND));
    forgetOldest(this.#seats, MAX_SEATS);
    return true;
  }

  /** Whether to say to this seat what we speak. */
  mayAnswer(seat: string): boolean {
    return this.#seats.get(seat)?.spend(1) ?? false;
  }

  /** The seat was given up, or its owner is back with our version. */
  forget(seat: string): void {
    this.#seats.delete(seat);
  }
}
