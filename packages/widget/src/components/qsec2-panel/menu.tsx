import type { FunctionalComponent } from '@stencil/core';
import { moveFocus } from '../../a11y/focus';
import type { Dictionary } from '../../i18n';
import { Icon } from '../../icons/icon';
import { copy, leave, people } from '../../icons/paths';
import { Shield } from '../../icons/shield';
import { h } from '../../vdom';

interface MenuProps {
  t: Dictionary;
  /** Whether there is a link, or the code alone. */
  link: boolean;
  onCopy: () => void;
  onSecurity: () => void;
  onPeople: () => void;
  onLeave: () => void;
}

/** The room's few actions. Arrow keys move, Escape closes (in the panel, with the other layers). */
export const Menu: FunctionalComponent<MenuProps> = ({ t, link, onCopy, onSecurity, onPeople, onLeave }) => (
  <div class="menu" role="menu" aria-label={t.more} onKeyDown={(event: KeyboardEvent) => moveFocus(event, '[role=menuitem]')}>
    <button type="button" role="menuitem" onClick={onCopy}>
      <Icon of={copy} />
      {link ? t.copyInvite : t.copyCode}
    </button>
    <button type="button" role="menuitem" onClick={onSecurity}>
      <Shield filled={false} size={20} />
      {t.security}
    </button>
    <button type="button" role="menuitem" onClick={onPeople}>
      <Icon of={people} />
      {t.people}
    </button>
    <button type="button" role="menuitem" class="danger" onClick={onLeave}>
      <Icon of={leave} />
      {t.leaveRoom}
    </button>
  </div>
);
