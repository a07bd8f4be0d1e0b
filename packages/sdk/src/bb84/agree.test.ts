import { expect, test } from 'vitest';
import { QsecError } from '../errors.ts';
import { agree } from './agree.ts';
import { Alice } from './alice.ts';
import { Bob } from './bob.ts';
import { interceptResend, simulatedChannel } from './channel/index.ts';
import { cascade } from './reconciliation/cascade.ts';
import type { StageEvent } from './types.ts';

const failureOf = async (work: Promise<unknown>): Promise<QsecError> => {
  const error = await work.then(
    () => undefined,
    (e: unknown) => e,
  );
  if (!(error instanceof QsecError)) throw new Error(`expected a QsecError, got ${String(error)}`);
  return error;
};

test('both sides agree a key over a noisy channel, with either method', async () => {
  for (const method of ['ldpc', 'cascade'] as const) {
    for (const flip of [0, 0.015, 0.03, 0.045]) {
      const { alice, bob, report } = await agree({ method, channel: simulatedChannel({ flip }), keyBits: 256 });
      expect(alice).toEqual(bob);
      expect(alice).toHaveLength(32);
      expect(report).toMatchObject({ pulses: 32768, detected: 32768, verified: true, finalBits: 256, provenance: 'simulated' });
      expect(Math.abs(report.qber.combined - flip)).toBeLessThan(6 * Math.sqrt((flip * (1 - flip)) / report.sampled) + 1e-9);
      if (flip === 0) expect(report).toMatchObject({ method: 'none', disclosed: 0, corrected: 0, rounds: 0 });
      else expect(report.method).toBe(method);
    }
  }
});

test('without a length asked for, all secret bits become the key', async () => {
  const { alice, report } = await agree({ channel: simulatedChannel({ flip: 0.01 }) });
  expect(report.finalBits).toBeGreaterThan(2500);
  expect(alice).toHaveLength(Math.ceil(report.finalBits / 8));
});

test('an eavesdropper who intercepts everything is noticed on both sides and no key is made', async () => {
  const channel = simulatedChannel({ eavesdropper: interceptResend(1) });
  const error = await failureOf(agree({ channel }));
  expect(error.code).toBe('QBER_EXCEEDED');
  const { qber, threshold, errors, sampled } = error.details as Record<string, number>;
  expect(threshold).toBe(0.11);
  expect(qber).toBeGreaterThan(0.2);
  expect(errors).toBeGreaterThan(0.2 * (sampled as number));

  const alice = new Alice({ channel });
  const bob = new Bob();
  expect(bob.next(alice.next(bob.next(alice.next())) as Uint8Array)).toBeUndefined();
  expect(alice.failure?.code).toBe('QBER_EXCEEDED');
  expect(bob.failure?.code).toBe('QBER_EXCEEDED');
  expect(bob.failure?.details).toEqual(alice.failure?.details);
  expect([alice.result, bob.result]).toEqual([undefined, undefined]);
});

test('an eavesdropper who always measures in one basis is noticed in the other', async () => {
  // 15 % in X and 7.5 % over both, each many standard deviations from the threshold.
  const error = await failureOf(agree({ channel: simulatedChannel({ eavesdropper: interceptResend(0.3, { basis: 'z' }) }) }));
  expect(error).toMatchObject({ code: 'QBER_EXCEEDED', details: { basis: 'x' } });
});

test('Bob aborts by himself when his own threshold is passed, and Alice learns it', () => {
  const alice = new Alice({ channel: simulatedChannel({ flip: 0.05 }), threshold: 0.11, keyBits: 64 });
  const bob = new Bob({ threshold: 0.02 });
  const reply = bob.next(alice.next(bob.next(alice.next())));
  expect(bob.failure?.code).toBe('QBER_EXCEEDED');
  expect(alice.next(reply)).toBeUndefined();
  expect(alice.failure).toMatchObject({ code: 'QBER_EXCEEDED', details: { errors: bob.errors, sampled: bob.sampled } });
});

test('too few pulses are too short a key', async () => {
  // Without flips: one error in a sample of a few bits is above the threshold.
  for (const pulses of [1, 10, 100, 1000]) {
    expect((await failureOf(agree({ pulses, channel: simulatedChannel() }))).code).toBe('KEY_TOO_SHORT');
  }
  expect((await failureOf(agree({ channel: simulatedChannel({ loss: 1 }) }))).code).toBe('KEY_TOO_SHORT');
});

