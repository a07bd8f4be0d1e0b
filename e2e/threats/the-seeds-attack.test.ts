import { describe, expect, it } from 'vitest';
import { PLAIN } from '../support/test-build.ts';
import { sessionsIn } from './support/eavesdropper.ts';
import { buildLab, type Lab } from './support/lab.ts';
import { pair } from './support/people.ts';
import { converseAsTheSeed, readAsTheRelay } from './support/seed-exchange.ts';
import { OBSERVE, observed } from './support/sources.ts';

/** A passive relay computes the key from what passes through it: from the seed's exchange, and from ours. */

describe('the seed’s exchange', () => {
  it('gives its key to the relay in a moment', () => {
    const passed = converseAsTheSeed('nobody else can read this');
    const began = performance.now();
    expect(readAsTheRelay(passed)).toEqual(['nobody else can read this']);
    expect(performance.now() - began).toBeLessThan(500);
  });
});

/** What the relay makes of the flights it carries, taken for what an engine writes when nothing seals it: K_qkd, or undefined. */
function computeKey(lab: Lab, flights: readonly Buffer[]): Buffer | undefined {
  const { decodeHello, decodeDetections, decodeDisclosure, keyLengthTerms, partition, select, toeplitz } = lab.engine;
  const plain = flights.map((flight) => {
    const padded = flight.subarray(2, -16);
    return new Uint8Array(padded.subarray(4, 4 + padded.readUInt32BE(0)));
  });
  try {
    const hello = decodeHello(plain[0] as Uint8Array, 262_144);
    const { states } = hello.transmission;
    const detections = decodeDetections(plain[1] as Uint8Array, hello.pulses, keyLengthTerms(hello).zOnly);
    const disclosure = decodeDisclosure(plain[2] as Uint8Array, detections.clicks, detections.sample, false);
    if (!states || 'failure' in disclosure.verdict) return undefined;
    const { key } = partition(disclosure.match, detections.sample);
    const sifted = select(select(states.bits, detections.detected), key);
    return Buffer.from(toeplitz(sifted, disclosure.verdict.toeplitzSeed, 256));
  } catch (error) {
    // Noise is no flight: that is what a sealed one looks like.
    if (lab.QsecError.is(error, 'INVALID_ARGUMENT') || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Whether the relay's key is the one that the two agreed, in a run over a channel without noise. */
async function relayComputesKey(lab: Lab): Promise<boolean> {
  globalThis.__qsec2Observed = [];
  const relay = new lab.testing.HostileRelay();
  await pair(lab, relay, { keyAgreement: { channel: lab.bb84.simulatedChannel({ flip: 0 }) } });
  const [session] = sessionsIn(relay.captured);
  if (!session || session.flights.length < 3) throw new Error('the relay carried no key agreement');
  const computed = computeKey(lab, session.flights);
  return observed('agreed key').some((key) => computed?.equals(key));
}

describe('ours', () => {
  it('gives the relay nothing to compute with', async () => {
    expect(await relayComputesKey(await buildLab({ edits: OBSERVE }))).toBe(false);
  });

  it('would give it the key of the run, if its flights were not sealed', async () => {
    expect(await relayComputesKey(await buildLab({ edits: OBSERVE, replacements: PLAIN }))).toBe(true);
  });
});
