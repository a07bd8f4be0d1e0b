import type { FunctionalComponent } from '@stencil/core';
import type { Dictionary } from '../../i18n';
import { Icon } from '../../icons/icon';
import { lock } from '../../icons/paths';
import { h } from '../../vdom';

/** A newcomer in a room that asks about everyone. */
export const Entering: FunctionalComponent<{ t: Dictionary; onLeave: () => void }> = ({ t, onLeave }) => (
  <div class="body end" part="body">
    <span class="end-mark calm">
      <Icon of={lock} size={24} />
    </span>
    <div role="status">
      <h3>{t.waitingToEnter}</h3>
      <p class="lead">{t.waitingToEnterLead}</p>
    </div>
    <button type="button" class="secondary" onClick={onLeave}>
      {t.leave}
    </button>
  </div>
);
