import { QsecError } from '../errors.ts';
import { type Bytes, padme, Reader } from '../wire/index.ts';

export { padme };

/** Hides how long a text is: lengths are rounded up so that few different ones remain (Padmé, Nikitin et al., PETS 2019, §4.3). */

/** Short messages all look the same. */
export const MIN_PADDED_BYTES = 256;
const LENGTH_BYTES = 4;

/** content → length u32 | content | zeros, of a Padmé length and at least 256 bytes, or of exactly `size` bytes. */
export function pad(content: Uint8Array, size = Math.max(MIN_PADDED_BYTES, padme(LENGTH_BYTES + content.length))): Bytes {
  if (LENGTH_BYTES + content.length > size) {
    throw new QsecError('INVALID_ARGUMENT', `${content.length} bytes do not fit a padded size of ${size}`);
  }
  const padded = new Uint8Array(size);
  new DataView(padded.buffer).setUint32(0, content.length);
  padded.set(content, LENGTH_BYTES);
  return padded;
}

/** @throws {QsecError} `INVALID_ARGUMENT` for anything {@link pad} cannot have written */
export function unpad(padded: Uint8Array): Bytes {
  const reader = new Reader(padded);
  const content = reader.variable();
  // One form only: bytes hidden behind the content would be a channel that no signature check sees.
  if (reader.rest().some((byte) => byte !== 0)) throw new QsecError('INVALID_ARGUMENT', 'padding is not zero');
  return content;
}
