import type { Bytes } from '../wire/index.ts';
import { hash, purpose } from './key-schedule.ts';

export const MESSAGE_ID_BYTES = 16;

/**
 * The name of a message in the room: 16 bytes of H("message id" | author's identity | the random id in its content). A member who
 * reads a message cannot write one of its own that takes the same name.
 */
export const messageId = (author: Uint8Array, id: Uint8Array): Bytes =>
  hash(purpose('message id'), author, id).slice(0, MESSAGE_ID_BYTES);
