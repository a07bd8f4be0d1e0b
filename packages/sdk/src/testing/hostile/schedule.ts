import { type CarriedFrame, flipBit, noiseBehind } from './frame.ts';
import type { Move } from './moves.ts';

interface Held {
  frame: CarriedFrame;
  /** Frames of the same way that still have to pass. */
  left: number;
}

/** What a schedule knows of the relay it runs at. */
export interface Surroundings {
  /** Frames of the past, oldest first. */
  past: readonly CarriedFrame[];
  /** Every seat of a room. */
  seatsOf(room: string): readonly string[];
}

/**
 * Plays a list of moves against the frames of each way (from one seat to another) on its own, in the order of that way: the outcome
 * does not depend on how two members' frames happen to interleave.
 */
export class Schedule {
  readonly #moves: readonly Move[];
  readonly #played = new Map<string, number>();
  readonly #held = new Map<string, Held[]>();

  constructor(moves: readonly Move[]) {
    this.#moves = moves;
  }

  /** What is delivered now that `frame` has come. */
  play(frame: CarriedFrame, surroundings: Surroundings): CarriedFrame[] {
    const way = `${frame.room} ${frame.from} ${frame.to}`;
    const turn = this.#played.get(way) ?? 0;
    this.#played.set(way, turn + 1);
    const move = this.#moves[turn] ?? { kind: 'pass' };
    if (move.kind === 'delay') {
      this.#hold(way, { frame, left: move.frames });
      return [];
    }
    return [...carryOut(move, frame, surroundings), ...this.#release(way)];
  }

  /** Everything that is still held, oldest first. Nothing is held afterwards. */
  flush(): CarriedFrame[] {
    const frames = [...this.#held.values()].flat().map(({ frame }) => frame);
    this.#held.clear();
    return frames;
  }

  #hold(way: string, held: Held): void {
    this.#held.set(way, [...(this.#held.get(way) ?? []), held]);
  }

  /** A frame passed on this way: those that have waited long enough follow it. */
  #release(way: string): CarriedFrame[] {
    const waiting = this.#held.get(way) ?? [];
    for (const held of waiting) held.left--;
    this.#held.set(
      way,
      waiting.filter(({ left }) => left > 0),
    );
    return waiting.filter(({ left }) => left <= 0).map(({ frame }) => frame);
  }
}

function carryOut(move: Exclude<Move, { kind: 'delay' }>, frame: CarriedFrame, { past, seatsOf }: Surroundings): CarriedFrame[] {
  switch (move.kind) {
    case 'pass':
      return [frame];
    case 'drop':
      return [];
    case 'repeat':
      return [frame, frame];
    case 'replay': {
      const earlier = past[past.length - 1 - (move.back % Math.max(1, past.length))];
      return earlier ? [frame, { ...frame, from: earlier.from, body: earlier.body }] : [frame];
    }
    case 'splice': {
      const seats = seatsOf(frame.room).filter((seat) => seat !== frame.from);
      return [{ ...frame, from: seats[move.seat % Math.max(1, seats.length)] ?? frame.from }];
    }
    case 'reflect':
      return [{ ...frame, from: frame.to, to: frame.from }, frame];
    case 'forge':
      return [{ ...frame, body: flipBit(frame.body, move.bit) }, frame];
    case 'flip':
      return [{ ...frame, body: flipBit(frame.body, move.bit) }];
    case 'inject':
      return [{ ...frame, body: noiseBehind(frame.body, move.keep) }, frame];
  }
}
