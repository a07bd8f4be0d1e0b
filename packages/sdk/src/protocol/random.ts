import type { Bytes } from '../wire/index.ts';

/** Bytes from the system's generator; at most 65536, as WebCrypto allows. */
export const randomBytes = (length: number): Bytes => crypto.getRandomValues(new Uint8Array(length));
