import { QsecError } from '../errors.ts';
import type { Listener, ListenOptions } from '../events.ts';
import { select } from './bits.ts';
import type { PreparedPulses } from './channel/types.ts';
import { malformed } from './codec.ts';
import { countByIntensity, countOutcome, type DecoyCounts, errorsOf, type SampleCounts, sampledOf } from './counts.ts';
import { estimate, reconciliationRate, verdict } from './estimation.ts';
import {
  decodeDetections,
  decodeReply,
  encodeAnswer,
  encodeDisclosure,
  encodeHello,
  isRunFailure,
  type KeyMaterial,
  type Reply,
} from './flights.ts';
import { decoyReport, secretBits } from './key-length.ts';
import { type AliceOptions, aliceOptions } from './options.ts';
import { keyLengthTerms, tagExcess, tooShort, verified } from './post-processing.ts';
import { toeplitz, toeplitzSeedBits } from './privacy-amplification.ts';
import { randomBits, randomBytes } from './random.ts';
import type { ReconciliationSender } from './reconciliation/types.ts';
import { type AgreementEvents, RunLog } from './run-log.ts';
import { matchMask, partition, preparePulses } from './sifting.ts';
import type { AgreementResult } from './types.ts';
import { tagLength, universalTag } from './verification.ts';

/** Share of the secret bits beyond a fixed key length that the first syndrome may take. */
const SPARE_SHARE = 0.7;

/** What Alice keeps from the disclosure to the end. */
interface Agreed {
  key: Uint8Array;
  bits: number;
  counts: SampleCounts;
  /** Secret bits less those that reconciliation gives away. */
  unspent: number;
  /** How many of them may be given away freely. */
  spare: number;
  keyBits: number;
  seed: Uint8Array;
  sender: ReconciliationSender | undefined;
}

/**
 * The side that sends pulses. Feed each message of Bob's to {@link next} and send what it returns, beginning with `next()`;
 * the run is over when {@link result} or {@link failure} is set. Messages need authentication from outside.
 *
 * @example
 * ```ts
 * const alice = new Alice({ channel: simulatedChannel({ flip: 0.01 }), keyBits: 256 });
 * const bob = new Bob({ keyBits: 256 });
 * let message = alice.next();
 * while (message) { const reply = bob.next(message); message = reply && alice.next(reply); }
 * ```
 */
export class Alice {
  readonly #options: ReturnType<typeof aliceOptions>;
  readonly #terms: ReturnType<typeof keyLengthTerms>;
  readonly #log = new RunLog();
  #pulses: PreparedPulses | undefined;
  #agreed: Agreed | undefined;
  #rounds = 0;
  #sampled = 0;
  #errors = 0;
  #result: AgreementResult | undefined;
  #failure: QsecError | undefined;

  /** @throws QsecError `INVALID_ARGUMENT` when an option is out of range. */
  constructor(options: AliceOptions) {
    this.#options = aliceOptions(options);
    const { epsilon, bound, zProbability, channel } = this.#options;
    this.#terms = keyLengthTerms({ epsilon, bound, zProbability, intensities: channel.intensities ?? [] });
  }

  /** The key and the report, once Bob confirmed that he has it too. */
  get result(): AgreementResult | undefined {
    return this.#result;
  }

  /** Why the run was aborted, on whichever side. */
  get failure(): QsecError | undefined {
    return this.#failure;
  }

  /** Bits compared in public. */
  get sampled(): number {
    return this.#sampled;
  }

  /** Errors among them. */
  get errors(): number {
    return this.#errors;
  }

  /** Calls `listener` after each stage of this side. Returns a function that unsubscribes. */
  on<K extends keyof AgreementEvents>(name: K, listener: Listener<AgreementEvents[K]>, options?: ListenOptions): () => void {
    return this.#log.on(name, listener, options);
  }

