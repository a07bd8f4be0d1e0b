import type { Report, StageEvent } from '../bb84/types.ts';
import { QsecError } from '../errors.ts';
import { AGREED_KEY_BYTES, type KeyParameters, type KeyParty, type KeySource } from '../key-source/types.ts';
import { type VersionDifference, versionMismatch } from '../version.ts';
import { type Bytes, Reader, Writer } from '../wire/index.ts';
import { counterNonce, open, seal } from './aead.ts';
import { erase, expandLabel } from './key-schedule.ts';
import { pad, unpad } from './padding.ts';
import type { AgreementPolicy } from './policy.ts';
import { sourceFault, sourceStep } from './source-fault.ts';

/**
 * A key agreement between two members who share a secret already: its flights travel under keys from that secret, padded to sizes
 * that depend on the pulse count alone, and an attempt that both sides drop is followed by another with fresh bits.
 *
 * A flight: attempt u8 | number u8 | box. The header is the box's additional data.
 */

/** Attempts above the threshold, each with fresh bits, before both sides give up. */
const MAX_ATTEMPTS = 3;
const MAX_PULSES = 262_144;

export interface AgreementOptions {
  /** What the keys of the flights descend from. */
  secret: Bytes;
  /** Hash of everything the two said so far. */
  transcript: Bytes;
  /** Who shook hands first sends the pulses. */
  role: 'alice' | 'bob';
  own: AgreementPolicy;
  theirs: AgreementPolicy;
  keySource: KeySource;
  onStage(event: AgreementStage): void;
}

export interface AgreementStage extends StageEvent {
  /** From 1. */
  attempt: number;
  role: 'alice' | 'bob';
  threshold: number;
}

/** How an agreement ended. */
export interface AgreementOutcome {
  /** K_qkd: 32 bytes, zeros when both sides go on without an agreement. */
  key: Uint8Array;
  /** Absent when both sides go on without. */
  report: Report | undefined;
  /** Hash over the flights of the last attempt and what both sides counted. */
  transcript: Bytes;
}

export interface AgreementStep {
  /** What to send to the peer, in order. */
  flights: Bytes[];
  /** Set when this side is finished. */
  outcome?: AgreementOutcome;
  /** Set when both sides gave up and one of them demands an agreement. The flights still have to reach the peer. */
  failure?: QsecError;
}

interface Attempt {
  number: number;
  pulses: number;
  party: KeyParty;
  /** Flights of both directions in order, as plaintext: the transcript. */
  flights: Bytes[];
  keys: { quantum: Bytes; a: Bytes; b: Bytes };
}

export class Agreement {
  readonly #options: AgreementOptions;
  #attempt: Attempt;
  #broken = false;

  private constructor(options: AgreementOptions) {
    const { own, theirs, role } = options;
    if (theirs.source !== own.source) {
      throw new QsecError('KEY_SOURCE_FAILED', `This side takes its keys from ${own.source}, the other from ${theirs.source}.`);
    }
    this.#options = options;
    this.#attempt = this.#begin(1, (role === 'alice' ? own : theirs).pulses);
  }

  /** Alice's first step holds the pulses; Bob's is empty. */
  static async start(options: AgreementOptions): Promise<{ agreement: Agreement; step: AgreementStep }> {
    const agreement = new Agreement(options);
    return { agreement, step: await agreement.#send([]) };
  }

  /**
   * Takes a flight of the peer. One that was there before gives an empty step.
   * @throws {QsecError} `HANDSHAKE_FAILED` for one that is out of order or not the peer's: nothing has changed then
   */
  async receive(content: Bytes): Promise<AgreementStep> {
    const reader = new Reader(content);
    const attempt = reader.u8();
    const number = reader.u8();
    const { number: current, flights } = this.#attempt;
    const next = flights.length + 1;
    if (attempt < current || (attempt === current && number < next)) return { flights: [] };
    // A box of another attempt would not open either; the peer's own, too early, would break the agreement in the key source.
    if (attempt !== current || number !== next) throw refused('A flight came out of order.');
    const flight = await this.#open(number, reader.rest());
    try {
      return await this.#advance(flight, []);
    } catch (error) {
      this.#broken = true;
      const other = QsecError.is(error) && (error.details.version as VersionDifference | undefined);
      throw other ? versionMismatch(other) : error;
    }
  }

  /** Whether the proven peer sent what no honest one sends: nothing can follow. */
  get broken(): boolean {
    return this.#broken;
  }

  /** Overwrites the keys and what was sent under them. */
  destroy(): void {
    const { keys, flights } = this.#attempt;
    erase(keys.quantum, keys.a, keys.b, ...flights);
  }

  #begin(number: number, pulses: number): Attempt {
    const { secret, transcript, role, own, theirs, onStage } = this.#options;
    if (pulses > MAX_PULSES) throw refused(`The other side wants to send ${pulses} pulses; at most ${MAX_PULSES} are taken.`);
    const threshold = Math.min(own.threshold, theirs.threshold);
    const party = this.#party({ pulses, threshold }, (event) => onStage({ ...event, attempt: number, role, threshold }));
    const context = new Writer().fixed(transcript).u8(number).bytes();
    const keys = {
      quantum: expandLabel(secret, 'qc', context),
      a: expandLabel(secret, 'bb a', context),
      b: expandLabel(secret, 'bb b', context),
    };
    return { number, pulses, party, flights: [], keys };
  }