test('a biased basis choice sifts more and keeps its key in Z', async () => {
  const { alice, bob, report } = await agree({ pulses: 65536, zProbability: 0.8, channel: simulatedChannel({ flip: 0.01 }) });
  expect(alice).toEqual(bob);
  expect(report.sifted / report.detected).toBeGreaterThan(0.66);
});

test('loss, inefficient detectors and dark counts are survived', async () => {
  const channel = simulatedChannel({ flip: 0.005, loss: 0.5, efficiency: 0.8, darkCount: 1e-3 });
  const { alice, bob, report } = await agree({ pulses: 100_000, channel });
  expect(alice).toEqual(bob);
  expect(report.detected / report.pulses).toBeGreaterThan(0.38);
  expect(report.detected / report.pulses).toBeLessThan(0.42);
});

test('each side tells its own stages in order, with true counts', async () => {
  const stages: (StageEvent & { side: string })[] = [];
  const { report } = await agree({ channel: simulatedChannel({ flip: 0.02 }), onStage: (event) => stages.push(event) });
  const order = ['pulses', 'sifting', 'estimation', 'reconciliation', 'verification', 'amplification'];
  for (const side of ['alice', 'bob']) {
    const own = stages.filter((event) => event.side === side);
    expect(own.map((event) => event.stage)).toEqual(order);
    const { spans: _, ...counts } = report;
    expect(own.at(-1)?.counts).toEqual(counts);
  }
});

test('a message that is malformed or out of turn is refused and changes nothing', () => {
  const alice = new Alice({ channel: simulatedChannel({ flip: 0.02 }) });
  const bob = new Bob();
  const refused = (side: Alice | Bob, message?: Uint8Array): void => {
    expect(() => side.next(message)).toThrow(QsecError);
  };
  refused(bob);
  refused(alice, Uint8Array.of(1));
  const hello = alice.next() as Uint8Array;
  refused(alice);
  for (const broken of [new Uint8Array(0), hello.subarray(1), hello.subarray(0, -1), Uint8Array.of(...hello.subarray(0, 40))])
    refused(bob, broken);
  const detections = bob.next(hello) as Uint8Array;
  for (const broken of [hello, detections.subarray(0, -1), new Uint8Array([...detections, 0])]) refused(alice, broken);
  const disclosure = alice.next(detections) as Uint8Array;
  for (const broken of [detections, disclosure.subarray(0, -1), new Uint8Array([...disclosure, 0])]) refused(bob, broken);
  let reply = bob.next(disclosure);
  while (reply) {
    refused(alice, Uint8Array.of(4, 9));
    const answer = alice.next(reply);
    reply = answer && bob.next(answer);
  }
  expect(alice.result?.key).toEqual(bob.result?.key);
  expect(alice.result).toBeDefined();
  refused(alice, Uint8Array.of(4, 0));
});

test('Bob bounds what Alice announces', () => {
  const hello = (options: object = {}) =>
    new Alice({ channel: simulatedChannel(), pulses: 1000, ...options }).next() as Uint8Array;
  expect(() => new Bob({ maxPulses: 999 }).next(hello())).toThrow(/at most 999/);
  expect(() => new Bob({ keyBits: 256 }).next(hello({ keyBits: 128 }))).toThrow(/128 bits/);
  expect(() => new Bob().next(hello({ method: cascade() }))).toThrow(/cascade efficient pattern-public/);
  expect(() => new Bob().next(hello({ epsilon: { secrecy: 1e-6 } }))).toThrow(/failure probabilities/);
});

test('options out of range are named', () => {
  const channel = simulatedChannel();
  for (const [argument, options] of [
    ['pulses', { pulses: 0 }],
    ['pulses', { pulses: 1.5 }],
    ['threshold', { threshold: 0.6 }],
    ['keyBits', { keyBits: 0 }],
    ['zProbability', { zProbability: 1 }],
    ['epsilon.secrecy', { epsilon: { secrecy: 0 } }],
  ] as const) {
    expect(() => new Alice({ channel, ...options })).toThrow(`"${argument}"`);
  }
});
