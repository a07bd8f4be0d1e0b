import { type FunctionalComponent, h } from '@stencil/core';
import { type Dictionary, problemTitle } from '../../i18n';
import type { Format } from '../../i18n/format';
import { Gauge } from '../../parts/gauge/gauge';
import type { View } from '../../store/view';

interface AbortedProps {
  view: View;
  t: Dictionary;
  format: Format;
  onRetry: () => void;
  onDetails: () => void;
  onLeave: () => void;
}

/** The key agreement was refused: why, with the gauge as it stood, and what a person can do. */
export const Aborted: FunctionalComponent<AbortedProps> = ({ view, t, format, onRetry, onDetails, onLeave }) => (
  <div class="body aborted" part="body">
    <div class="verdict" role="alert">
      <h3>{t.abortedTitle}</h3>
      <p>{reasonOf(view, t, format)}</p>
    </div>
    {view.agreement?.qber && <Gauge id="aborted" agreement={view.agreement} t={t} format={format} />}
    <div class="actions">
      <button type="button" class="primary" onClick={onRetry}>
        {t.retry}
      </button>
      <button type="button" class="secondary" onClick={onDetails}>
        {t.details}
      </button>
      <button type="button" class="secondary" onClick={onLeave}>
        {t.leave}
      </button>
    </div>
  </div>
);

function reasonOf({ agreement, notice }: View, t: Dictionary, format: Format): string {
  const problem = agreement?.problem ?? notice;
  const rate = agreement?.qber?.combined;
  const exceeded = problem ? problem.code === 'QBER_EXCEEDED' : rate !== undefined && rate > agreement!.threshold;
  if (agreement && rate !== undefined && exceeded)
    return t.abortedQber(format.percent(rate), format.percent(agreement.threshold));
  return problem ? `${problemTitle(problem.code, t)}. ${problem.remediation} ${t.noneSent}` : t.noneSent;
}