  /** @throws {QsecError} `KEY_SOURCE_FAILED` when the source gives nothing that could take part */
  #party(parameters: KeyParameters, onStage: (event: StageEvent) => void): KeyParty {
    const { keySource, role } = this.#options;
    try {
      const party: Partial<KeyParty> | undefined = keySource[role](parameters);
      if (typeof party?.next === 'function' && typeof party.on === 'function') {
        party.on('stage', onStage);
        return party as KeyParty;
      }
    } catch (cause) {
      throw sourceFault(cause);
    }
    throw sourceFault(`it gave no party that plays ${role}`);
  }

  /** Alice begins an attempt; Bob waits for her. */
  #send(sent: Bytes[]): Promise<AgreementStep> | AgreementStep {
    return this.#options.role === 'alice' ? this.#advance(undefined, sent) : { flights: sent };
  }

  /** Feeds a flight to our party, sends its answer, and draws the conclusion when it is finished. */
  async #advance(flight: Bytes | undefined, sent: Bytes[]): Promise<AgreementStep> {
    const { party, flights } = this.#attempt;
    if (flight) flights.push(flight);
    const answer = await sourceStep(() => party.next(flight), flight !== undefined);
    try {
      if (answer !== undefined && !(answer instanceof Uint8Array)) throw new TypeError('its flight is not bytes');
      if (party.failure && !QsecError.is(party.failure)) throw party.failure;
      if (answer) {
        flights.push(answer.slice());
        sent.push(await this.#seal(flights.length, answer));
      }
      if (party.failure) return await this.#conclude(party.failure, sent);
      if (party.result) return { flights: sent, outcome: await this.#outcome(party.result.key, party.result.report) };
      return { flights: sent };
    } catch (cause) {
      // The peer has no part in it any more: an answer too long to send, a result without a key, a count that is no number.
      throw sourceFault(cause);
    }
  }

  /** An attempt that both sides dropped: again with fresh bits, on without it where both allow that, or the end. */
  async #conclude(failure: QsecError, sent: Bytes[]): Promise<AgreementStep> {
    const { number } = this.#attempt;
    const pulses = nextPulses(failure, this.#attempt);
    if (pulses !== undefined) {
      this.destroy();
      this.#attempt = this.#begin(number + 1, pulses);
      return this.#send(sent);
    }
    const { own, theirs } = this.#options;
    if (own.required || theirs.required) return { flights: sent, failure };
    return { flights: sent, outcome: await this.#outcome(new Uint8Array(AGREED_KEY_BYTES), undefined) };
  }

  async #outcome(key: Uint8Array, report: Report | undefined): Promise<AgreementOutcome> {
    if (key.length !== AGREED_KEY_BYTES)
      throw refused(`The key agreement gave ${key.length} bytes instead of ${AGREED_KEY_BYTES}.`);
    const { flights, number, party } = this.#attempt;
    const said = new Writer();
    for (const flight of flights) said.variable(flight);
    said
      .u8(number)
      .u32(party.errors)
      .u32(party.sampled)
      .text(this.#options.keySource.provenance)
      .text(party.keyId ?? '');
    // The platform's SHA-256: some 20 kB of flights take a script that runs for the first time as long as a step of BB84.
    const transcript = new Uint8Array(await crypto.subtle.digest('SHA-256', said.bytes()));
    return { key, report, transcript };
  }

  async #seal(number: number, flight: Uint8Array): Promise<Bytes> {
    const { number: attempt, pulses } = this.#attempt;
    const { key, nonce } = this.#flightKey(number);
    const header = flightHeader(attempt, number);
    const padded = pad(flight, LENGTH_BYTES + this.#options.keySource.flightBound(number, pulses));
    return new Writer()
      .fixed(header)
      .fixed(await seal(key, nonce, padded, header))
      .bytes();
  }

  async #open(number: number, box: Bytes): Promise<Bytes> {
    const { key, nonce } = this.#flightKey(number);
    return unpad(await open(key, nonce, box, flightHeader(this.#attempt.number, number))).slice();
  }

  /** The pulses have a key of their own; afterwards the sides take turns, A on the odd flights, each counting its own from 0. */
  #flightKey(number: number): { key: Bytes; nonce: Bytes } {
    const { keys } = this.#attempt;
    if (number === 1) return { key: keys.quantum, nonce: counterNonce(0) };
    return { key: number % 2 === 1 ? keys.a : keys.b, nonce: counterNonce(Math.floor(number / 2) - 1) };
  }
}

/** In front of the padded flight. */
const LENGTH_BYTES = 4;

/**
 * With how many pulses to try again, or undefined to give up. Both sides compute the same from the same verdict.
 * Too few secret bits is retried once with twice the pulses; everything else up to three times with fresh bits.
 */
function nextPulses({ code }: QsecError, { number, pulses }: Attempt): number | undefined {
  if (code === 'KEY_TOO_SHORT') return number === 1 && pulses * 2 <= MAX_PULSES ? pulses * 2 : undefined;
  if (code === 'KEY_SOURCE_FAILED') return undefined;
  return number < MAX_ATTEMPTS ? pulses : undefined;
}

const flightHeader = (attempt: number, number: number): Bytes => new Uint8Array([attempt, number]) as Bytes;

const refused = (message: string): QsecError => new QsecError('HANDSHAKE_FAILED', message);
