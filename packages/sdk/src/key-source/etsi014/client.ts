import type { Agent } from 'node:https';
import { QsecError } from '../../errors.ts';
import { failure, statusFailure, usedUp } from './failure.ts';
import { exchange, type Limits, type MutualTls, tlsAgent } from './request.ts';
import { type Etsi014Status, identifiersIn, parseContainer, parseError, parseStatus } from './schema.ts';

export interface Etsi014Options extends MutualTls, Partial<Limits> {
  /** Where the key management entity is: `https://kme.example` or `https://kme.example:8443/some/prefix`. */
  kme: string | URL;
  /** The other application's identifier, its SAE ID. */
  peer: string;
}

export interface RequestOptions {
  signal?: AbortSignal;
}

export interface EncKeysRequest extends RequestOptions {
  /** How many keys. Default 1. */
  number?: number;
  /** Bits of each, a multiple of 8. Default: the KME's key_size. */
  size?: number;
  /** Further applications that are to get the same keys. */
  additionalPeers?: readonly string[];
  /** Vendors' options that the KME must understand and meet, or refuse. */
  extensionMandatory?: readonly Readonly<Record<string, unknown>>[];
  /** Vendors' options that it may ignore. */
  extensionOptional?: readonly Readonly<Record<string, unknown>>[];
  /** Default `'POST'`. `'GET'` takes only `number` and `size`. */
  method?: 'GET' | 'POST';
}

export interface DecKeysRequest extends RequestOptions {
  /** Default `'POST'`. `'GET'` takes one identifier. */
  method?: 'GET' | 'POST';
}

/** A key as delivered. Both applications get the same bytes under the same identifier. */
export interface Etsi014Key {
  /** Its identifier, which is not secret and is what the applications tell each other. */
  id: string;
  key: Uint8Array;
}

const DEFAULT_LIMITS: Limits = { timeoutMs: 10_000, maxResponseBytes: 1 << 20 };
const API = '/api/v1/keys';

/**
 * A client of a key management entity by ETSI GS QKD 014 V1.1.1: HTTPS with certificates on both sides. What the KME delivers is
 * checked against what was asked for; the size of every answer and the time for it are bounded. Keys are returned and nothing
 * else is done with them: they are in no error and no message.
 *
 * @example
 * ```ts
 * const client = new Etsi014Client({ kme: 'https://kme-a.example', peer: 'SAE_B', cert, key, ca });
 * const [fresh] = await client.encKeys({ size: 256 });         // tell fresh.id to SAE_B
 * const [same] = await clientOfB.decKeys([fresh.id]);          // same.key equals fresh.key
 * ```
 */
export class Etsi014Client {
  readonly #agent: Agent;
  readonly #base: string;
  readonly #peer: string;
  readonly #limits: Limits;

