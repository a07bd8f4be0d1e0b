import type { FunctionalComponent } from '@stencil/core';
import type { Dictionary } from '../../i18n';
import type { Format } from '../../i18n/format';
import { Gauge } from '../../parts/gauge/gauge';
import type { View } from '../../store/view';
import { h } from '../../vdom';
import { reasonOf } from './aborted.logic';

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
