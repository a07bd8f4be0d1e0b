import * as v from 'valibot';
import { failure } from './failure.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const identifier = v.pipe(v.string(), v.minLength(1), v.maxLength(256));
/** An optional field: entities that have nothing to say in it leave it out or write null. */
const optional = <T extends v.GenericSchema>(schema: T) =>
  v.pipe(
    v.nullish(schema),
    v.transform((value) => value ?? undefined),
  );

/** Extensions are vendors' own objects; what is not known is kept as it came. */
const extension = v.record(v.string(), v.unknown());
/** Those of a container are not handed out, so no key is refused for what they hold. */
const ignored = optional(v.unknown());

/** Status (ETSI GS QKD 014 V1.1.1, §6.1). */
const statusSchema = v.object({
  source_KME_ID: identifier,
  target_KME_ID: identifier,
  master_SAE_ID: identifier,
  slave_SAE_ID: identifier,
  key_size: count,
  stored_key_count: count,
  max_key_count: count,
  max_key_per_request: count,
  max_key_size: count,
  min_key_size: count,
  max_SAE_ID_count: count,
  status_extension: optional(extension),
});

/** Canonical base64 with padding (RFC 4648 §4). */
const base64 = v.pipe(v.string(), v.regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/));

/** Key container (§6.3). */
const containerSchema = v.object({
  keys: v.array(v.object({ key_ID: identifier, key: base64, key_ID_extension: ignored, key_extension: ignored })),
  key_container_extension: ignored,
});

/** Error (§6.5). */
const errorSchema = v.object({ message: optional(v.string()), details: optional(v.unknown()) });

/** What a key management entity says of itself and of its link to another one. */
export type Etsi014Status = v.InferOutput<typeof statusSchema>;
export type Etsi014Container = v.InferOutput<typeof containerSchema>;

export const parseStatus = (body: Uint8Array): Etsi014Status => check(statusSchema, parseJson(body));
export const parseContainer = (body: Uint8Array): Etsi014Container => check(containerSchema, parseJson(body));

/** Identifiers of keys in an answer that is refused, as far as it can be read. */
export function identifiersIn(body: Uint8Array): string[] {
  const result = v.safeParse(v.object({ keys: v.array(v.unknown()) }), tryJson(body).json);
  if (!result.success) return [];
  return result.output.keys.flatMap((key) => {
    const named = v.safeParse(v.object({ key_ID: identifier }), key);
    return named.success ? named.output.key_ID : [];
  });
}

/** The error object of a refusal, or nothing when the body is none: the status says enough. */
export function parseError(body: Uint8Array): { message?: string | undefined; details?: unknown } {
  const result = v.safeParse(errorSchema, tryJson(body).json);
  return result.success ? result.output : {};
}

function tryJson(body: Uint8Array): { ok: boolean; json?: unknown } {
  try {
    return { ok: true, json: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) };
  } catch {
    // The parser's message quotes the text, and the text may be a key.
    return { ok: false };
  }
}

function parseJson(body: Uint8Array): unknown {
  const value = tryJson(body);
  if (!value.ok)
    throw failure('malformed-response', 'The key management entity answered with something that is not JSON', {
      bytes: body.length,
    });
  return value.json;
}

function check<T extends v.GenericSchema>(schema: T, json: unknown): v.InferOutput<T> {
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  // Which fields, and never their values.
  const fields = [...new Set(result.issues.map((issue) => v.getDotPath(issue) ?? 'the whole'))];
  throw failure('malformed-response', `The key management entity's answer does not follow the standard: ${fields.join(', ')}`, {
    fields,
  });
}