  /** @throws QsecError `INVALID_ARGUMENT` when the address is not https or a certificate cannot be read. */
  constructor(options: Etsi014Options) {
    const { kme, peer, timeoutMs = DEFAULT_LIMITS.timeoutMs, maxResponseBytes = DEFAULT_LIMITS.maxResponseBytes } = options;
    this.#base = baseOf(kme);
    if (typeof peer !== 'string' || peer === '') throw invalid('peer', 'an SAE ID', JSON.stringify(peer));
    this.#peer = peer;
    this.#limits = {
      timeoutMs: positive('timeoutMs', timeoutMs),
      maxResponseBytes: positive('maxResponseBytes', maxResponseBytes),
    };
    this.#agent = tlsAgent(options);
  }

  /**
   * How many keys there are for the peer and of what sizes (§5.2).
   *
   * @throws QsecError `KEY_SOURCE_FAILED`, whose `details.reason` is an {@link Etsi014FailureReason}; `ABORTED`.
   */
  async status({ signal }: RequestOptions = {}): Promise<Etsi014Status> {
    return parseStatus(await this.#request('status', {}, undefined, signal));
  }

  /**
   * Fresh keys to share with the peer, for the side that begins (§5.3). Exactly as many and as long as asked for.
   *
   * @throws QsecError as {@link status}, and `INVALID_ARGUMENT` for a request the standard does not allow.
   */
  async encKeys(request: EncKeysRequest = {}): Promise<Etsi014Key[]> {
    const { number = 1, size, method = 'POST', signal } = request;
    positive('number', number);
    if (size !== undefined && positive('size', size) % 8 !== 0) throw invalid('size', 'a multiple of 8 bits', size);
    const extras = extrasOf(request);
    const isGet = method === 'GET';
    if (isGet && Object.keys(extras).length > 0) throw invalid('method', "'POST', for more than a number and a size", method);
    const plain = { number, ...(size !== undefined && { size }) };
    const answer = this.#request('enc_keys', isGet ? plain : {}, isGet ? undefined : { ...plain, ...extras }, signal);
    return delivered(answer, [], (keys) => {
      if (keys.length !== number)
        return failure(
          'malformed-response',
          `The key management entity delivered ${keys.length} keys where ${number} were asked for`,
          { keys: keys.length, number },
        );
      if (size !== undefined && keys.some(({ key }) => key.length * 8 !== size))
        return failure('malformed-response', `The key management entity delivered a key that is not ${size} bits long`, { size });
      return keys;
    });
  }

  /**
   * The keys that the peer told the identifiers of, in that order, for the side that follows (§5.4). The KME then forgets them.
   *
   * @throws QsecError as {@link encKeys}; `key-not-found` when a key was never there or was delivered before.
   */
  async decKeys(ids: readonly string[], { method = 'POST', signal }: DecKeysRequest = {}): Promise<Etsi014Key[]> {
    const named = Array.isArray(ids) && ids.length > 0 && ids.every((id) => typeof id === 'string' && id !== '');
    if (!named || new Set(ids).size !== ids.length) throw invalid('ids', 'one or more different key IDs', JSON.stringify(ids));
    const isGet = method === 'GET';
    if (isGet && ids.length > 1) throw invalid('method', "'POST', for more than one key", method);
    const query: Record<string, string> = isGet ? { key_ID: ids[0] as string } : {};
    const answer = this.#request('dec_keys', query, isGet ? undefined : { key_IDs: ids.map((id) => ({ key_ID: id })) }, signal);
    return delivered(answer, ids, (list) => {
      const keys = new Map(list.map((key) => [key.id, key]));
      if (list.length !== ids.length || !ids.every((id) => keys.has(id)))
        return failure('malformed-response', 'The key management entity delivered other keys than those asked for', {
          asked: [...ids],
          delivered: [...keys.keys()],
        });
      return ids.map((id) => keys.get(id) as Etsi014Key);
    });
  }

  async #request(
    what: 'status' | 'enc_keys' | 'dec_keys',
    query: Readonly<Record<string, string | number>>,
    body: unknown,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const url = new URL(`${this.#base}${API}/${encodeURIComponent(this.#peer)}/${what}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    const answer = await exchange(url, this.#agent, body === undefined ? undefined : JSON.stringify(body), this.#limits, signal);
    if (answer.status === 200) return answer.body;
    const { message, details } = parseError(answer.body);
    throw statusFailure(answer.status, message, details);
  }
}

function extrasOf({ additionalPeers, extensionMandatory, extensionOptional }: EncKeysRequest): Record<string, unknown> {
  return {
    ...(additionalPeers && { additional_slave_SAE_IDs: additionalPeers }),
    ...(extensionMandatory && { extension_mandatory: extensionMandatory }),
    ...(extensionOptional && { extension_optional: extensionOptional }),
  };
}

/**
 * The keys of an answer, if `check` finds nothing wrong with them. The entity forgets a key that it delivered, also when the answer is
 * refused here: then the failure tells which keys are used up, and their bytes are overwritten.
 *
 * @param asked identifiers of the keys that were asked for, where they are known.
 */
async function delivered(
  answer: Promise<Uint8Array>,
  asked: readonly string[],
  check: (keys: Etsi014Key[]) => Etsi014Key[] | QsecError,
): Promise<Etsi014Key[]> {
  let body = new Uint8Array(0);
  let keys: Etsi014Key[] = [];
  try {
    body = (await answer) as Uint8Array<ArrayBuffer>;
    keys = keysOf(body);
    const checked = check(keys);
    if (checked instanceof QsecError) throw checked;
    return checked;
  } catch (error) {
    const ids = new Set([...asked, ...keys.map(({ id }) => id), ...identifiersIn(body)]);
    for (const { key } of keys) key.fill(0);
    throw usedUp(error, [...ids]);
  } finally {
    body.fill(0);
  }
}

const keysOf = (body: Uint8Array): Etsi014Key[] =>
  parseContainer(body).keys.map(({ key_ID, key }) => ({ id: key_ID, key: new Uint8Array(Buffer.from(key, 'base64')) }));

function baseOf(kme: string | URL): string {
  const url = URL.canParse(String(kme)) ? new URL(String(kme)) : undefined;
  if (url?.protocol !== 'https:') throw invalid('kme', 'an https address', String(kme));
  // A host with the API's own path on it is taken as the host.
  return `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/api\/v1\/keys$/, '')}`;
}

const invalid = (argument: string, expected: string, got: unknown): QsecError =>
  new QsecError('INVALID_ARGUMENT', `"${argument}" expected ${expected}, got ${String(got)}`, { details: { argument } });

function positive(argument: string, value: number): number {
  if (!Number.isInteger(value) || value < 1) throw invalid(argument, 'a positive integer', value);
  return value;
}
