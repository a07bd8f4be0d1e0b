import type { QsecErrorCode } from '../errors.ts';
import { and, byteLength, forEachOne, getBit, ones, popcount, setBit } from './bits.ts';
import { decodeTransmission, encodeTransmission } from './channel/encoding.ts';
import type { Intensity, Transmission } from './channel/types.ts';
import { malformed, otherVersion, Reader, Writer } from './codec.ts';
import type { DecoyCounts } from './counts.ts';
import type { SamplingBound } from './finite-key.ts';
import { MOST_PULSES } from './limits.ts';
import { type Epsilon, LEAST_CORRECTNESS, Z_PROBABILITY } from './options.ts';
import { packDigits, packedLength, unpackDigits } from './radix.ts';
import { SAMPLE_SEED_BYTES, sampleMask } from './sifting.ts';
import type { Provenance } from './types.ts';

/*
 * The messages of a run. Alice sends the odd ones. Flights 5 and 6 repeat while reconciliation needs them.
 *
 *   1 hello       what Alice announces, and what left the fibre
 *   2 detections  which pulses Bob detected, in which bases; the sample's seed and his bits there
 *   3 disclosure  matching bases, Alice's bits of the sample, in a decoy run her counts by intensity, and her verdict: a failure,
 *                 or what Bob needs for the key
 *   4 reply       Bob's verdict: done, a failure, or a request to reconciliation
 *   5 answer      Alice's answer to a request; then 4 again
 */
export const FORMAT = 2;

/** The failures one side can announce to the other, by their number on the wire. */
const FAILURES = ['QBER_EXCEEDED', 'KEY_TOO_SHORT', 'RECONCILIATION_FAILED', 'VERIFICATION_FAILED'] as const;
export type RunFailure = (typeof FAILURES)[number];

/** More classes than this serve no known protocol. */
const MOST_INTENSITIES = 16;

const BOUNDS = ['serfling', 'tight'] as const;
const PROVENANCES = ['simulated', 'hardware'] as const;

export interface Hello {
  pulses: number;
  /** The name of the reconciliation method and its variant. */
  method: string;
  bound: SamplingBound;
  /** 0: all secret bits. */
  keyBits: number;
  epsilon: Epsilon;
  zProbability: number;
  provenance: Provenance;
  /** At most 255 bytes of UTF-8. */
  description: string;
  intensities: readonly Intensity[];
  transmission: Transmission;
}

export interface DetectionsFlight {
  /** Over the pulses. */
  detected: Uint8Array;
  clicks: number;
  /** Over the detected pulses, ones for X. */
  bases: Uint8Array;
  sampleSeed: Uint8Array;
  /** Of 256. */
  fraction: number;
  /** Bob's bits at the sampled pulses, matching bases or not: he cannot know which match. */
  sampleBits: Uint8Array;
}

/** What Alice reads from it: the sample itself, over the detected pulses. */
export type ReceivedDetections = Omit<DetectionsFlight, 'sampleSeed' | 'fraction'> & { sample: Uint8Array };

export interface Disclosure {
  /** Over the detected pulses. */
  match: Uint8Array;
  /** Alice's bits at the compared pulses. */
  testBits: Uint8Array;
  decoy?: DecoyCounts;
  verdict: { failure: RunFailure } | KeyMaterial;
}

/** What Bob needs to make the key, all of it public. */
export interface KeyMaterial {
  /** Whether the keys are still to be made equal; not when the sample showed no error. */
  reconcile: boolean;
  tagSeed: Uint8Array;
  tag: Uint8Array;
  /** Most bits the key can have, which the Toeplitz seed is made for. */
  keyBits: number;
  toeplitzSeed: Uint8Array;
  /** Reconciliation's opening message, empty when there is none. */
  opening: Uint8Array;
}

export type Reply =
  | { kind: 'done'; finalBits: number; corrected: number }
  | { kind: 'failure'; failure: RunFailure }
  | { kind: 'request'; request: Uint8Array };

const indexIn = <T>(list: readonly T[], value: T): number => list.indexOf(value);

function pick<T>(list: readonly T[], index: number, what: string): T {
  const found = list[index];
  if (found === undefined) throw malformed(`unknown ${what}`);
  return found;
}

