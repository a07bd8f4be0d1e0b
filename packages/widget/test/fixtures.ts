import type { KeyAgreementEvent, Report, Stage } from '@qsec2/sdk';
import { QsecError, type QsecErrorCode } from '@qsec2/sdk';

export type BB84Counts = Report;

/** A report of a quiet channel, as a real run of the engine gave it. */
export function fullReport(change: Partial<Report> = {}): Report {
  return {
    pulses: 32_768,
    detected: 32_768,
    sifted: 16_451,
    sampled: 4_112,
    qber: { z: 0.0151, x: 0.0146, combined: 0.0148, upperBound: 0.0243 },
    method: 'ldpc',
    rounds: 1,
    corrected: 187,
    disclosed: 2_304,
    verified: true,
    finalBits: 256,
    epsilon: { secrecy: 1e-10, correctness: 1e-15 },
    provenance: 'simulated',
    channel: 'simulated: single photons, flip 1.5 %',
    spans: {},
    ...change,
  };
}

/** The share of the counts that is known when a stage is over. */
const KNOWN: Record<Stage, readonly (keyof Report)[]> = {
  pulses: ['pulses', 'provenance', 'channel'],
  sifting: ['detected', 'sifted'],
  estimation: ['sampled', 'qber'],
  reconciliation: ['method', 'rounds', 'corrected', 'disclosed'],
  verification: ['verified'],
  amplification: ['finalBits', 'epsilon'],
  confirmed: [],
  aborted: [],
};

const ORDER = ['pulses', 'sifting', 'estimation', 'reconciliation', 'verification', 'amplification', 'confirmed'] as const;

/** The events of one key agreement up to `last`. */
export function stagesUpTo(last: (typeof ORDER)[number], report = fullReport(), attempt = 1): KeyAgreementEvent[] {
  return ORDER.slice(0, ORDER.indexOf(last) + 1).map((stage) => stageEvent(stage, report, attempt));
}

/** A key agreement that was refused: for its error rate, or for another reason. */
export function refusedStages(report: Report, attempt = 3, code: QsecErrorCode = 'QBER_EXCEEDED'): KeyAgreementEvent[] {
  const error = new QsecError(code, 'The key agreement was refused.');
  return [...stagesUpTo('estimation', report, attempt), { ...stageEvent('aborted', report, attempt), error }];
}

function stageEvent(stage: Stage, report: Report, attempt: number): KeyAgreementEvent {
  const counts = Object.fromEntries(KNOWN[stage].map((name) => [name, report[name]]));
  return { stage, counts, member: { seat: 'b', name: 'Bo' }, attempt, role: 'bob', threshold: 0.11 };
}
