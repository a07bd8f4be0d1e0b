import type { Report, StageEvent } from '../bb84/types.ts';
import { QsecError } from '../errors.ts';
import { AGREED_KEY_BYTES, type KeyParty, type KeySource } from '../key-source/types.ts';
import { type Bytes, equalBytes, Reader, utf8, Writer } from '../wire/index.ts';
import { counterNonce, open, seal } from './aead.ts';
import { type HandshakeSecrets, Initiator, type Party, Responder } from './handshake.ts';
import { erase, expandLabel, extract, hash, mac, NOTHING } from './key-schedule.ts';
import { pad, unpad } from './padding.ts';
import { type AgreementPolicy, decodeMemberPolicy } from './policy.ts';

/**
 * Everything between two members until they share confirmed keys: M1–M3, the key agreement's flights under keys from them,
 * and the confirmations M4 and M5.
 *
 * A payload is a sequence of sections, kind u8 | length u32 | bytes, so that the first flight rides with M3 and M4 with the last.
 */

const SECTION = { m1: 1, m2: 2, m3: 3, flight: 4, confirm: 5 } as const;
type SectionKind = (typeof SECTION)[keyof typeof SECTION];

/** Attempts above the threshold, each with fresh bits, before both sides give up. */
const MAX_ATTEMPTS = 3;
const MAX_PULSES = 262_144;

export interface PairingOptions extends Party {
  agreement: AgreementPolicy;
  keySource: KeySource;
  onStage(event: PairingStage): void;
}

export interface PairingStage extends StageEvent {
  attempt: number;
  role: 'alice' | 'bob';
  threshold: number;
}

/** What two members hold when both confirmed. */
export interface PairSecrets {
  sid: Bytes;
  role: 'a' | 'b';
  peer: { identity: Bytes; policy: Bytes };
  /** The root that the pairwise channel and later rekeying descend from. */
  root: Bytes;
  /** H(thF | thQ). */
  transcript: Bytes;
  sas: Bytes;
  /** What the agreement did; absent when both sides went on without one. */
  report: Report | undefined;
}

interface Running {
  attempt: number;
  pulses: number;
  threshold: number;
  party: KeyParty;
  /** Flights of both directions in order, as plaintext: the transcript. */
  flights: Bytes[];
  keys: { quantum: Bytes; a: Bytes; b: Bytes };
}

interface Confirmation {
  secrets: PairSecrets;
  /** What the peer has to send, M4 or M5. */
  expected: Bytes;
}

/**
 * One handshake with one peer, as a state machine: payloads in, payloads out.
 *
 * Whoever carries the payloads can repeat, cut and forge them. What was there before is passed over, what does not prove that it is
 * the peer's is refused and changes nothing, and only what the proven peer did wrong ends the pairing.
 */
export class Pairing {
  readonly #options: PairingOptions;
  #initiator: Initiator | undefined;
  #responder: Responder | undefined;
  #secrets: HandshakeSecrets | undefined;
  #running: Running | undefined;
  #confirmation: Confirmation | undefined;
  #result: PairSecrets | undefined;
  #over = false;

  private constructor(options: PairingOptions) {
    this.#options = { ...options, accept: (peer) => this.#orEnd(async () => options.accept(peer)) };
  }