const open = (message: Uint8Array, flight: number): Reader => {
  const reader = new Reader(message);
  if (reader.u8() !== flight) throw malformed(`expected flight ${flight}`);
  return reader;
};

export const isRunFailure = (code: QsecErrorCode): code is RunFailure => (FAILURES as readonly string[]).includes(code);

/** Cuts `text` to what fits in 255 bytes of UTF-8. */
function shortText(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= 255) return bytes;
  // Decoding and encoding again drops the character that the cut went through.
  return new TextEncoder().encode(new TextDecoder().decode(bytes.subarray(0, 252)).replace(/\uFFFD+$/, ''));
}

export function encodeHello(hello: Hello): Uint8Array {
  const writer = new Writer().u8(1).u8(FORMAT).u32(hello.pulses);
  const method = shortText(hello.method);
  writer.u8(method.length).bytes(method).u8(indexIn(BOUNDS, hello.bound)).u8(indexIn(PROVENANCES, hello.provenance));
  writer.u32(hello.keyBits).f64(hello.epsilon.secrecy).f64(hello.epsilon.correctness).f64(hello.zProbability);
  const text = shortText(hello.description);
  writer.u8(text.length).bytes(text).u8(hello.intensities.length);
  for (const { mean, probability } of hello.intensities) writer.f64(mean).f64(probability);
  return writer.bytes(encodeTransmission(hello.transmission)).finish();
}

/** @param maxPulses nothing larger is decoded. */
export function decodeHello(message: Uint8Array, maxPulses: number): Hello {
  const reader = open(message, 1);
  const format = reader.u8();
  if (format !== FORMAT) throw otherVersion('BB84 messages', format, FORMAT);
  const pulses = reader.u32();
  if (pulses === 0 || pulses > maxPulses) throw malformed(`${pulses} pulses, at most ${maxPulses} are accepted`);
  const method = new TextDecoder().decode(reader.bytes(reader.u8()));
  const bound = pick(BOUNDS, reader.u8(), 'sampling bound');
  const provenance = pick(PROVENANCES, reader.u8(), 'provenance');
  const keyBits = reader.u32();
  if (keyBits > MOST_PULSES) throw malformed('more key bits than any run has');
  const epsilon = { secrecy: reader.f64(Number.MIN_VALUE, 1), correctness: reader.f64(LEAST_CORRECTNESS, 1) };
  const zProbability = reader.f64(Z_PROBABILITY.least, Z_PROBABILITY.most);
  const description = new TextDecoder().decode(reader.bytes(reader.u8()));
  const count = reader.u8();
  if (count > MOST_INTENSITIES) throw malformed('too many intensities');
  const intensities = Array.from({ length: count }, () => ({ mean: reader.f64(0, 100), probability: reader.f64(0, 1) }));
  const transmission = decodeTransmission(reader.rest(), pulses);
  return {
    pulses,
    method,
    bound,
    keyBits,
    epsilon,
    zProbability,
    provenance,
    description,
    intensities,
    transmission,
  };
}

/** Detection and basis of each pulse as one digit: in Z, in X, or (only when some are missing) not at all. */
export function encodeDetections(flight: DetectionsFlight, pulses: number): Uint8Array {
  const { detected, clicks, bases, sampleSeed, fraction, sampleBits } = flight;
  const writer = new Writer().u8(2).u32(clicks);
  if (clicks === pulses) writer.bytes(bases);
  else {
    const digits = new Uint8Array(pulses).fill(2);
    forEachOne(detected, (pulse, found) => {
      digits[pulse] = getBit(bases, found);
    });
    writer.bytes(packDigits(digits, 3));
  }
  return writer.bytes(sampleSeed).u8(fraction).bytes(sampleBits).finish();
}

