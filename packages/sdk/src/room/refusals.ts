import { Allowance } from '../protocol/allowance.ts';
import { forgetOldest } from './forget-oldest.ts';

/** Frames of a seat that may be refused: so many at once, and so many a second after that. */
const REFUSALS = 256;
const REFUSALS_PER_SECOND = 32;
/** Seats that are told apart: those of a full room, twice. */
const MAX_SEATS = 32;
/** All seats at which no member is. */
const STRANGERS = '';

/**
 * What each seat sends in vain: a frame takes a place before anything is computed for it, and gives it back unless it was refused. Where none
 * is left, frames are dropped; what was genuine among them comes again from who sent it.
 */
export class Refusals {
  readonly #places = new Map<string, Allowance>();

  /**
   * @param member whether a member is at the seat: a relay can name others without end
   * @returns whether there was a place
   */
  take(seat: string, member: boolean): boolean {
    return this.#of(seat, member).spend(1);
  }

  /** A frame was what it claimed to be. */
  giveBack(seat: string, member: boolean): void {
    this.#of(seat, member).restore(1);
  }

  #of(seat: string, member: boolean): Allowance {
    const key = member ? seat : STRANGERS;
    const known = this.#places.get(key);
    if (known) return known;
    const fresh = new Allowance(REFUSALS, REFUSALS_PER_SECOND);
    this.#places.set(key, fresh);
    forgetOldest(this.#places, MAX_SEATS);
    return fresh;
  }
}
