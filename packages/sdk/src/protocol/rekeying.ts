import type { Report } from '../bb84/types.ts';
import { QsecError } from '../errors.ts';
import type { KeySource } from '../key-source/types.ts';
import { type Bytes, equalBytes, Reader, utf8, Writer } from '../wire/index.ts';
import { Agreement, type AgreementStage, type AgreementStep } from './agreement.ts';
import { erase, expandLabel, extract, hash, mac, NOTHING } from './key-schedule.ts';
import type { AgreementPolicy } from './policy.ts';
import { encapsulate, generateKeyPair, type KeyPair } from './x-wing.ts';

/**
 * A fresh root for two members who share one: who stole their state before cannot follow.
 *
 * R1 (A→B) pair epoch u32 | full u8 | X-Wing public key;  R2 (B→A) ciphertext;  with `full`, the flights of a key agreement;
 * then B's MAC and R3, A's MAC. Everything travels in the pairwise channel, section by section like a handshake.
 *
 *   th    = H(R1 | R2)
 *   mid   = Extract(EL(rekey secret, "rekey", th), ss')
 *   root' = light: EL(mid, "pair root", th);  full: EL(Extract(EL(mid, "derived"), K_qkd'), "pair root", H(th | thQ'))
 */

const SECTION = { r1: 1, r2: 2, flight: 3, confirm: 4 } as const;
type SectionKind = (typeof SECTION)[keyof typeof SECTION];

export interface RekeyingOptions {
  role: 'a' | 'b';
  /** Number of the pair epoch to come. */
  epoch: number;
  /** Descends from the present root and leads to nothing sealed so far; {@link PairChannel.rekeySecret}. */
  secret: Bytes;
  agreement: { own: AgreementPolicy; theirs: AgreementPolicy };
  keySource: KeySource;
  onStage(event: AgreementStage): void;
}

export interface RekeyingResult {
  epoch: number;
  root: Bytes;
  transcript: Bytes;
  /** Of the key agreement; absent for a light rekeying, or a full one whose agreement was refused. */
  report: Report | undefined;
  /** Why a full rekeying went on without its agreement. */
  refusal: QsecError | undefined;
}

export interface RekeyingStep {
  /** What to send to the peer, if anything. */
  payload?: Bytes;
  /** B: frames of the new epoch may come from now on. A: it is used from now on. */
  result?: RekeyingResult;
  /** B: A confirmed, and the new epoch is used from now on. */
  confirmed?: boolean;
}

/** One rekeying of one pair, on one side. */
export class Rekeying {
  readonly #options: RekeyingOptions;
  readonly epoch: number;
  /** What A holds until R2. */
  #begun: { keyPair: KeyPair; r1: Bytes } | undefined;
  #th: Bytes | undefined;
  #mid: Bytes | undefined;
  #agreement: Agreement | undefined;
  #macs: { a: Bytes; b: Bytes } | undefined;
  #result: RekeyingResult | undefined;

  private constructor(options: RekeyingOptions) {
    this.#options = options;
    this.epoch = options.epoch;
  }

  /** A begins. */
  static async initiate(options: RekeyingOptions, full: boolean): Promise<{ rekeying: Rekeying; payload: Bytes }> {
    const rekeying = new Rekeying(options);
    const keyPair = await generateKeyPair();
    const r1 = new Writer()
      .u32(options.epoch)
      .u8(full ? 1 : 0)
      .fixed(keyPair.publicKey)
      .bytes();
    rekeying.#begun = { keyPair, r1 };
    return { rekeying, payload: section(SECTION.r1, r1) };
  }

