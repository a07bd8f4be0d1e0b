/**
 * Help for tests of applications and of the protocol itself.
 *
 * @packageDocumentation
 */
export { MemoryRelay } from './memory-relay.ts';
