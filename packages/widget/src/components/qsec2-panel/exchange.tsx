import type { FunctionalComponent } from '@stencil/core';
import type { Dictionary } from '../../i18n';
import type { Format } from '../../i18n/format';
import { Icon } from '../../icons/icon';
import { check, close } from '../../icons/paths';
import { Gauge } from '../../parts/gauge/gauge';
import { type ShownStage, stageStates } from '../../store/agreement.logic';
import type { AgreementView, View } from '../../store/view';
import { h } from '../../vdom';

interface ExchangeProps {
  view: View;
  t: Dictionary;
  format: Format;
}

/** The key agreement as it runs. Each figure appears when the SDK reports it, and nothing waits for the eye. */
export const Exchange: FunctionalComponent<ExchangeProps> = ({ view, t, format }) => {
  const { agreement } = view;
  const name = agreement?.peer ?? view.members[0]?.name ?? '';
  return (
    <div class="body exchange" part="body" tabIndex={0} role="group" aria-label={t.exchangeTitle(name)}>
      <h3>{t.exchangeTitle(name)}</h3>
      <p class="lead">{t.exchangeLead}</p>
      {agreement && agreement.attempt > 1 && <p class="tag">{t.attempt(agreement.attempt)}</p>}
      <Gauge compact id="exchange" agreement={agreement} t={t} format={format} />
      <Stages agreement={agreement} t={t} format={format} />
    </div>
  );
};

interface StagesProps {
  agreement: AgreementView | undefined;
  t: Dictionary;
  format: Format;
}

/** The six stages with what each came to. */
export const Stages: FunctionalComponent<StagesProps> = ({ agreement, t, format }) => (
  <ol class="stages" part="stages">
    {stageStates(agreement).map(({ stage, state }) => (
      <li class={state} key={stage}>
        <span class="stage-mark" aria-hidden="true">
          {state === 'done' && <Icon of={check} size={14} />}
          {state === 'stopped' && <Icon of={close} size={14} />}
        </span>
        <span>{stage === 'pulses' && agreement?.role === 'bob' ? t.receivePulses : t.stages[stage]}</span>
        <span class="stage-figure">{figureOf(stage, agreement, t, format)}</span>
        <span class="hidden-text">{t.stageState[state]}</span>
      </li>
    ))}
  </ol>
);

function figureOf(stage: ShownStage, agreement: AgreementView | undefined, t: Dictionary, format: Format): string {
  if (!agreement) return '';
  const { counts, qber } = agreement;
  if (stage === 'estimation') return qber ? t.stageFigure.estimation(format.percent(qber.combined)) : '';
  if (stage === 'verification') return counts.verified ? t.stageFigure.verification() : '';
  const figures = {
    pulses: counts.pulses,
    sifting: counts.sifted,
    reconciliation: counts.corrected,
    amplification: counts.finalBits,
  };
  const figure = figures[stage];
  return figure === undefined ? '' : t.stageFigure[stage](format.count(figure));
}
