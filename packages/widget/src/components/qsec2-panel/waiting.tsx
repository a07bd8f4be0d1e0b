import type { FunctionalComponent } from '@stencil/core';
import type { Dictionary } from '../../i18n';
import { Icon } from '../../icons/icon';
import { check, copy, qr, share } from '../../icons/paths';
import type { View } from '../../store/view';
import { h } from '../../vdom';

interface WaitingProps {
  view: View;
  t: Dictionary;
  copied: 'no' | 'yes' | 'failed';
  onCopy: () => void;
  /** Absent where the browser has nothing to share with. */
  onShare?: (() => void) | undefined;
  qrShown: boolean;
  onShowQr: () => void;
}

/** The link that lets someone in, in every form a person may need it. */
export const Waiting: FunctionalComponent<WaitingProps> = ({ view, t, copied, qrShown, onCopy, onShare, onShowQr }) => {
  const present = view.members.length + 1;
  return (
    <div class="body waiting" part="body">
      <h3>{view.creator ? t.waitingTitle : t.joinedTitle}</h3>
      <p class="lead">{leadOf(view, t)}</p>
      <div class="link-row">
        <input
          class="link"
          readOnly
          aria-label={view.link ? t.invite : t.inviteCode}
          value={view.link || view.code}
          onFocus={selectAll}
          spellcheck={false}
        />
        <button type="button" class="primary" data-copy onClick={onCopy}>
          <Icon of={copied === 'yes' ? check : copy} />
          <span>{copied === 'yes' ? t.copied : t.copy}</span>
        </button>
      </div>
      {copied === 'failed' && (
        <p class="field-error" role="alert">
          {t.copyFailed}
        </p>
      )}
      <div class="ways">
        {onShare && (
          <button type="button" class="secondary" onClick={onShare}>
            <Icon of={share} />
            {t.share}
          </button>
        )}
        {!qrShown && view.link && (
          <button type="button" class="secondary" onClick={onShowQr}>
            <Icon of={qr} />
            {t.showQr}
          </button>
        )}
      </div>
      {qrShown && view.link && <qsec2-qr text={view.link} label={t.qrInvite} />}
      {view.linkTrouble && (
        <p class="no-link" role="note">
          {t.linkTrouble[view.linkTrouble]}
          <code translate="no">&lt;qsec2-chat link-base="https://…"&gt;</code>
        </p>
      )}
      <p class="places">
        <span class="seats" aria-hidden="true">
          {Array.from({ length: view.capacity }, (_, seat) => (
            <span class={{ seat: true, taken: seat < present }} />
          ))}
        </span>
        {t.hereCount(present, view.capacity)}
      </p>
    </div>
  );
};

function leadOf({ creator, link }: View, t: Dictionary): string {
  if (!creator) return t.joinedLead;
  return link ? t.waitingLead : t.codeLead;
}

function selectAll(event: FocusEvent): void {
  if (event.target instanceof HTMLInputElement) event.target.select();
}
