import type { FunctionalComponent } from '@stencil/core';
import type { Dictionary } from '../../i18n';
import { Icon } from '../../icons/icon';
import { alert } from '../../icons/paths';
import type { MemberView } from '../../store/view';
import { h } from '../../vdom';

interface ChangedProps {
  member: MemberView;
  t: Dictionary;
  onVerify: () => void;
  onAccept: () => void;
  onLeave: () => void;
}

/** Somebody under a known name shows another key: both numbers, and nothing else until the person decides. */
export const Changed: FunctionalComponent<ChangedProps> = ({ member, t, onVerify, onAccept, onLeave }) => (
  <div class="body changed" part="body" tabIndex={0} role="group" aria-labelledby="qsec2-changed">
    <div class="verdict" role="alert">
      <h3 id="qsec2-changed">
        <Icon of={alert} /> {t.changedTitle(member.name || t.someone)}
      </h3>
      <p>{t.changedLead(member.name || t.someone)}</p>
    </div>
    <dl class="numbers">
      <dt>{t.numberBefore}</dt>
      <dd class="was">{member.changedFrom?.safetyNumber}</dd>
      <dt>{t.numberNow}</dt>
      <dd>{member.safetyNumber}</dd>
    </dl>
    <div class="actions">
      <button type="button" class="primary" onClick={onVerify}>
        {t.changedVerify}
      </button>
      <button type="button" class="secondary" onClick={onAccept}>
        {t.changedAccept}
      </button>
      <button type="button" class="secondary" onClick={onLeave}>
        {t.leave}
      </button>
    </div>
    <p class="lead">{t.changedAcceptHint}</p>
  </div>
);
