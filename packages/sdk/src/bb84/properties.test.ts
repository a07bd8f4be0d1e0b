import fc from 'fast-check';
import { expect, test } from 'vitest';
import { QsecError } from '../errors.ts';
import { Alice } from './alice.ts';
import { hammingDistance } from './bits.ts';
import { Bob } from './bob.ts';
import { interceptResend, simulatedChannel, weakCoherent } from './channel/index.ts';
import { cascade } from './reconciliation/cascade.ts';
import { withFallback } from './reconciliation/fallback.ts';
import { ldpc } from './reconciliation/ldpc.ts';

const eavesdropper = fc.record({
  fraction: fc.double({ min: 0, max: 1, noNaN: true }),
  basis: fc.constantFrom('random', 'z', 'x', 'breidbart'),
} as const);

const METHODS = [ldpc(), cascade(), cascade({ schedule: 'balanced', leak: 'two-way' }), withFallback(ldpc(), cascade())];

const scenario = fc.record({
  pulses: fc.oneof(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 8000, max: 24_000 })),
  flip: fc.oneof(fc.double({ min: 0, max: 0.05, noNaN: true }), fc.double({ min: 0, max: 0.5, noNaN: true })),
  loss: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
  darkCount: fc.constantFrom(0, 0, 1e-4, 0.02),
  attack: fc.option(eavesdropper, { nil: undefined }),
  method: fc.constantFrom(...METHODS),
  bound: fc.constantFrom('tight', 'serfling'),
  zProbability: fc.constantFrom(0.5, 0.5, 0.8),
  keyBits: fc.constantFrom(undefined, undefined, 128),
  sampleFraction: fc.constantFrom(0.1, 5 / 16, 0.6),
} as const);

/** Runs both sides to the end. */
function converse(alice: Alice, bob: Bob): void {
  for (let message = alice.next(); message; ) {
    const reply = bob.next(message);
    message = reply && alice.next(reply);
  }
}

test('over any channel the keys are equal or both sides hold the same typed failure; never a key above the threshold', () => {
  const outcomes = { key: 0, QBER_EXCEEDED: 0, KEY_TOO_SHORT: 0, RECONCILIATION_FAILED: 0, VERIFICATION_FAILED: 0 };
  fc.assert(
    fc.property(scenario, ({ flip, loss, darkCount, attack, keyBits, sampleFraction, ...options }) => {
      const channel = simulatedChannel({
        flip,
        loss,
        darkCount,
        ...(attack && { eavesdropper: interceptResend(attack.fraction, { basis: attack.basis }) }),
      });
      const alice = new Alice({ ...options, channel, ...(keyBits && { keyBits }) });
      const bob = new Bob({ sampleFraction, method: METHODS });
      converse(alice, bob);

      outcomes[(alice.failure?.code ?? 'key') as keyof typeof outcomes]++;
      expect(bob.failure?.code).toBe(alice.failure?.code);
      expect([alice.sampled, alice.errors]).toEqual([bob.sampled, bob.errors]);
      if (alice.failure) {
        expect(outcomes).toHaveProperty(alice.failure.code);
        expect([alice.result, bob.result]).toEqual([undefined, undefined]);
        return;
      }
      const [a, b] = [alice.result, bob.result];
      if (!a || !b) throw new Error('a run without result and without failure');
      expect(hammingDistance(a.key, b.key)).toBe(0);
      expect({ ...a.report, spans: {} }).toEqual({ ...b.report, spans: {} });
      expect(a.key).toHaveLength(Math.ceil(a.report.finalBits / 8));
      if (keyBits) expect(a.report.finalBits).toBe(keyBits);
      for (const rate of [a.report.qber.z, a.report.qber.x, a.report.qber.combined]) expect(rate).toBeLessThanOrEqual(0.11);
    }),
    { numRuns: 150 },
  );
  expect(outcomes.key).toBeGreaterThan(10);
  expect(outcomes.QBER_EXCEEDED).toBeGreaterThan(10);
  expect(outcomes.KEY_TOO_SHORT).toBeGreaterThan(10);
});

test('a flight changed in any way ends in a typed error or failure, or in equal keys', () => {
  const change = fc.tuple(fc.nat(3), fc.nat(), fc.integer({ min: 1, max: 255 }), fc.boolean());
  fc.assert(
    fc.property(change, ([flight, at, flipped, cut]) => {
      const alice = new Alice({ pulses: 12_000, channel: simulatedChannel({ flip: 0.01 }) });
      const bob = new Bob();
      const sides = [alice, bob];
      let message = alice.next();
      for (let turn = 0; message; turn++) {
        let carried = message.slice();
        if (turn === flight) {
          const index = at % carried.length;
          carried[index] = (carried[index] as number) ^ flipped;
          if (cut) carried = carried.subarray(0, index);
        }
        const receiver = sides[(turn + 1) % 2] as Alice | Bob;
        try {
          message = receiver.next(carried);
        } catch (error) {
          expect(QsecError.is(error, 'INVALID_ARGUMENT')).toBe(true);
          expect([receiver.result, receiver.failure]).toEqual([undefined, undefined]);
          // A change that went unnoticed at first can make honest messages unacceptable: then the run stands still.
          if (turn !== flight) return;
          // The state is as it was: the message itself is still taken.
          message = receiver.next(message);
        }
      }
      if (alice.result && bob.result) expect(hammingDistance(alice.result.key, bob.result.key)).toBe(0);
    }),
    { numRuns: 100 },
  );
});

test('noise of any length is refused by either side in any state', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(2), (noise, state) => {
      const alice = new Alice({ pulses: 2000, channel: simulatedChannel({ source: weakCoherent() }) });
      const bob = new Bob();
      const hello = alice.next() as Uint8Array;
      const receiver = state === 0 ? bob : alice;
      if (state === 2) bob.next(hello);
      try {
        receiver.next(noise);
      } catch (error) {
        expect(QsecError.is(error, 'INVALID_ARGUMENT')).toBe(true);
      }
    }),
  );
});

test('a hundred agreements over a noisy channel end in equal keys', () => {
  let keys = 0;
  for (let run = 0; run < 100; run++) {
    const alice = new Alice({ pulses: 10_000, method: run % 2 ? ldpc() : cascade(), channel: simulatedChannel({ flip: 0.015 }) });
    const bob = new Bob({ method: METHODS });
    converse(alice, bob);
    if (!alice.result || !bob.result) continue;
    expect(hammingDistance(alice.result.key, bob.result.key)).toBe(0);
    keys++;
  }
  // Codes for so few pulses fail now and then.
  expect(keys).toBeGreaterThanOrEqual(95);
});
