import type { FunctionalComponent } from '@stencil/core';
import type { Format } from '../../i18n/format';
import type { SecurityDictionary } from '../../i18n/security';
import type { AgreementView } from '../../store/view';
import { h } from '../../vdom';
import { type PipelineBar, pipelineBars } from './pipeline.logic';

interface PipelineProps {
  agreement: Pick<AgreementView, 'counts'>;
  t: SecurityDictionary;
  format: Format;
}

/** From photons to key: one bar for each step, all on the same scale. */
export const Pipeline: FunctionalComponent<PipelineProps> = ({ agreement, t, format }) => {
  const labels: Record<PipelineBar['step'], string> = {
    sent: t.pipelineSent,
    detected: t.pipelineDetected,
    sifted: t.pipelineSifted,
    sampled: t.pipelineSampled,
    disclosed: t.pipelineDisclosed(format.count(agreement.counts.corrected ?? 0)),
    final: t.pipelineFinal,
  };
  return (
    <ol class="pipeline" part="pipeline">
      {pipelineBars(agreement).map(({ step, value, share }) => (
        <li class={`pipeline-${step}`} key={step}>
          <span>{labels[step]}</span>
          <strong>{format.count(value)}</strong>
          <span class="pipeline-track" aria-hidden="true">
            <span class="pipeline-bar" style={{ inlineSize: `${(share * 100).toFixed(2)}%` }} />
          </span>
        </li>
      ))}
    </ol>
  );
};
