import { QsecError } from '../errors.ts';
import type { Listener, ListenOptions } from '../events.ts';
import { byteLength, select } from './bits.ts';
import { simulatedReceiver } from './channel/measurement.ts';
import { requireDetections } from './channel/validate.ts';
import { malformed } from './codec.ts';
import { countOutcome, type DecoyCounts, errorsOf, requireSums, type SampleCounts, sampledOf } from './counts.ts';
import { estimate, reconciliationRate, verdict } from './estimation.ts';
import {
  type Disclosure,
  decodeAnswer,
  decodeDisclosure,
  decodeHello,
  encodeDetections,
  encodeReply,
  type Hello,
  isRunFailure,
  type KeyMaterial,
  type RunFailure,
} from './flights.ts';
import { decoyReport, secretBits } from './key-length.ts';
import { type BobOptions, bobOptions } from './options.ts';
import { keyLengthTerms, tagExcess, tooShort, verified } from './post-processing.ts';
import { toeplitz, toeplitzSeedBits } from './privacy-amplification.ts';
import { randomBytes } from './random.ts';
import type { Reconciler, ReconciliationReceiver } from './reconciliation/types.ts';
import { type AgreementEvents, RunLog } from './run-log.ts';
import { drawBases, type Partition, partition, SAMPLE_SEED_BYTES, sampleMask } from './sifting.ts';
import type { AgreementResult, Provenance } from './types.ts';
import { tagLength, universalTag } from './verification.ts';

/** What Bob keeps from the hello on. */
interface Measured {
  hello: Omit<Hello, 'transmission'>;
  terms: ReturnType<typeof keyLengthTerms>;
  method: Reconciler;
  clicks: number;
  /** Over the pulses. */
  detected: Uint8Array;
  /** Over the detected pulses. */
  bits: Uint8Array;
  bases: Uint8Array;
  sample: Uint8Array;
}

/** What Bob keeps from the disclosure to the end. */
interface Correcting {
  key: Uint8Array;
  bits: number;
  counts: SampleCounts;
  decoy: DecoyCounts | undefined;
  material: KeyMaterial;
  receiver: ReconciliationReceiver | undefined;
}

/** The side that measures. Feed each message of Alice's to {@link next} and send what it returns. See `Alice` for an example. */
export class Bob {
  readonly #options: ReturnType<typeof bobOptions>;
  readonly #log = new RunLog();
  #measured: Measured | undefined;
  #correcting: Correcting | undefined;
  #sampled = 0;
  #errors = 0;
  #result: AgreementResult | undefined;
  #failure: QsecError | undefined;

  /** @throws QsecError `INVALID_ARGUMENT` when an option is out of range. */
  constructor(options: BobOptions = {}) {
    this.#options = bobOptions(options);
  }

