import type { Report } from '../bb84/types.ts';
import { QsecError } from '../errors.ts';
import type { KeySource } from '../key-source/types.ts';
import { type Bytes, equalBytes, Reader, utf8, Writer } from '../wire/index.ts';
import { counterNonce, open, seal } from './aead.ts';
import { Agreement, type AgreementOutcome, type AgreementStage, type AgreementStep } from './agreement.ts';
import { type HandshakeSecrets, Initiator, type Party, Responder } from './handshake.ts';
import { erase, expandLabel, extract, hash, mac, NOTHING } from './key-schedule.ts';
import { type AgreementPolicy, decodeMemberPolicy } from './policy.ts';

/**
 * Everything between two members until they share confirmed keys: M1–M3, the key agreement's flights under keys from them,
 * and the confirmations M4 and M5.
 *
 * A payload is a sequence of sections, kind u8 | length u32 | bytes, so that the first flight rides with M3 and M4 with the last.
 */

const SECTION = { m1: 1, m2: 2, m3: 3, flight: 4, confirm: 5, end: 6 } as const;
type SectionKind = (typeof SECTION)[keyof typeof SECTION];

export interface PairingOptions extends Party {
  agreement: AgreementPolicy;
  keySource: KeySource;
  onStage(event: AgreementStage): void;
}

/** What two members hold when both confirmed. */
export interface PairSecrets {
  sid: Bytes;
  role: 'a' | 'b';
  peer: { identity: Bytes; policy: Bytes };
  /** What we told the peer about ourselves and the room. */
  shown: Bytes;
  /** The root that the pairwise channel and later rekeying descend from. */
  root: Bytes;
  /** H(thF | thQ). */
  transcript: Bytes;
  sas: Bytes;
  /** What the agreement did; absent when both sides went on without one. */
  report: Report | undefined;
}

interface Confirmation {
  secrets: PairSecrets;
  m4: Bytes;
  m5: Bytes;
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
  #agreement: Agreement | undefined;
  #confirmation: Confirmation | undefined;
  #result: PairSecrets | undefined;
  #over = false;
  /** To what was taken and not answered yet: a relay may append to a genuine payload what is refused. */
  readonly #answers: Bytes[] = [];

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

  /** Whether the peer proved in this handshake that it is there, now. */
  get proven(): boolean {
    return this.#secrets !== undefined || this.#result !== undefined;
  }

