import { Alice } from './alice.ts';
import { object, optionalFunction, withMethods } from './arguments.ts';
import { Bob } from './bob.ts';
import { simulatedChannel } from './channel/simulated-channel.ts';
import { type AliceOptions, type BobOptions, DEFAULT_PULSES } from './options.ts';
import { type CascadeOptions, cascade } from './reconciliation/cascade.ts';
import { withFallback } from './reconciliation/fallback.ts';
import { ldpc } from './reconciliation/ldpc.ts';
import type { Reconciler } from './reconciliation/types.ts';
import type { TracedPhoton } from './trace.ts';
import type { AgreementResult, Report, StageEvent } from './types.ts';

export interface AgreeOptions extends Omit<AliceOptions, 'channel' | 'method'>, Pick<BobOptions, 'receiver' | 'sampleFraction'> {
  /** Default: single photons on a perfect fibre. */
  channel?: AliceOptions['channel'];
  /** Default `'cascade'`. `'ldpc'` goes on with Cascade when its code fails. */
  method?: 'ldpc' | 'cascade' | Reconciler;
  /** Cascade's schedule: fewest bits or fewest rounds. Default `'efficient'`. */
  schedule?: CascadeOptions['schedule'];
  /** What counts as given away by Cascade. Default `'pattern-public'`. */
  leak?: CascadeOptions['leak'];
  /** Called after each stage of either side. */
  onStage?: (event: StageEvent & { side: 'alice' | 'bob' }) => void;
  /** Called on both sides after the comparison when `trace` is set. */
  onPhotons?: (event: { photons: TracedPhoton[]; side: 'alice' | 'bob' }) => void;
  /** Looked at between messages. */
  signal?: AbortSignal;
}

/** How long the run may hold its thread between two messages that need not wait. */
const SLICE_MS = 12;

export interface Agreement {
  /** Alice's key, packed most significant bit first. */
  alice: Uint8Array;
  /** Bob's, made from his own measurements. */
  bob: Uint8Array;
  /** Bob's report, with both sides' time in each stage. */
  report: Report;
}

/**
 * Runs both sides in this thread, message by message as over a network. Reconciles with Cascade by default, which suits a link
 * without latency.
 *
 * @throws QsecError `QBER_EXCEEDED` above the threshold; `KEY_TOO_SHORT` when no secret bits are left; `RECONCILIATION_FAILED`;
 * `VERIFICATION_FAILED`; `INVALID_ARGUMENT`; whatever `signal` was aborted with.
 *
 * @example
 * ```ts
 * const { alice, bob, report } = await agree({ pulses: 32768, channel: simulatedChannel({ flip: 0.01 }) });
 * ```
 */
export async function agree(options: AgreeOptions = {}): Promise<Agreement> {
  const {
    receiver,
    sampleFraction,
    onStage,
    onPhotons,
    signal,
    method,
    schedule,
    leak,
    channel = simulatedChannel(),
    pulses = DEFAULT_PULSES,
    ...shared
  } = object('options', options);
  optionalFunction('onStage', onStage);
  optionalFunction('onPhotons', onPhotons);
  if (signal !== undefined) withMethods('signal', signal, 'an AbortSignal', 'throwIfAborted');
  const reconciler = reconcilerFor(method, { ...(schedule !== undefined && { schedule }), ...(leak !== undefined && { leak }) });
  const alice = new Alice({ ...shared, method: reconciler, channel, pulses });
  const bob = new Bob({
    ...(shared.threshold !== undefined && { threshold: shared.threshold }),
    ...(shared.epsilon !== undefined && { epsilon: shared.epsilon }),
    ...(shared.keyBits !== undefined && { keyBits: shared.keyBits }),
    ...(shared.trace !== undefined && { trace: shared.trace }),
    ...(receiver !== undefined && { receiver }),
    ...(sampleFraction !== undefined && { sampleFraction }),
    method: reconciler,
    maxPulses: pulses,
  });
  for (const [side, party] of [
    ['alice', alice],
    ['bob', bob],
  ] as const) {
    if (onStage) party.on('stage', (event) => onStage({ ...event, side }));
    if (onPhotons) party.on('photons', (event) => onPhotons({ ...event, side }));
  }
  let since = performance.now();
  for (let message = alice.next(); message; ) {
    signal?.throwIfAborted();
    const reply = bob.next(message);
    message = reply && alice.next(reply);
    if (performance.now() - since < SLICE_MS) continue;
    // A page stays responsive and a signal is heard.
    await new Promise((resolve) => setTimeout(resolve));
    since = performance.now();
  }
  return conclude(alice, bob);
}

function reconcilerFor(method: AgreeOptions['method'], options: CascadeOptions): Reconciler {
  const own = cascade(options);
  if (method === undefined || method === 'cascade') return own;
  return method === 'ldpc' ? withFallback(ldpc(), own) : method;
}

function conclude(alice: Alice, bob: Bob): Agreement {
  const failure = alice.failure ?? bob.failure;
  if (failure) throw failure;
  const [a, b] = [alice.result as AgreementResult, bob.result as AgreementResult];
  const spans = { ...b.report.spans };
  for (const [stage, ms] of Object.entries(a.report.spans) as [keyof typeof spans, number][])
    spans[stage] = (spans[stage] ?? 0) + ms;
  return { alice: a.key, bob: b.key, report: { ...b.report, spans } };
}