  /** The key and the report, once the tag showed that both sides hold the same key. */
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
   * Takes Alice's next message and returns the one to send, or undefined when there is none left to send.
   *
   * @throws QsecError `INVALID_ARGUMENT` when the message is malformed or not expected now; the state is then unchanged.
   */
  next(message?: Uint8Array): Uint8Array | undefined {
    if (this.#result || this.#failure) throw malformed('the run is over');
    if (message === undefined) throw malformed('a message of Alice is due');
    if (!this.#measured) return this.#measure(message);
    if (!this.#correcting) return this.#compare(this.#measured, message);
    return this.#continue(this.#measured, this.#correcting, decodeAnswer(message));
  }

  #measure(message: Uint8Array): Uint8Array {
    const { maxPulses, sampleFraction } = this.#options;
    const { hello, terms, method, detections, bases } = this.#log.time('pulses', () => {
      const { transmission, ...hello } = decodeHello(message, maxPulses);
      const receiver = this.#options.receiver ?? simulatedReceiver();
      const described = { ...hello, ...this.#accept(hello, receiver.provenance) };
      const method = this.#options.methods.find(({ name }) => name === hello.method);
      if (!method) throw malformed(`"${hello.method}" is announced to make the keys equal, which this side does not know`);
      const terms = keyLengthTerms(hello);
      const bases = drawBases(hello.pulses, hello.zProbability);
      return {
        hello: described,
        terms,
        method,
        bases,
        detections: requireDetections(receiver.detect(transmission, bases), hello.pulses),
      };
    });
    const { pulses, provenance, description: channel, epsilon } = hello;
    this.#log.done('pulses', { pulses, provenance, channel, epsilon, detected: detections.clicks });

    const { detected, clicks } = detections;
    const fraction = Math.min(255, Math.max(1, Math.round(256 * sampleFraction)));
    const sampleSeed = randomBytes(SAMPLE_SEED_BYTES);
    return this.#log.time('sifting', () => {
      const bits = select(detections.bits, detected);
      const own = select(bases, detected);
      const sample = sampleMask(sampleSeed, clicks, fraction, own, terms.zOnly);
      this.#measured = { hello, terms, method, clicks, detected, bits, bases: own, sample };
      return encodeDetections({ detected, clicks, bases: own, sampleSeed, fraction, sampleBits: select(bits, sample) }, pulses);
    });
  }

  /** Holds what Alice announces against this side's options. Hardware at both ends is what makes a hardware link. */
  #accept({ keyBits, epsilon, provenance, description }: Omit<Hello, 'transmission'>, own: Provenance) {
    const { keyBits: wanted, epsilon: strictest } = this.#options;
    if (wanted !== undefined && keyBits !== wanted)
      throw malformed(`a key of ${keyBits} bits is announced, ${wanted} are expected`);
    if (epsilon.secrecy > strictest.secrecy || epsilon.correctness > strictest.correctness) {
      throw malformed('the announced failure probabilities are larger than this side accepts');
    }
    const hardware = provenance === 'hardware' && own === 'hardware';
    return { provenance: hardware ? ('hardware' as const) : ('simulated' as const), description };
  }

  #compare(measured: Measured, message: Uint8Array): Uint8Array | undefined {
    const { terms, clicks, detected, bits, bases, sample } = measured;
    const { disclosure, parts } = this.#log.time('sifting', () => {
      const disclosure = decodeDisclosure(message, clicks, sample, typeof terms.source === 'object');
      return { disclosure, parts: partition(disclosure.match, sample) };
    });
    const { counts, qber, failure } = this.#log.time('estimation', () => {
      const counts = countOutcome(parts, disclosure.testBits, select(bits, parts.test), bases);
      if (disclosure.decoy) requireSums(disclosure.decoy, counts);
      const qber = estimate(counts, terms, disclosure.decoy);
      return { counts, qber, failure: verdict(counts, qber, this.#options.threshold) };
    });
    const correcting =
      'failure' in disclosure.verdict ? disclosure.verdict.failure : this.#prepare(measured, disclosure, parts, counts, failure);
    // Whatever can be malformed is read before anything is committed.
    const request = failure || typeof correcting === 'string' ? undefined : this.#receive(correcting);
    this.#sampled = sampledOf(counts);
    this.#errors = errorsOf(counts);
    this.#log.done('sifting', { sifted: parts.tested + parts.kept });
    this.#log.done('estimation', { sampled: this.#sampled, qber, ...decoyReport(disclosure.decoy, terms) });
    const traced = Math.min(this.#options.trace, measured.hello.pulses);
    this.#log.trace(traced, { detected, bits, bases, match: disclosure.match, parts, peerBits: disclosure.testBits });
    if (typeof correcting === 'string') return this.#abortedByAlice(correcting, failure);
    if (failure) return this.#abort(failure);
    this.#correcting = correcting;
    return this.#advance(measured, correcting, request);
  }

  /** Gives the message to reconciliation, if there is any; returns its request. */
  #receive({ receiver, material }: Correcting, message = material.opening): Uint8Array | undefined {
    return receiver && this.#log.time('reconciliation', () => receiver.receive(message));
  }

  /** Checks what Alice sent for the key, and makes ready to correct it unless this side has seen too many errors. Throws INVALID_ARGUMENT. */
  #prepare(
    measured: Measured,
    { verdict, decoy }: Disclosure,
    parts: Partition,
    counts: SampleCounts,
    failure: QsecError | undefined,
  ): Correcting {
    const { hello, bits } = measured;
    const material = verdict as KeyMaterial;
    const key = select(bits, parts.key);
    const most = hello.keyBits || parts.kept;
    if (material.keyBits < (hello.keyBits || 1) || material.keyBits > most) throw malformed('a key length out of range');
    if (material.toeplitzSeed.length !== byteLength(toeplitzSeedBits(key.length, material.keyBits)))
      throw malformed('a seed of a wrong length');
    if (material.tag.length !== tagLength(3 * parts.kept, hello.epsilon.correctness)) throw malformed('a tag of a wrong length');
    const correcting = { key, bits: parts.kept, counts, decoy, material };
    if (!material.reconcile) {
      if (material.opening.length > 0) throw malformed('bytes are left over');
      return { ...correcting, receiver: undefined };
    }
    return { ...correcting, receiver: failure ? undefined : this.#receiver(measured, correcting) };
  }

  #receiver(
    { method, terms }: Measured,
    { key, bits, counts }: Pick<Correcting, 'key' | 'bits' | 'counts'>,
  ): ReconciliationReceiver {
    return method.receiver(key, bits, reconciliationRate(counts, terms));
  }

  #continue(measured: Measured, correcting: Correcting, message: Uint8Array): Uint8Array | undefined {
    // The first answer of a run without reconciliation is its opening message.
    const receiver = correcting.receiver ?? this.#receiver(measured, correcting);
    const request = this.#receive({ ...correcting, receiver }, message);
    correcting.receiver = receiver;
    return this.#advance(measured, correcting, request);
  }

  #advance(measured: Measured, correcting: Correcting, request: Uint8Array | undefined): Uint8Array | undefined {
    if (request) return encodeReply({ kind: 'request', request });
    if (!correcting.receiver?.failed) return this.#verify(measured, correcting);
    const text = 'The error correcting code did not converge';
    return this.#abort(new QsecError('RECONCILIATION_FAILED', text, { details: this.#facts() }));
  }

  #verify(measured: Measured, correcting: Correcting): Uint8Array | undefined {
    const { material, receiver, counts, decoy } = correcting;
    const key = receiver?.key ?? correcting.key;
    const tag = this.#log.time('verification', () => universalTag(verified(key, material.toeplitzSeed), material.tagSeed));
    const equal = tag.every((byte, i) => byte === material.tag[i]);
    if (!equal && !receiver) return encodeReply({ kind: 'request', request: new Uint8Array(0) });
    const { disclosed = 0, rounds = 0, corrected = 0 } = receiver ?? {};
    const method = receiver ? measured.method.method : 'none';
    this.#log.done('reconciliation', { method, rounds, corrected, disclosed });
    this.#log.done('verification', { verified: equal });
    if (!equal)
      return this.#abort(new QsecError('VERIFICATION_FAILED', 'The verification tags differ', { details: this.#facts() }));

    const { hello, terms } = measured;
    const excess = tagExcess(tag.length, hello.epsilon.correctness);
    const finalBits = Math.min(material.keyBits, Math.max(0, secretBits(counts, terms, excess, decoy) - disclosed));
    if (finalBits < (hello.keyBits || 1)) return this.#abort(tooShort(finalBits, hello.keyBits || 1));
    const final = this.#log.time('amplification', () => toeplitz(key, material.toeplitzSeed, finalBits));
    this.#log.done('amplification', { finalBits });
    this.#result = { key: final, report: this.#log.report() };
    return encodeReply({ kind: 'done', finalBits, corrected });
  }

  #facts(): Record<string, unknown> {
    return {
      qber: this.#sampled === 0 ? Number.NaN : this.#errors / this.#sampled,
      threshold: this.#options.threshold,
      errors: this.#errors,
      sampled: this.#sampled,
    };
  }

  /** Alice ended the run: nothing is left to send. What this side saw by itself says it best. */
  #abortedByAlice(code: RunFailure, own: QsecError | undefined): undefined {
    const failure = own?.code === code ? own : new QsecError(code, `Alice ended the run: ${code}`, { details: this.#facts() });
    this.#failure = failure;
    this.#log.done('aborted', {});
  }

  #abort(failure: QsecError): Uint8Array {
    this.#failure = failure;
    this.#log.done('aborted', {});
    return encodeReply({ kind: 'failure', failure: isRunFailure(failure.code) ? failure.code : 'RECONCILIATION_FAILED' });
  }
}
