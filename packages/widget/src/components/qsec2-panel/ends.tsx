import type { FunctionalComponent } from '@stencil/core';
import { type Dictionary, problemTitle } from '../../i18n';
import { Icon } from '../../icons/icon';
import { alert } from '../../icons/paths';
import { adviceOf } from '../../store/problem.logic';
import type { Problem } from '../../types';
import { h } from '../../vdom';
import { remedyOf } from './qsec2-panel.logic';

export const Connecting: FunctionalComponent<{ t: Dictionary; onCancel: () => void }> = ({ t, onCancel }) => (
  <div class="body end" part="body">
    <p class="lead" role="status">
      {t.reaching}
    </p>
    <button type="button" class="secondary" onClick={onCancel}>
      {t.cancel}
    </button>
  </div>
);

interface FailedProps {
  problem: Problem;
  t: Dictionary;
  onRetry: () => void;
  onStartOver: () => void;
  onReload: () => void;
}

/** Why there is no room, in words made for it, and the one action that helps. */
export const Failed: FunctionalComponent<FailedProps> = ({ problem, t, onRetry, onStartOver, onReload }) => {
  const remedy = remedyOf(problem.code);
  const action = problem.outdated
    ? t.reload
    : { retry: t.retry, 'other-link': t.useOtherLink, 'start-over': t.startOver }[remedy];
  const act = problem.outdated ? onReload : remedy === 'retry' ? onRetry : onStartOver;
  const insecure = problem.code === 'UNSUPPORTED' && !window.isSecureContext;
  return (
    <div class="body end" part="body">
      <span class="end-mark" aria-hidden="true">
        <Icon of={alert} size={28} />
      </span>
      <div role="alert">
        <h3>{problem.code === 'INVALID_ARGUMENT' ? t.wrongSetup : problemTitle(problem.code, t)}</h3>
        <p class="lead">{insecure ? t.needsSecure : adviceOf(problem)}</p>
      </div>
      <button type="button" class="primary" onClick={act}>
        {action}
      </button>
      {remedy === 'retry' && (
        <button type="button" class="plain" onClick={onStartOver}>
          {t.back}
        </button>
      )}
      <code class="code">{problem.code}</code>
    </div>
  );
};

export const Closed: FunctionalComponent<{ t: Dictionary; onStartOver: () => void }> = ({ t, onStartOver }) => (
  <div class="body end" part="body">
    <h3>{t.closedTitle}</h3>
    <p class="lead">{t.closedLead}</p>
    <button type="button" class="primary" onClick={onStartOver}>
      {t.startOver}
    </button>
  </div>
);