  /** Begins as A. */
  static async initiate(options: PairingOptions): Promise<{ pairing: Pairing; payload: Bytes }> {
    const pairing = new Pairing(options);
    const initiator = await Initiator.start(pairing.#options);
    pairing.#initiator = initiator;
    return { pairing, payload: section(SECTION.m1, initiator.m1) };
  }

  /** Begins as B with the payload that holds M1. */
  static async respond(options: PairingOptions, payload: Uint8Array): Promise<{ pairing: Pairing; payload: Bytes }> {
    const pairing = new Pairing(options);
    const m1 = firstM1(payload);
    if (m1 === undefined) throw refused('A handshake has to begin with M1.');
    const responder = await Responder.answer(pairing.#options, m1);
    pairing.#responder = responder;
    return { pairing, payload: section(SECTION.m2, responder.m2) };
  }

  get sid(): Bytes {
    return (this.#initiator?.sid ?? this.#responder?.sid) as Bytes;
  }

  /** Set once both sides confirmed. */
  get result(): PairSecrets | undefined {
    return this.#result;
  }

  /** Whether an error of {@link receive} was the end; otherwise the payload was refused and the pairing goes on. */
  get over(): boolean {
    return this.#over;
  }

  /**
   * Takes what the peer sent and returns what to answer, if anything.
   * @throws {QsecError} `HANDSHAKE_FAILED` when a payload does not prove to be the peer's; `QBER_EXCEEDED`, `KEY_TOO_SHORT`,
   *   `RECONCILIATION_FAILED`, `VERIFICATION_FAILED`, `KEY_SOURCE_FAILED` when a required agreement failed. Only if {@link over} is
   *   set is this the end; `lastWords` of the error's details, if present, still has to reach the peer then.
   */
  async receive(payload: Uint8Array): Promise<Bytes | undefined> {
    if (this.#over) throw refused('This handshake is over.');
    const answers: Bytes[] = [];
    for (const { kind, content } of sections(payload)) answers.push(...(await this.#receiveSection(kind, content)));
    return answers.length === 0 ? undefined : joined(answers);
  }

  /** Overwrites the secrets of a pairing that is given up. */
  destroy(): void {
    this.#over = true;
    this.#initiator?.destroy();
    this.#forget();
  }

  async #receiveSection(kind: SectionKind, content: Bytes): Promise<Bytes[]> {
    switch (kind) {
      case SECTION.m2:
        return this.#receiveM2(content);
      case SECTION.m3:
        return this.#receiveM3(content);
      case SECTION.flight:
        return this.#receiveFlight(content);
      case SECTION.confirm:
        return this.#receiveConfirmation(content);
      default:
        throw refused('The handshake message came out of turn.');
    }
  }

  async #receiveM2(m2: Bytes): Promise<Bytes[]> {
    if (!this.#initiator) throw refused('M2 came out of turn.');
    if (this.#secrets || this.#result) return [];
    const { m3, secrets } = await this.#initiator.receiveM2(m2);
    this.#secrets = secrets;
    return this.#orEnd(async () => [section(SECTION.m3, m3), ...(await this.#startAttempt(1, this.#options.agreement.pulses))]);
  }

  async #receiveM3(m3: Bytes): Promise<Bytes[]> {
    if (!this.#responder) throw refused('M3 came out of turn.');
    if (this.#secrets || this.#result) return [];
    const secrets = await this.#responder.receiveM3(m3);
    this.#secrets = secrets;
    return this.#orEnd(async () => this.#startAttempt(1, decodeMemberPolicy(secrets.policyA).agreement.pulses));
  }

  /** Alice's side of an attempt begins with the pulses; Bob's waits for them. */
  async #startAttempt(attempt: number, pulses: number): Promise<Bytes[]> {
    const secrets = this.#handshaken();
    const { keySource, agreement, onStage } = this.#options;
    const theirs = decodeMemberPolicy(secrets.peer.policy).agreement;
    if (theirs.source !== agreement.source) {
      throw new QsecError(
        'KEY_SOURCE_FAILED',
        `This side takes its keys from ${agreement.source}, the other from ${theirs.source}.`,
      );
    }
    if (pulses > MAX_PULSES) throw refused(`The other side wants to send ${pulses} pulses; at most ${MAX_PULSES} are taken.`);
    const threshold = Math.min(agreement.threshold, theirs.threshold);
    const role = secrets.role === 'a' ? 'alice' : 'bob';
    const party = keySource[role]({ pulses, threshold });
    party.on('stage', (event) => onStage({ ...event, attempt, role, threshold }));

    const context = new Writer().fixed(secrets.thF).u8(attempt).bytes();
    const keys = {
      quantum: expandLabel(secrets.hs, 'qc', context),
      a: expandLabel(secrets.hs, 'bb a', context),
      b: expandLabel(secrets.hs, 'bb b', context),
    };
    this.#running = { attempt, pulses, threshold, party, flights: [], keys };
    return role === 'alice' ? this.#advance(undefined) : [];
  }

  async #receiveFlight(content: Bytes): Promise<Bytes[]> {
    if (this.#result) return [];
    const running = this.#running;
    if (!running) throw refused('A flight of the key agreement came out of turn.');
    const reader = new Reader(content);
    const attempt = reader.u8();
    const number = reader.u8();
    const next = running.flights.length + 1;
    if (attempt < running.attempt || (attempt === running.attempt && number < next)) return [];
    if (attempt !== running.attempt || number !== next) throw refused('A flight came out of order.');
    const flight = await this.#openFlight(running, number, reader.rest());
    return this.#orEnd(async () => this.#advance(flight));
  }

  /** Feeds a flight to our party of the agreement, sends its answer, and draws the conclusion when it is finished. */
  async #advance(flight: Bytes | undefined): Promise<Bytes[]> {
    const running = this.#running as Running;
    if (flight) running.flights.push(flight);
    const answer = await running.party.next(flight);
    const answers: Bytes[] = [];
    if (answer) {
      running.flights.push(answer.slice());
      answers.push(section(SECTION.flight, await this.#sealFlight(running, running.flights.length, answer)));
    }
    const { result, failure } = running.party;
    if (failure) return [...answers, ...(await this.#conclude(failure, answers))];
    if (result) return [...answers, ...this.#confirm(running, result.key, result.report)];
    return answers;
  }

  /** An agreement that both sides dropped: again with fresh bits, on without it where both allow that, or the end. */
  async #conclude(failure: QsecError, lastWords: Bytes[]): Promise<Bytes[]> {
    const running = this.#running as Running;
    const pulses = nextAttempt(failure, running);
    if (pulses !== undefined) return this.#startAttempt(running.attempt + 1, pulses);

    const secrets = this.#handshaken();
    const required = [secrets.policyA, secrets.policyB].some((policy) => decodeMemberPolicy(policy).agreement.required);
    if (!required) return this.#confirm(running, new Uint8Array(AGREED_KEY_BYTES), undefined);
    this.#forget();
    throw new QsecError(failure.code, failure.message, {
      cause: failure,
      details: { ...failure.details, ...(lastWords.length > 0 && { lastWords: joined(lastWords) }) },
    });
  }

  #confirm(running: Running, key: Bytes | Uint8Array, report: Report | undefined): Bytes[] {
    const { role, sid, hs, thF, peer, policyA, policyB, sas } = this.#handshaken();
    if (key.length !== AGREED_KEY_BYTES)
      throw refused(`The key agreement gave ${key.length} bytes instead of ${AGREED_KEY_BYTES}.`);
    const thQ = new Writer();
    for (const flight of running.flights) thQ.variable(flight);
    thQ
      .u8(running.attempt)
      .u32(running.party.errors)
      .u32(running.party.sampled)
      .text(this.#options.keySource.provenance)
      .text(running.party.keyId ?? '')
      .variable(policyA)
      .variable(policyB);
    const transcript = hash(thF, hash(thQ.bytes()));
    const master = extract(expandLabel(hs, 'derived', NOTHING), key);
    const m4 = mac(expandLabel(master, 'confirm b', transcript), utf8('M4'));
    const m5 = mac(expandLabel(master, 'confirm a', transcript), utf8('M5'));
    const root = expandLabel(master, 'pair root', transcript);
    erase(master, key);

    const secrets = { sid, role, peer, root, transcript, sas, report };
    this.#confirmation = { secrets, expected: role === 'a' ? m4 : m5 };
    this.#m5 = m5;
    return role === 'b' ? [section(SECTION.confirm, m4)] : [];
  }

  #m5: Bytes | undefined;

  #receiveConfirmation(content: Bytes): Bytes[] {
    if (this.#result) return [];
    const confirmation = this.#confirmation;
    if (!confirmation) throw refused('A confirmation came out of turn.');
    if (!equalBytes(content, confirmation.expected)) throw refused('The other side ended with another key.');
    this.#result = confirmation.secrets;
    const answer = confirmation.secrets.role === 'a' ? [section(SECTION.confirm, this.#m5 as Bytes)] : [];
    this.#forget();
    return answer;
  }

  async #sealFlight(running: Running, number: number, flight: Uint8Array): Promise<Bytes> {
    const { key, nonce } = flightKey(running, number);
    const padded = pad(flight, 4 + this.#options.keySource.flightBound(number, running.pulses));
    const header = flightHeader(running.attempt, number);
    return new Writer()
      .fixed(header)
      .fixed(await seal(key, nonce, padded, header))
      .bytes();
  }

  async #openFlight(running: Running, number: number, box: Bytes): Promise<Bytes> {
    const { key, nonce } = flightKey(running, number);
    return unpad(await open(key, nonce, box, flightHeader(running.attempt, number))).slice();
  }

  /** Does what follows from a proven message of the peer: an error there is the end of the pairing. */
  async #orEnd<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  #handshaken(): HandshakeSecrets {
    if (!this.#secrets) throw refused('The handshake is not that far.');
    return this.#secrets;
  }

  /** Overwrites what only the handshake needed. */
  #forget(): void {
    if (this.#running) erase(this.#running.keys.quantum, this.#running.keys.a, this.#running.keys.b, ...this.#running.flights);
    erase(this.#secrets?.hs);
    this.#running = undefined;
    this.#secrets = undefined;
    this.#confirmation = undefined;
    this.#m5 = undefined;
  }
}

/** The pulses have a key of their own; afterwards the sides take turns, A on the odd flights, each counting its own from 0. */
function flightKey({ keys }: Running, number: number): { key: Bytes; nonce: Bytes } {
  if (number === 1) return { key: keys.quantum, nonce: counterNonce(0) };
  return { key: number % 2 === 1 ? keys.a : keys.b, nonce: counterNonce(Math.floor(number / 2) - 1) };
}

/**
 * With how many pulses to try again, or undefined to give up. Both sides compute the same from the same verdict.
 * Too few secret bits is retried once with twice the pulses; everything else up to three times with fresh bits.
 */
function nextAttempt({ code }: QsecError, { attempt, pulses }: { attempt: number; pulses: number }): number | undefined {
  if (code === 'KEY_TOO_SHORT') return attempt === 1 && pulses * 2 <= MAX_PULSES ? pulses * 2 : undefined;
  if (code === 'KEY_SOURCE_FAILED') return undefined;
  return attempt < MAX_ATTEMPTS ? pulses : undefined;
}

const flightHeader = (attempt: number, number: number): Bytes => new Uint8Array([attempt, number]) as Bytes;

const section = (kind: SectionKind, content: Uint8Array): Bytes => new Writer().u8(kind).variable(content).bytes();

function* sections(payload: Uint8Array): Generator<{ kind: SectionKind; content: Bytes }> {
  const reader = new Reader(payload);
  const kinds: readonly number[] = Object.values(SECTION);
  while (reader.remaining > 0) {
    const kind = reader.u8();
    if (!kinds.includes(kind)) throw refused(`A handshake section of unknown kind ${kind}.`);
    yield { kind: kind as SectionKind, content: reader.variable() };
  }
}

/** M1 when the payload begins with it, else undefined. */
export function firstM1(payload: Uint8Array): Bytes | undefined {
  const first = sections(payload).next();
  return !first.done && first.value.kind === SECTION.m1 ? first.value.content : undefined;
}

const joined = (parts: readonly Bytes[]): Bytes => parts.reduce((writer, part) => writer.fixed(part), new Writer()).bytes();

const refused = (message: string): QsecError => new QsecError('HANDSHAKE_FAILED', message);
