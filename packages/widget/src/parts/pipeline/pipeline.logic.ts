import type { AgreementView } from '../../store/view';

export interface PipelineBar {
  step: 'sent' | 'detected' | 'sifted' | 'sampled' | 'disclosed' | 'final';
  value: number;
  /** Length against the photons sent, 0…1. */
  share: number;
}

/** What became of the photons, step by step. Counts that are not known are not shown; nothing is estimated here. */
export function pipelineBars({ counts }: Pick<AgreementView, 'counts'>): readonly PipelineBar[] {
  const { pulses, detected, sifted, sampled, disclosed, finalBits } = counts;
  if (!pulses) return [];
  const steps: [PipelineBar['step'], number | undefined][] = [
    ['sent', pulses],
    // Without loss every photon is detected, and a second bar would say nothing.
    ['detected', detected === pulses ? undefined : detected],
    ['sifted', sifted],
    ['sampled', sampled],
    ['disclosed', disclosed],
    ['final', finalBits],
  ];
  return steps.flatMap(([step, value]) => (value === undefined ? [] : [{ step, value, share: Math.min(1, value / pulses) }]));
}
