import type { KeyAgreementEvent, QsecErrorCode, Stage } from '@qsec2/sdk';
import { problemFrom } from './problem.logic';
import type { AgreementView } from './view';

/** The stages a person is shown, in the order they happen. */
export const SHOWN_STAGES = [
  'pulses',
  'sifting',
  'estimation',
  'reconciliation',
  'verification',
  'amplification',
] as const satisfies Stage[];

export type ShownStage = (typeof SHOWN_STAGES)[number];

const outcomeOf = (stage: Stage): AgreementView['outcome'] => (stage === 'confirmed' || stage === 'aborted' ? stage : 'running');

/** Adds one stage event to what is known. A new attempt starts from nothing: its counts are its own. */
export function foldAgreement(previous: AgreementView | undefined, event: KeyAgreementEvent): AgreementView {
  const same = previous?.seat === event.member.seat && previous.attempt === event.attempt && previous.outcome === 'running';
  const counts = { ...(same ? previous.counts : {}), ...event.counts };
  return {
    seat: event.member.seat,
    peer: event.member.name ?? (same ? previous.peer : undefined),
    role: event.role,
    attempt: event.attempt,
    outcome: outcomeOf(event.stage),
    done: same ? [...previous.done, event.stage] : [event.stage],
    counts,
    qber: event.qber ?? counts.qber ?? (same ? previous.qber : undefined),
    threshold: event.threshold,
    problem: event.error && problemFrom(event.error),
  };
}

export type StageState = 'done' | 'running' | 'stopped' | 'open';

/** Where each refusal happens, whether or not the stage's own event came first. */
const STOPPED_AT: Partial<Record<QsecErrorCode, ShownStage>> = {
  QBER_EXCEEDED: 'estimation',
  RECONCILIATION_FAILED: 'reconciliation',
  VERIFICATION_FAILED: 'verification',
  KEY_TOO_SHORT: 'amplification',
};

/** How far each shown stage is: the first one that is not over is running, or is where it stopped. */
export function stageStates(agreement: AgreementView | undefined): readonly { stage: ShownStage; state: StageState }[] {
  const done = new Set<Stage>(agreement?.done);
  const stopped = agreement?.outcome === 'aborted';
  const current =
    (stopped && agreement.problem && STOPPED_AT[agreement.problem.code]) || SHOWN_STAGES.find((stage) => !done.has(stage));
  const at = agreement?.outcome === 'confirmed' || !current ? SHOWN_STAGES.length : SHOWN_STAGES.indexOf(current);
  return SHOWN_STAGES.map((stage, i) => {
    if (i === at) return { stage, state: stopped ? 'stopped' : 'running' };
    return { stage, state: i < at ? 'done' : 'open' };
  });
}
