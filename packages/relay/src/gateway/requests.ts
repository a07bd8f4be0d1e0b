import {
  type CreateRequest,
  type EndRequest,
  type JoinRequest,
  MAX_CAPACITY,
  MIN_CAPACITY,
  type RecvRequest,
  type ReportRequest,
} from '@qsec2/sdk/wire';
import * as v from 'valibot';

/** Validators of the control messages. Unknown fields are dropped, so that a newer client can say more. */

/** base64url of 16 bytes: the last digit carries two bits. */
const bytes16 = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{21}[AQgw]$/));
/** base64url of 32 bytes: the last digit carries four bits. */
const bytes32 = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/));
const sequence = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(2 ** 48 - 1));
const operator = v.optional(v.pipe(v.string(), v.maxLength(256)));

const schemas = {
  create: v.object({
    room: bytes16,
    token: bytes32,
    endToken: bytes32,
    capacity: v.pipe(v.number(), v.integer(), v.minValue(MIN_CAPACITY), v.maxValue(MAX_CAPACITY)),
    operator,
  }),
  join: v.object({
    room: bytes16,
    token: bytes32,
    seat: bytes16,
    seatSecret: bytes32,
    since: v.optional(v.object({ epoch: v.pipe(v.string(), v.maxLength(64)), seq: sequence })),
    operator,
  }),
  end: v.object({ room: bytes16, endToken: bytes32 }),
  recv: v.object({ upTo: sequence }),
  report: v.object({
    kind: v.picklist(['key-agreement-started', 'key-agreement-finished', 'key-agreement-aborted', 'key-destroyed']),
  }),
};

function validator<T>(schema: v.GenericSchema<unknown, unknown>): (value: unknown) => T | undefined {
  return (value) => {
    const result = v.safeParse(schema, value, { abortEarly: true });
    return result.success ? (result.output as T) : undefined;
  };
}

/** Each returns the request, or undefined when the value is not one. */
export const requests = {
  create: validator<CreateRequest>(schemas.create),
  join: validator<JoinRequest>(schemas.join),
  end: validator<EndRequest>(schemas.end),
  recv: validator<RecvRequest>(schemas.recv),
  report: validator<ReportRequest>(schemas.report),
};
