import { BEAT_MS, DEAD_AFTER_MS } from './heartbeat.ts';

/** Time that passes between two looks counts for no more than this: whoever could not look does not know who was silent. */
const MOST_BETWEEN_LOOKS_MS = 2 * BEAT_MS;

interface Peer {
  /** What it last wrote. */
  beat: number;
  /** For how long it was seen to write nothing else. */
  silentMs: number;
}

/**
 * Tells which of the relays that share a database are dead: those whose heartbeat stood still for as long as this relay was looking.
 * Clocks of others do not matter, and after the database was away for everyone nobody is dead before all had time to come back.
 */
export class Peers {
  readonly #own: string;
  readonly #peers = new Map<string, Peer>();
  #lookedAt = Number.NEGATIVE_INFINITY;

  /** @param own name of this relay, which does not judge itself. */
  constructor(own: string) {
    this.#own = own;
  }

  /**
   * @param beats what each relay last wrote, by its name.
   * @param now by the clock of this relay.
   * @returns those that are dead, with what they wrote last.
   */
  look(beats: ReadonlyMap<string, number>, now: number): [name: string, beat: number][] {
    const passed = Math.min(now - this.#lookedAt, MOST_BETWEEN_LOOKS_MS);
    this.#lookedAt = now;
    for (const name of this.#peers.keys()) if (!beats.has(name)) this.#peers.delete(name);
    const dead: [string, number][] = [];
    for (const [name, beat] of beats) {
      if (name === this.#own) continue;
      const known = this.#peers.get(name);
      if (known?.beat !== beat) {
        this.#peers.set(name, { beat, silentMs: 0 });
        continue;
      }
      known.silentMs += passed;
      if (known.silentMs >= DEAD_AFTER_MS) dead.push([name, beat]);
    }
    return dead;
  }
}
