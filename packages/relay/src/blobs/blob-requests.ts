import {
  BLOB_CHUNK_BYTES,
  type BlobDropRequest,
  type BlobGetRequest,
  type BlobPutRequest,
  MIN_BLOB_CHUNK_BYTES,
} from '@qsec2/sdk/wire';
import * as v from 'valibot';

/** Validators of what clients ask about blobs. Unknown fields are dropped, so that a newer client can say more. */

/** base64url of 16 bytes: the last digit carries two bits. It also names a file, so nothing else may be in it. */
const blob = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{21}[AQgw]$/));
/** A terabyte of chunks. */
const index = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 24));

const schemas = {
  put: v.object({ blob, index, last: v.boolean() }),
  get: v.object({ blob, index: v.optional(index) }),
  drop: v.object({ blob }),
};

function validator<T>(schema: v.GenericSchema<unknown, unknown>): (value: unknown) => T | undefined {
  return (value) => {
    const result = v.safeParse(schema, value, { abortEarly: true });
    return result.success ? (result.output as T) : undefined;
  };
}

/** Each returns the request, or undefined when the value is not one. */
export const blobRequests = {
  put: validator<BlobPutRequest>(schemas.put),
  get: validator<BlobGetRequest>(schemas.get),
  drop: validator<BlobDropRequest>(schemas.drop),
};

/** Whether these can be the bytes of a chunk: every one but the last is full. */
export function isChunk(bytes: unknown, last: boolean): bytes is Buffer {
  if (!Buffer.isBuffer(bytes)) return false;
  return last ? bytes.length >= MIN_BLOB_CHUNK_BYTES && bytes.length <= BLOB_CHUNK_BYTES : bytes.length === BLOB_CHUNK_BYTES;
}
