/**
 * The contract between the SDK and a relay: event names, message shapes, binary layouts and limits. One source for both sides.
 *
 * Control messages are plain objects whose identifiers and secrets are base64url strings; frames travel in two binary
 * layouts (`frames.ts`). The relay never looks into a frame's body.
 *
 * @packageDocumentation
 */
export * from './blobs.ts';
export * from './bytes.ts';
export * from './events.ts';
export * from './frames.ts';
export * from './limits.ts';
export * from './padme.ts';
