import type { AgreementResult, Provenance, Report, StageEvent } from '../../bb84/types.ts';
import { QsecError } from '../../errors.ts';
import { Emitter, type Listener } from '../../events.ts';
import { AGREED_KEY_BYTES, type KeyParty, type KeySource } from '../types.ts';
import { Etsi014Client, type Etsi014Key, type Etsi014Options } from './client.ts';
import { failure, usedUp } from './failure.ts';

export interface Etsi014SourceOptions extends Etsi014Options {
  /**
   * What the entities' keys are. Say `'hardware'` only when quantum hardware makes them: a key management entity can be software
   * from end to end, and the interface does not tell. Both members must say the same. Default `'simulated'`.
   */
  provenance?: Provenance;
}

/**
 * Takes the key of a pair of members from a quantum network: one member fetches a fresh key from its key management entity and
 * tells the other one its identifier, who fetches the same key from its own entity. For Node.
 *
 * @example
 * ```ts
 * const source = etsi014({ kme: 'https://kme-a.example', peer: 'SAE_B', cert, key, ca, provenance: 'hardware' });
 * ```
 * @throws QsecError `INVALID_ARGUMENT` as {@link Etsi014Client}.
 */
export function etsi014({ provenance = 'simulated', ...options }: Etsi014SourceOptions): KeySource {
  const client = new Etsi014Client(options);
  return {
    kind: 'etsi014',
    provenance,
    alice: () => new Requester(client, provenance),
    bob: () => new Follower(client, provenance),
    flightBound: (flight) => (flight === 1 ? 1 + MOST_ID_BYTES : 1),
  };
}

/** Most bytes of a key's identifier; a UUID, which the standard suggests, has 36. */
const MOST_ID_BYTES = 255;
/** First byte of a flight: the key or its identifier was had, or not. */
const HAD = 1;
const FAILED = 0;

/** What both sides of an agreement have in common. */
abstract class Party implements KeyParty {
  readonly sampled = 0;
  readonly errors = 0;
  protected readonly client: Etsi014Client;
  readonly #provenance: Provenance;
  readonly #events = new Emitter<{ stage: StageEvent }>();
  #result: AgreementResult | undefined;
  #failure: QsecError | undefined;
  #keyId = '';

  constructor(client: Etsi014Client, provenance: Provenance) {
    this.client = client;
    this.#provenance = provenance;
  }

  abstract next(flight?: Uint8Array): Promise<Uint8Array | undefined>;

  get result(): AgreementResult | undefined {
    return this.#result;
  }

  get failure(): QsecError | undefined {
    return this.#failure;
  }

  get keyId(): string {
    return this.#keyId;
  }

  on(name: 'stage', listener: Listener<StageEvent>): () => void {
    return this.#events.on(name, listener);
  }

  protected requireRunning(): void {
    if (this.#result || this.#failure) throw malformed('the run is over');
  }

  /** Does `work`, or ends the run with the key management entity's failure. */
  protected async attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!QsecError.is(error, 'KEY_SOURCE_FAILED')) throw error;
      this.fail(error);
      return undefined;
    }
  }

  protected fail(failure: QsecError): void {
    this.#failure = failure;
    this.#events.emit('stage', { stage: 'aborted', counts: { provenance: this.#provenance } });
  }

  protected finish({ id, key }: Etsi014Key): void {
    const report = reportOf(this.#provenance);
    this.#keyId = id;
    this.#result = { key, report };
    const { finalBits, provenance, channel } = report;
    this.#events.emit('stage', { stage: 'amplification', counts: { finalBits, provenance, channel } });
  }
}

/** The side that fetches a fresh key. */
class Requester extends Party {
  #fresh: Etsi014Key | undefined;

  async next(flight?: Uint8Array): Promise<Uint8Array | undefined> {
    this.requireRunning();
    if (!this.#fresh) {
      if (flight) throw malformed('this side speaks first');
      return this.#begin();
    }
    if (flight?.length !== 1) throw malformed('an answer is one byte');
    if (flight[0] === HAD) this.finish(this.#fresh);
    else {
      this.#fresh.key.fill(0);
      this.fail(theirFailure([this.#fresh.id]));
    }
    return undefined;
  }

  async #begin(): Promise<Uint8Array> {
    const [fresh] = (await this.attempt(() => this.client.encKeys({ size: AGREED_KEY_BYTES * 8 }))) ?? [];
    if (!fresh) return Uint8Array.of(FAILED);
    const id = new TextEncoder().encode(fresh.id);
    if (id.length > MOST_ID_BYTES) {
      fresh.key.fill(0);
      this.fail(
        refused(`The key management entity gave an identifier of ${id.length} bytes, more than ${MOST_ID_BYTES}`, fresh.id),
      );
      return Uint8Array.of(FAILED);
    }
    this.#fresh = fresh;
    return Uint8Array.of(HAD, ...id);
  }
}

/** The side that is told the identifier. */
class Follower extends Party {
  async next(flight?: Uint8Array): Promise<Uint8Array | undefined> {
    this.requireRunning();
    const id = readIdentifier(flight);
    if (id === undefined) {
      this.fail(theirFailure());
      return undefined;
    }
    const [key] = (await this.attempt(() => this.client.decKeys([id]))) ?? [];
    if (!key) return Uint8Array.of(FAILED);
    if (key.key.length !== AGREED_KEY_BYTES) {
      key.key.fill(0);
      this.fail(refused(`The key management entity gave ${key.key.length} bytes instead of ${AGREED_KEY_BYTES}`, key.id));
      return Uint8Array.of(FAILED);
    }
    this.finish(key);
    return Uint8Array.of(HAD);
  }
}

/** The identifier in a first flight, or undefined when the other side has no key. */
function readIdentifier(flight: Uint8Array | undefined): string | undefined {
  if (!flight || flight.length === 0 || flight.length > 1 + MOST_ID_BYTES) throw malformed('an identifier is due');
  if (flight[0] === FAILED && flight.length === 1) return undefined;
  if (flight[0] !== HAD || flight.length === 1) throw malformed('an identifier is due');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(flight.subarray(1));
  } catch (cause) {
    throw malformed('the identifier is not text', cause);
  }
}

const malformed = (what: string, cause?: unknown): QsecError =>
  new QsecError('INVALID_ARGUMENT', `"flight" is not a well-formed flight of a key fetched by ETSI GS QKD 014: ${what}`, {
    details: { argument: 'flight' },
    cause,
  });

/** The other side has no key: one that this side had fetched is used up. */
const theirFailure = (ids: readonly string[] = []): QsecError =>
  new QsecError('KEY_SOURCE_FAILED', 'The other side got no key from its key management entity', {
    details: { reason: 'peer', ...(ids.length > 0 && { usedUp: ids }) },
  });

const refused = (what: string, id: string): QsecError => usedUp(failure('malformed-response', what), [id]);

/** An entity tells neither how its key was made nor how sure it is of it: what is not known is NaN. */
const reportOf = (provenance: Provenance): Report => ({
  pulses: 0,
  detected: 0,
  sifted: 0,
  sampled: 0,
  qber: { z: Number.NaN, x: Number.NaN, combined: Number.NaN, upperBound: Number.NaN },
  method: 'none',
  rounds: 0,
  corrected: 0,
  disclosed: 0,
  verified: true,
  finalBits: AGREED_KEY_BYTES * 8,
  epsilon: { secrecy: Number.NaN, correctness: Number.NaN },
  provenance,
  channel: 'key management entity (ETSI GS QKD 014)',
  spans: {},
});