  /**
   * B answers the payload that holds R1.
   * @throws {QsecError} `HANDSHAKE_FAILED` for another epoch than the next, or an R1 that does not stand alone; `INVALID_ARGUMENT`
   */
  static async respond(options: RekeyingOptions, payload: Uint8Array): Promise<{ rekeying: Rekeying; step: RekeyingStep }> {
    const rekeying = new Rekeying(options);
    const [first, ...others] = sections(payload);
    if (first?.kind !== SECTION.r1) throw refused('A rekeying has to begin with R1.');
    if (others.length > 0) throw refused('Something was appended to R1.');
    const reader = new Reader(first.content);
    const epoch = reader.u32();
    const full = reader.u8();
    if (full > 1) throw new QsecError('INVALID_ARGUMENT', 'unknown values in R1');
    if (epoch !== options.epoch) throw refused(`The other side begins pair epoch ${epoch}; the next one is ${options.epoch}.`);
    const { ciphertext, sharedSecret } = await encapsulate(reader.rest());
    rekeying.#mix(first.content, ciphertext, sharedSecret);
    const payloads = [section(SECTION.r2, ciphertext)];
    if (full === 1) await rekeying.#agree();
    else payloads.push(...rekeying.#confirm(NOTHING, undefined, undefined));
    return { rekeying, step: rekeying.#step(payloads) };
  }

  /** @throws {QsecError} `HANDSHAKE_FAILED` for what is out of turn or not the peer's, or what the key source refuses */
  async receive(payload: Uint8Array): Promise<RekeyingStep> {
    const payloads: Bytes[] = [];
    let confirmed = false;
    for (const { kind, content } of sections(payload)) {
      if (kind === SECTION.r2) payloads.push(...(await this.#receiveR2(content)));
      else if (kind === SECTION.flight) payloads.push(...(await this.#receiveFlight(content)));
      else if (kind === SECTION.confirm) {
        payloads.push(...this.#receiveConfirmation(content));
        confirmed = true;
      } else throw refused('R1 came in the middle of a rekeying.');
    }
    return this.#step(payloads, confirmed);
  }

  destroy(): void {
    this.#agreement?.destroy();
    this.#begun?.keyPair.destroy();
    erase(this.#mid, this.#macs?.a, this.#macs?.b);
  }

  async #receiveR2(ciphertext: Bytes): Promise<Bytes[]> {
    if (!this.#begun) throw refused('R2 came out of turn.');
    const { keyPair, r1 } = this.#begun;
    const sharedSecret = await keyPair.decapsulate(ciphertext);
    this.#begun = undefined;
    keyPair.destroy();
    this.#mix(r1, ciphertext, sharedSecret);
    const full = r1[4] === 1;
    return full ? this.#agree() : this.#confirm(NOTHING, undefined, undefined);
  }

  #mix(r1: Bytes, ciphertext: Bytes, sharedSecret: Bytes): void {
    this.#th = hash(r1, ciphertext);
    this.#mid = extract(expandLabel(this.#options.secret, 'rekey', this.#th), sharedSecret);
    erase(sharedSecret);
  }

  async #agree(): Promise<Bytes[]> {
    const { role, agreement, keySource, onStage } = this.#options;
    const started = await Agreement.start({
      secret: this.#mid as Bytes,
      transcript: this.#th as Bytes,
      role: role === 'a' ? 'alice' : 'bob',
      ...agreement,
      keySource,
      onStage,
    });
    this.#agreement = started.agreement;
    return this.#continue(started.step);
  }

  async #receiveFlight(content: Bytes): Promise<Bytes[]> {
    if (!this.#agreement) throw refused('A flight came out of turn.');
    return this.#continue(await this.#agreement.receive(content));
  }

  #continue({ flights, outcome, failure }: AgreementStep): Bytes[] {
    const payloads = flights.map((flight) => section(SECTION.flight, flight));
    if (outcome) payloads.push(...this.#confirm(outcome.key, outcome.transcript, outcome.report));
    // A refused agreement costs no recovery: both sides know of the refusal and do the light rekeying they had begun.
    if (failure) payloads.push(...this.#confirm(NOTHING, undefined, undefined, failure));
    return payloads;
  }

  /** @param key K_qkd', empty without an agreement */
  #confirm(key: Uint8Array, thQ: Bytes | undefined, report: Report | undefined, refusal?: QsecError): Bytes[] {
    const { role } = this.#options;
    const th = this.#th as Bytes;
    const transcript = thQ ? hash(th, thQ) : th;
    const master = thQ ? extract(expandLabel(this.#mid as Bytes, 'derived', NOTHING), key) : (this.#mid as Bytes);
    const root = expandLabel(master, 'pair root', transcript);
    this.#macs = {
      a: mac(expandLabel(root, 'rekey a', transcript), utf8('R3')),
      b: mac(expandLabel(root, 'rekey b', transcript), utf8('R2')),
    };
    this.#result = { epoch: this.epoch, root, transcript, report, refusal };
    erase(master, key);
    return role === 'b' ? [section(SECTION.confirm, this.#macs.b)] : [];
  }

  #receiveConfirmation(content: Bytes): Bytes[] {
    const { role } = this.#options;
    if (!this.#macs) throw refused('A confirmation came out of turn.');
    if (!equalBytes(content, role === 'a' ? this.#macs.b : this.#macs.a))
      throw refused('The other side ended with another root.');
    return role === 'a' ? [section(SECTION.confirm, this.#macs.a)] : [];
  }

  /** A has a result once B confirmed; B, whose MAC goes first, at once. */
  #step(payloads: readonly Bytes[], confirmed = false): RekeyingStep {
    const result = this.#options.role === 'b' || confirmed ? this.#result : undefined;
    if (result) this.#result = undefined;
    return {
      ...(payloads.length > 0 && { payload: payloads.reduce((writer, part) => writer.fixed(part), new Writer()).bytes() }),
      ...(result && { result }),
      ...(confirmed && { confirmed }),
    };
  }
}

/** Whether a payload begins a rekeying. */
export const beginsRekeying = (payload: Uint8Array): boolean => new Reader(payload).u8() === SECTION.r1;

const section = (kind: SectionKind, content: Uint8Array): Bytes => new Writer().u8(kind).variable(content).bytes();

function* sections(payload: Uint8Array): Generator<{ kind: number; content: Bytes }> {
  const reader = new Reader(payload);
  while (reader.remaining > 0) yield { kind: reader.u8(), content: reader.variable() };
}

const refused = (message: string): QsecError => new QsecError('HANDSHAKE_FAILED', message);