/** @param zOnly whether only Z carries key, so that all of X is told. */
export function decodeDetections(message: Uint8Array, pulses: number, zOnly: boolean): ReceivedDetections {
  const reader = open(message, 2);
  const clicks = reader.u32();
  if (clicks > pulses) throw malformed('more detections than pulses');
  let detected = ones(pulses);
  let bases = new Uint8Array(byteLength(clicks));
  if (clicks === pulses) bases = reader.bits(pulses) as Uint8Array<ArrayBuffer>;
  else {
    const digits = unpackDigits(reader.bytes(packedLength(pulses, 3)), pulses, 3);
    detected = new Uint8Array(byteLength(pulses));
    let found = 0;
    for (let i = 0; i < pulses; i++) {
      const digit = digits[i] as number;
      if (digit === 2) continue;
      if (found === clicks) throw malformed('more detections than announced');
      setBit(detected, i);
      if (digit === 1) setBit(bases, found);
      found++;
    }
    if (found !== clicks) throw malformed('fewer detections than announced');
  }
  const sample = sampleMask(reader.bytes(SAMPLE_SEED_BYTES), clicks, reader.u8(), bases, zOnly);
  const sampleBits = reader.bits(popcount(sample));
  reader.end();
  return { detected, clicks, bases, sample, sampleBits };
}

/** The counts by intensity in the order of the wire: three of each, u32. */
const DECOY_COUNTS = ['key', 'sampledZ', 'errorsZ', 'sampledX', 'errorsX'] as const;

function readDecoyCounts(reader: Reader): DecoyCounts {
  const three = (): [number, number, number] => [reader.u32(), reader.u32(), reader.u32()];
  return { key: three(), sampledZ: three(), errorsZ: three(), sampledX: three(), errorsX: three() };
}

export function encodeDisclosure({ match, testBits, decoy, verdict }: Disclosure): Uint8Array {
  const failed = 'failure' in verdict;
  const writer = new Writer().u8(3).u8(failed ? 1 + indexIn(FAILURES, verdict.failure) : 0);
  writer.bytes(match).bytes(testBits);
  if (decoy) for (const name of DECOY_COUNTS) for (const count of decoy[name]) writer.u32(count);
  if (failed) return writer.finish();
  writer
    .u8(verdict.reconcile ? 1 : 0)
    .u8(verdict.tag.length)
    .bytes(verdict.tagSeed)
    .bytes(verdict.tag);
  return writer.u32(verdict.keyBits).block(verdict.toeplitzSeed).bytes(verdict.opening).finish();
}

/** @param sample what Bob told of, over the detected pulses. */
export function decodeDisclosure(message: Uint8Array, clicks: number, sample: Uint8Array, decoySource: boolean): Disclosure {
  const reader = open(message, 3);
  const failure = reader.u8();
  const match = reader.bits(clicks);
  const testBits = reader.bits(popcount(and(match, sample)));
  const decoy = decoySource ? { decoy: readDecoyCounts(reader) } : {};
  if (failure !== 0) {
    reader.end();
    return { match, testBits, ...decoy, verdict: { failure: pick(FAILURES, failure - 1, 'failure') } };
  }
  const reconcile = pick([false, true], reader.u8(), 'way to equal keys');
  const tagBytes = reader.u8();
  if (tagBytes < 8 || tagBytes > 64 || tagBytes % 8 !== 0) throw malformed('a verification tag of a wrong length');
  const tagSeed = reader.bytes(tagBytes);
  const tag = reader.bytes(tagBytes);
  const verdict = { reconcile, tagSeed, tag, keyBits: reader.u32(), toeplitzSeed: reader.block(), opening: reader.rest() };
  return { match, testBits, ...decoy, verdict };
}

export function encodeReply(reply: Reply): Uint8Array {
  const writer = new Writer().u8(4);
  if (reply.kind === 'done') return writer.u8(0).u32(reply.finalBits).u32(reply.corrected).finish();
  if (reply.kind === 'request') return writer.u8(255).bytes(reply.request).finish();
  return writer.u8(1 + indexIn(FAILURES, reply.failure)).finish();
}

export function decodeReply(message: Uint8Array): Reply {
  const reader = open(message, 4);
  const status = reader.u8();
  if (status === 255) return { kind: 'request', request: reader.rest() };
  const reply: Reply =
    status === 0
      ? { kind: 'done', finalBits: reader.u32(), corrected: reader.u32() }
      : { kind: 'failure', failure: pick(FAILURES, status - 1, 'failure') };
  reader.end();
  return reply;
}

export const encodeAnswer = (answer: Uint8Array): Uint8Array => new Writer().u8(5).bytes(answer).finish();

export const decodeAnswer = (message: Uint8Array): Uint8Array => open(message, 5).rest();
