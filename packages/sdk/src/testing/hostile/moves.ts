/**
 * What a hostile relay does with the frames that pass through it, one move a frame. A schedule is bytes, two to a move, so that any
 * generator of bytes makes schedules, and one that shrinks bytes finds the smallest schedule that does harm:
 *
 * ```ts
 * fc.property(fc.uint8Array({ maxLength: 60 }), async (schedule) => { const relay = new HostileRelay({ moves: movesFrom(schedule) }); … });
 * ```
 */

export type Move =
  | { kind: 'pass' }
  | { kind: 'drop' }
  /** Delivered twice. */
  | { kind: 'repeat' }
  /** Delivered, and behind it a frame of the past, `back` frames ago, whoever sent it and whoever it was for. */
  | { kind: 'replay'; back: number }
  /** Held until `frames` more have passed on the same way. */
  | { kind: 'delay'; frames: number }
  /** Delivered as if it came from another seat. */
  | { kind: 'splice'; seat: number }
  /** Delivered back to who sent it, as if it came from the receiver, and to the receiver as well. */
  | { kind: 'reflect' }
  /** Delivered behind a copy of itself with one bit turned over. */
  | { kind: 'forge'; bit: number }
  /** Delivered with one bit turned over. */
  | { kind: 'flip'; bit: number }
  /** Delivered behind a frame of noise that begins as it does. */
  | { kind: 'inject'; keep: number };

export type MoveKind = Move['kind'];

/** Moves after which every frame still arrives at last. */
export const LOSSLESS: readonly MoveKind[] = ['pass', 'repeat', 'replay', 'reflect', 'forge', 'inject'];
export const ALL_MOVES: readonly MoveKind[] = [...LOSSLESS, 'delay', 'drop', 'splice', 'flip'];

/** Reads a schedule: of each two bytes the first picks the move and the second says how. */
export function movesFrom(schedule: Uint8Array, kinds: readonly MoveKind[] = ALL_MOVES): Move[] {
  const moves: Move[] = [];
  for (let i = 0; i + 1 < schedule.length; i += 2) {
    const kind = kinds[(schedule[i] as number) % kinds.length] as MoveKind;
    moves.push(move(kind, schedule[i + 1] as number));
  }
  return moves;
}

function move(kind: MoveKind, how: number): Move {
  switch (kind) {
    case 'replay':
      return { kind, back: how };
    case 'delay':
      return { kind, frames: 1 + (how % 4) };
    case 'splice':
      return { kind, seat: how };
    case 'forge':
    case 'flip':
      // Spread over the frame: headers come first and are the interesting part, so half of the flips are there.
      return { kind, bit: how < 128 ? how * 3 : how * how };
    case 'inject':
      return { kind, keep: how };
    default:
      return { kind };
  }
}
