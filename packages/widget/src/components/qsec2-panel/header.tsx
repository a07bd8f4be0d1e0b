import type { FunctionalComponent } from '@stencil/core';
import type { Dictionary } from '../../i18n';
import { Icon } from '../../icons/icon';
import { close, more } from '../../icons/paths';
import { Shield } from '../../icons/shield';
import type { View } from '../../store/view';
import { h } from '../../vdom';
import { bodyOf, chipOf, initialOf, inRoom, subtitleOf, titleOf } from './qsec2-panel.logic';

interface HeaderProps {
  view: View;
  t: Dictionary;
  titleId: string;
  /** Absent where the panel cannot be closed. */
  onClose?: (() => void) | undefined;
  onSecurity: () => void;
  onMenu: () => void;
  menuOpen: boolean;
}

export const Header: FunctionalComponent<HeaderProps> = ({ view, t, titleId, onClose, onSecurity, onMenu, menuOpen }) => {
  const body = bodyOf(view);
  const entered = body !== 'setup' && body !== 'failed' && body !== 'closed' && body !== 'connecting';
  const chip = chipOf(view);
  const subtitle = subtitleOf(view, t);
  const members = inRoom(view);
  const [only] = members;
  return (
    <header class="header" part="header">
      {entered && members.length > 0 && (
        <span class={{ avatar: true, away: only?.presence !== 'present' }} aria-hidden="true">
          {initialOf(only?.name ?? '')}
        </span>
      )}
      <div class="heading">
        <h2 id={titleId}>{titleOf(view, t)}</h2>
        {subtitle && <p>{subtitle}</p>}
      </div>
      {chip && entered && (
        <button
          type="button"
          class={`chip ${chip.tone}`}
          part="security-chip"
          aria-label={t.openSecurity(t.chip[chip.name])}
          onClick={onSecurity}
        >
          {chip.shield === 'none' ? <span class="dot" /> : <Shield filled={chip.shield === 'filled'} />}
          <span class="chip-text">{t.chip[chip.name]}</span>
        </button>
      )}
      {entered && (
        <button
          type="button"
          class="tool"
          data-menu
          aria-label={t.more}
          aria-haspopup="menu"
          aria-expanded={String(menuOpen)}
          onClick={onMenu}
        >
          <Icon of={more} />
        </button>
      )}
      {onClose && (
        <button type="button" class="tool" aria-label={t.close} onClick={onClose}>
          <Icon of={close} />
        </button>
      )}
    </header>
  );
};
