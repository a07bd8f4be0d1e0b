import type { FunctionalComponent } from '@stencil/core';
import { type Dictionary, problemTitle } from '../../i18n';
import { Icon } from '../../icons/icon';
import { close } from '../../icons/paths';
import { adviceOf } from '../../store/problem.logic';
import { queuedCount } from '../../store/timeline.logic';
import type { View } from '../../store/view';
import { h } from '../../vdom';

/** A part of the widget that did not come. */
export interface Missing {
  outdated: boolean;
  again: () => void;
}

interface BannerProps {
  view: View;
  t: Dictionary;
  missing: Missing | undefined;
  onReload: () => void;
  onReconnect: () => void;
  onSwitch: () => void;
  onDismiss: () => void;
  onLetIn: (id: string) => void;
  onPeople: () => void;
}

/**
 * One line under the header for what is going on with the room as a whole; the most pressing one wins. It has a key, so that what stands
 * below is the same when it comes and goes.
 */
export const Banner: FunctionalComponent<BannerProps> = (props) => {
  const { view, t, missing, onReload, onReconnect, onSwitch, onDismiss, onLetIn, onPeople } = props;
  if (missing) {
    return (
      <div key="banner" class="banner red" part="banner">
        <span role="alert">{missing.outdated ? t.partOutdated : t.partMissing}</span>
        <button type="button" class="text-action" onClick={missing.outdated ? onReload : missing.again}>
          {missing.outdated ? t.reload : t.retry}
        </button>
        <Dismiss t={t} onDismiss={onDismiss} />
      </div>
    );
  }
  if (view.otherInvite) {
    return (
      <div key="banner" class="banner" part="banner">
        <span role="status">{t.otherInvite}</span>
        <button type="button" class="text-action" onClick={onSwitch}>
          {t.switchRoom}
        </button>
        <Dismiss t={t} onDismiss={onDismiss} />
      </div>
    );
  }
  if (view.phase === 'reconnecting' && view.slow) {
    return (
      <div key="banner" class="banner amber" part="banner">
        <span role="status">{t.reconnectingBanner(queuedCount(view.timeline))}</span>
        <button type="button" class="text-action" onClick={onReconnect}>
          {t.retryNow}
        </button>
      </div>
    );
  }
  if (view.notice && view.phase !== 'aborted') {
    return (
      <div key="banner" class="banner red" part="banner">
        <span role="alert">
          {problemTitle(view.notice.code, t)}. {adviceOf(view.notice)}
        </span>
        <Dismiss t={t} onDismiss={onDismiss} />
      </div>
    );
  }
  const asking = view.rules.may.approve ? view.members.filter(({ waiting }) => waiting) : [];
  const [first] = asking;
  if (first) {
    return (
      <div key="banner" class="banner" part="banner">
        <span role="status">{asking.length === 1 ? t.asksIn(first.name || t.someone) : t.asksInMany(asking.length)}</span>
        {asking.length === 1 && !first.changedFrom && (
          <button type="button" class="text-action" onClick={() => onLetIn(first.id)}>
            {t.letIn}
          </button>
        )}
        <button type="button" class="text-action" onClick={onPeople}>
          {t.look}
        </button>
      </div>
    );
  }
  return null;
};

const Dismiss: FunctionalComponent<{ t: Dictionary; onDismiss: () => void }> = ({ t, onDismiss }) => (
  <button type="button" class="tool small" aria-label={t.dismiss} onClick={onDismiss}>
    <Icon of={close} size={16} />
  </button>
);