  /**
   * Takes Bob's next message (none at the beginning) and returns the one to send, or undefined when there is none left to send.
   *
   * @throws QsecError `INVALID_ARGUMENT` when the message is malformed or not expected now; the state is then unchanged.
   */
  next(message?: Uint8Array): Uint8Array | undefined {
    if (this.#result || this.#failure) throw malformed('the run is over');
    if (!this.#pulses) {
      if (message !== undefined) throw malformed('Alice speaks first');
      return this.#log.time('pulses', () => this.#hello());
    }
    if (message === undefined) throw malformed('a message of Bob is due');
    if (!this.#agreed) return this.#disclose(this.#pulses, message);
    return this.#conclude(this.#agreed, decodeReply(message));
  }

  #hello(): Uint8Array {
    const { channel, method, keyBits = 0, ...announced } = this.#options;
    const pulses = preparePulses(announced.pulses, announced.zProbability, channel);
    const { provenance, description, intensities = [] } = channel;
    const transmission = channel.transmit(pulses);
    const message = encodeHello({
      ...announced,
      method: method.name,
      keyBits,
      provenance,
      description,
      intensities,
      transmission,
    });
    this.#pulses = pulses;
    this.#log.done('pulses', { pulses: pulses.count, provenance, channel: description, epsilon: announced.epsilon });
    return message;
  }

  #disclose(pulses: PreparedPulses, message: Uint8Array): Uint8Array {
    const { zOnly, source } = this.#terms;
    const { flight, match, parts, bits } = this.#log.time('sifting', () => {
      const flight = decodeDetections(message, pulses.count, zOnly);
      const match = matchMask(select(pulses.bases, flight.detected), flight.bases, flight.clicks);
      return { flight, match, parts: partition(match, flight.sample), bits: select(pulses.bits, flight.detected) };
    });
    this.#log.done('sifting', { detected: flight.clicks, sifted: parts.tested + parts.kept });

    const testBits = select(bits, parts.test);
    const bobs = select(flight.sampleBits, select(match, flight.sample));
    const { counts, decoy, qber, failure } = this.#log.time('estimation', () => {
      const counts = countOutcome(parts, testBits, bobs, flight.bases);
      const decoy =
        typeof source === 'object' && pulses.classes
          ? countByIntensity(pulses.classes, flight.detected, flight.bases, parts, testBits, bobs)
          : undefined;
      const qber = estimate(counts, this.#terms, decoy);
      return { counts, decoy, qber, failure: verdict(counts, qber, this.#options.threshold) };
    });
    this.#sampled = sampledOf(counts);
    this.#errors = errorsOf(counts);
    this.#log.done('estimation', { sampled: this.#sampled, qber, ...decoyReport(decoy, this.#terms) });
    const traced = Math.min(this.#options.trace, pulses.count);
    const bases = select(pulses.bases, flight.detected);
    this.#log.trace(traced, { detected: flight.detected, bits, bases, match, parts, peerBits: bobs });

    const announced = { match, testBits, ...(decoy && { decoy }) };
    const material = failure ?? this.#keyMaterial(select(bits, parts.key), counts, decoy);
    if (!(material instanceof QsecError)) return encodeDisclosure({ ...announced, verdict: material });
    this.#abort(material);
    return encodeDisclosure({
      ...announced,
      verdict: { failure: isRunFailure(material.code) ? material.code : 'KEY_TOO_SHORT' },
    });
  }

  /** Everything Bob needs to make the key, or the reason why there is none. */
  #keyMaterial(key: Uint8Array, counts: SampleCounts, decoy: DecoyCounts | undefined): KeyMaterial | QsecError {
    const bits = counts.keyZ + counts.keyX;
    const { epsilon, keyBits: wanted } = this.#options;
    // Key and seed together are at most three keys long.
    const tagBytes = tagLength(3 * bits, epsilon.correctness);
    const excess = tagExcess(tagBytes, epsilon.correctness);
    const clean = errorsOf(counts) === 0;
    const unspent = secretBits(counts, this.#terms, excess, decoy);
    // With a fixed key length, secret bits that would be left over are better spent on decoding at once; some are kept for requests.
    const spare = wanted === undefined ? 0 : Math.max(0, SPARE_SHARE * (unspent - wanted));
    const sender = clean ? undefined : this.#sender(key, bits, counts, spare);
    const opening = this.#log.time('reconciliation', () => sender?.first() ?? new Uint8Array(0));
    const possible = Math.max(0, unspent - (sender?.disclosed ?? 0));
    if (possible < (wanted ?? 1)) return tooShort(possible, wanted);
    const keyBits = wanted ?? possible;
    const tagSeed = randomBytes(tagBytes);
    const seed = randomBits(toeplitzSeedBits(key.length, keyBits));
    const tag = this.#log.time('verification', () => universalTag(verified(key, seed), tagSeed));
    this.#agreed = { key, bits, counts, unspent, spare, keyBits, seed, sender };
    this.#rounds = clean ? 0 : 1;
    return { reconcile: !clean, tagSeed, tag, keyBits, toeplitzSeed: seed, opening };
  }

  #sender(key: Uint8Array, bits: number, counts: SampleCounts, spare: number): ReconciliationSender {
    return this.#options.method.sender(key, bits, reconciliationRate(counts, this.#terms), spare);
  }

  #conclude(agreed: Agreed, reply: Reply): Uint8Array | undefined {
    if (reply.kind === 'failure') {
      this.#abort(new QsecError(reply.failure, `Bob ended the run: ${reply.failure}`, { details: this.#facts() }));
      return undefined;
    }
    if (reply.kind === 'request') return this.#answer(agreed, reply.request);
    return this.#finish(agreed, reply.finalBits, reply.corrected);
  }

  #answer(agreed: Agreed, request: Uint8Array): Uint8Array {
    const answer = this.#log.time('reconciliation', () => {
      if (agreed.sender) return agreed.sender.answer(request);
      // The sample showed no error, but Bob's tag differs: reconcile after all.
      if (request.length > 0) throw malformed('a request before there was a syndrome');
      agreed.sender = this.#sender(agreed.key, agreed.bits, agreed.counts, agreed.spare);
      return agreed.sender.first();
    });
    this.#rounds++;
    return encodeAnswer(answer);
  }

  #finish(agreed: Agreed, finalBits: number, corrected: number): undefined {
    const { key, unspent, keyBits, seed, sender } = agreed;
    const disclosed = sender?.disclosed ?? 0;
    const possible = Math.min(keyBits, unspent - disclosed);
    if (finalBits !== possible || finalBits < (this.#options.keyBits ?? 1))
      throw malformed('a key length that is not the one agreed on');
    this.#log.done('reconciliation', {
      method: sender ? this.#options.method.method : 'none',
      rounds: this.#rounds,
      corrected,
      disclosed,
    });
    this.#log.done('verification', { verified: true });
    const final = this.#log.time('amplification', () => toeplitz(key, seed, finalBits));
    this.#log.done('amplification', { finalBits });
    this.#result = { key: final, report: this.#log.report() };
  }

  #facts(): Record<string, unknown> {
    return {
      qber: this.#sampled === 0 ? Number.NaN : this.#errors / this.#sampled,
      threshold: this.#options.threshold,
      errors: this.#errors,
      sampled: this.#sampled,
    };
  }

  #abort(failure: QsecError): void {
    this.#failure = failure;
    this.#log.done('aborted', {});
  }
}