  /** Identity of a peer that proved itself and with whom nothing is confirmed yet. */
  get proving(): Bytes | undefined {
    return this.#secrets?.peer.identity;
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
    for (const { kind, content } of sections(payload)) this.#answers.push(...(await this.#receiveSection(kind, content)));
    const answers = this.#answers.splice(0);
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
      case SECTION.end:
        return this.#receiveEnd(content);
      default:
        throw refused('The handshake message came out of turn.');
    }
  }

  async #receiveM2(m2: Bytes): Promise<Bytes[]> {
    if (!this.#initiator) throw refused('M2 came out of turn.');
    if (this.#secrets || this.#result) return [];
    const { m3, secrets } = await this.#initiator.receiveM2(m2);
    this.#secrets = secrets;
    return this.#orTell([section(SECTION.m3, m3)], (before) => this.#agree(secrets, before));
  }

  async #receiveM3(m3: Bytes): Promise<Bytes[]> {
    if (!this.#responder) throw refused('M3 came out of turn.');
    if (this.#secrets || this.#result) return [];
    const secrets = await this.#responder.receiveM3(m3);
    this.#secrets = secrets;
    return this.#orTell([], (before) => this.#agree(secrets, before));
  }

  async #agree({ hs, thF, role, peer }: HandshakeSecrets, before: Bytes[]): Promise<Bytes[]> {
    const { keySource, agreement: own, onStage } = this.#options;
    const { agreement, step } = await Agreement.start({
      secret: hs,
      transcript: thF,
      role: role === 'a' ? 'alice' : 'bob',
      own,
      theirs: decodeMemberPolicy(peer.policy).agreement,
      keySource,
      onStage,
    });
    this.#agreement = agreement;
    return this.#continue(step, before);
  }

  async #receiveFlight(content: Bytes): Promise<Bytes[]> {
    if (this.#result) return [];
    const agreement = this.#agreement;
    if (!agreement) throw refused('A flight of the key agreement came out of turn.');
    try {
      return this.#continue(await agreement.receive(content));
    } catch (error) {
      throw agreement.broken ? await this.#ended(error, []) : error;
    }
  }

  /** Packs what the agreement has to say behind what goes before, and confirms or ends when it is finished. */
  #continue({ flights, outcome, failure }: AgreementStep, before: Bytes[] = []): Bytes[] {
    const answers = [...before, ...flights.map((flight) => section(SECTION.flight, flight))];
    if (outcome) answers.push(...this.#confirm(outcome));
    if (!failure) return answers;
    this.destroy();
    throw new QsecError(failure.code, failure.message, {
      cause: failure,
      details: { ...failure.details, ...(answers.length > 0 && { lastWords: joined(answers) }) },
    });
  }

  #confirm({ key, report, transcript: said }: AgreementOutcome): Bytes[] {
    const { role, sid, hs, thF, peer, policyA, policyB, sas } = this.#handshaken();
    const thQ = hash(new Writer().fixed(said).variable(policyA).variable(policyB).bytes());
    const transcript = hash(thF, thQ);
    const master = extract(expandLabel(hs, 'derived', NOTHING), key);
    const m4 = mac(expandLabel(master, 'confirm b', transcript), utf8('M4'));
    const m5 = mac(expandLabel(master, 'confirm a', transcript), utf8('M5'));
    const root = expandLabel(master, 'pair root', transcript);
    erase(master, key);
    const shown = role === 'a' ? policyA : policyB;
    this.#confirmation = { secrets: { sid, role, peer, shown, root, transcript, sas, report }, m4, m5 };
    return role === 'b' ? [section(SECTION.confirm, m4)] : [];
  }

  #receiveConfirmation(content: Bytes): Bytes[] {
    if (this.#result) return [];
    if (!this.#confirmation) throw refused('A confirmation came out of turn.');
    const { secrets, m4, m5 } = this.#confirmation;
    if (!equalBytes(content, secrets.role === 'a' ? m4 : m5)) throw refused('The other side ended with another key.');
    this.#result = secrets;
    this.#forget();
    return secrets.role === 'a' ? [section(SECTION.confirm, m5)] : [];
  }

  /** The proven peer says that it cannot go on. */
  async #receiveEnd(content: Bytes): Promise<Bytes[]> {
    if (this.#result) return [];
    const { hs, thF, role } = this.#handshaken();
    const code = END_CODES[(await open(endKey(hs, thF, role === 'a' ? 'b' : 'a'), counterNonce(0), content, NOTHING))[0] ?? 0];
    this.destroy();
    throw new QsecError(code ?? 'HANDSHAKE_FAILED', 'The other side could not go on with the key agreement.', {
      details: { reason: 'peer' },
    });
  }

  /** Does what follows from the peer's proof; where we cannot, it is told, behind what it waits for. */
  async #orTell(before: Bytes[], step: (before: Bytes[]) => Promise<Bytes[]>): Promise<Bytes[]> {
    try {
      return await step(before);
    } catch (error) {
      throw this.#over ? error : await this.#ended(error, before);
    }
  }

  /** Ends the pairing for a reason that the peer does not know: the error carries what tells it. */
  async #ended(cause: unknown, before: Bytes[]): Promise<QsecError> {
    const { hs, thF, role } = this.#handshaken();
    // Nothing here is known to throw another error: a platform that does must not leave the peer waiting.
    const error = QsecError.is(cause) ? cause : refused('A step of the handshake failed.', cause);
    if (error.code === 'VERSION_MISMATCH') {
      // Said in a frame of its own, which every version reads.
      this.destroy();
      return error;
    }
    const code = Math.max(0, END_CODES.indexOf(error.code as (typeof END_CODES)[number]));
    const word = await seal(endKey(hs, thF, role), counterNonce(0), Uint8Array.of(code) as Bytes, NOTHING);
    this.destroy();
    return new QsecError(error.code, error.message, {
      cause: error,
      details: { ...error.details, lastWords: joined([...before, section(SECTION.end, word)]) },
    });
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
    this.#agreement?.destroy();
    erase(this.#secrets?.hs);
    this.#agreement = undefined;
    this.#secrets = undefined;
    this.#confirmation = undefined;
  }
}

/** Why a side ends: the order fixes the byte on the wire. */
const END_CODES = ['HANDSHAKE_FAILED', 'KEY_SOURCE_FAILED'] as const;

/** Each side says it at most once. */
const endKey = (hs: Bytes, thF: Bytes, role: 'a' | 'b'): Bytes => expandLabel(hs, `end ${role}`, thF);

const section = (kind: SectionKind, content: Uint8Array): Bytes => new Writer().u8(kind).variable(content).bytes();

/** All of them, before any is acted on: a payload that does not decode to its end is refused as a whole. */
function sections(payload: Uint8Array): { kind: SectionKind; content: Bytes }[] {
  const reader = new Reader(payload);
  const kinds: readonly number[] = Object.values(SECTION);
  const found: { kind: SectionKind; content: Bytes }[] = [];
  while (reader.remaining > 0) {
    const kind = reader.u8();
    if (!kinds.includes(kind)) throw refused(`A handshake section of unknown kind ${kind}.`);
    found.push({ kind: kind as SectionKind, content: reader.variable() });
  }
  return found;
}

/** M1 when the payload is one, else undefined. @throws {QsecError} `HANDSHAKE_FAILED` for an M1 that does not stand alone */
export function firstM1(payload: Uint8Array): Bytes | undefined {
  const [first, ...others] = sections(payload);
  if (first?.kind !== SECTION.m1) return undefined;
  if (others.length > 0) throw refused('Something was appended to M1.');
  return first.content;
}

const joined = (parts: readonly Bytes[]): Bytes => parts.reduce((writer, part) => writer.fixed(part), new Writer()).bytes();

const refused = (message: string, cause?: unknown): QsecError => new QsecError('HANDSHAKE_FAILED', message, { cause });
