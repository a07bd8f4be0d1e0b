/**
 * Help for tests of applications and of the protocol itself.
 *
 * @packageDocumentation
 */
export { type CarriedFrame, flipBit, type OuterType, outerType } from './hostile/frame.ts';
export { HostileRelay, type HostileRelayOptions, type Tamper } from './hostile/hostile-relay.ts';
export { ALL_MOVES, LOSSLESS, type Move, type MoveKind, movesFrom } from './hostile/moves.ts';
export { MemoryRelay } from './memory-relay.ts';
export { memoryStorage } from './memory-storage.ts';
