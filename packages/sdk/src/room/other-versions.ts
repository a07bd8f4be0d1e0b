import { Allowance } from '../protocol/allowance.ts';
import { MAX_CAPACITY } from '../wire/index.ts';
import { forgetOldest } from './forget-oldest.ts';

/** Answers to a seat: so many at once, and one in so many seconds. */
const ANSWERS = 4;
const ANSWERS_PER_SECOND = 0.2;
const MAX_SEATS = 2 * MAX_CAPACITY;

interface Seat {
  answers: Allowance;
  told: boolean;
}

/**
 * Seats whose owners may speak another version. A frame of another version is no proof of that, since one changed byte makes it: it is answered with
 * what we speak, and who really differs answers in turn. What they send differs without end; it is told of once, and answered now and then.
 */
export class OtherVersions {
  readonly #seats = new Map<string, Seat>();

  /** Whether to say to this seat what we speak. */
  mayAnswer(seat: string): boolean {
    return this.#of(seat).answers.spend(1);
  }

  /** The owner of this seat said what they speak. @returns whether they had not before */
  tell(seat: string): boolean {
    const known = this.#of(seat);
    if (known.told) return false;
    known.told = true;
    return true;
  }

  /** The seat was given up, or its owner is back with our version. */
  forget(seat: string): void {
    this.#seats.delete(seat);
  }

  #of(seat: string): Seat {
    const known = this.#seats.get(seat);
    if (known) return known;
    const fresh = { answers: new Allowance(ANSWERS, ANSWERS_PER_SECOND), told: false };
    this.#seats.set(seat, fresh);
    forgetOldest(this.#seats, MAX_SEATS);
    return fresh;
  }
}
