import type { KeyAgreementOptions, Room, SentMessage } from '@qsec2/sdk';
import { Component, Element, Event, type EventEmitter, Host, h, Method, Prop, State, Watch } from '@stencil/core';
import type { Dictionary } from '../../i18n';
import { launcherText } from '../../i18n/launcher';
import type { MediaDictionary } from '../../i18n/media';
import type { SecurityDictionary } from '../../i18n/security';
import { Icon } from '../../icons/icon';
import { chat, down } from '../../icons/launcher-paths';
import { LAZY, needElement } from '../../lazy-elements';
import { loadSdk } from '../../store/sdk';
import type { Session } from '../../store/session';
import type { View } from '../../store/view';
import type {
  ChatMode,
  ChatTheme,
  ErrorDetail,
  InviteDetail,
  MessageDetail,
  SecurityDetail,
  StateDetail,
  UnreadDetail,
} from '../../types';
import { badgeText, inviteInFragment, titleWith, withoutFragment } from './qsec2-chat.logic';

// A name, so that Stencil does not bundle the panel with the launcher.
const Panel = LAZY.panel;

/**
 * An opened link is agreeing on keys before a picture of it could be drawn, and drawing would hold it up: the panel waits for
 * the keys this long. Whoever has to wait longer sees what for.
 */
const KEYS_FIRST_MS = 250;

/**
 * A private chat for any page: `<qsec2-chat relay="https://relay.example"></qsec2-chat>`.
 *
 * @slot launcher - A button of the page's own to open the chat with; it is visible before any script has run.
 * @part launcher - The round button.
 * @part badge - Its number of unread messages.
 */
@Component({ tag: 'qsec2-chat', styleUrl: 'qsec2-chat.css', shadow: true })
export class Qsec2Chat {
  @Element() private readonly el!: HTMLQsec2ChatElement;

  /** Address of the relay. */
  @Prop() readonly relay: string = '';
  /** `floating` (a bubble over the page), `inline` (fills its container) or `fullscreen`. */
  @Prop({ reflect: true }) readonly mode: ChatMode = 'floating';
  /** `auto` follows the system. */
  @Prop({ reflect: true }) readonly theme: ChatTheme = 'auto';
  /** A link or code to join with as soon as the chat is open. An invite in the page's address comes before it. */
  @Prop() readonly invite: string = '';
  /** What the others see of the person. */
  @Prop() readonly name: string = '';
  /** A room the page connected by itself: the widget shows it and connects nothing. */
  @Prop() readonly room?: Room;
  /** Handed to `connect`: pulses, threshold and the channel this side's pulses go through. */
  @Prop() readonly keyAgreement?: KeyAgreementOptions;
  /** Words of the page's own instead of the dictionary's. */
  @Prop() readonly dictionary?: Partial<Dictionary & SecurityDictionary & MediaDictionary>;

  /** A message came or went. */
  @Event({ eventName: 'qsec2-message', composed: true }) readonly messageEvent!: EventEmitter<MessageDetail>;
  /** The room's state changed. */
  @Event({ eventName: 'qsec2-state', composed: true }) readonly stateEvent!: EventEmitter<StateDetail>;
  /** The protection changed: a new key, a verified member. */
  @Event({ eventName: 'qsec2-security', composed: true }) readonly securityEvent!: EventEmitter<SecurityDetail>;
  @Event({ eventName: 'qsec2-open', composed: true }) readonly openEvent!: EventEmitter<void>;
  @Event({ eventName: 'qsec2-close', composed: true }) readonly closeEvent!: EventEmitter<void>;
  @Event({ eventName: 'qsec2-unread', composed: true }) readonly unreadEvent!: EventEmitter<UnreadDetail>;
  /** A room was made, and this link lets someone in. */
  @Event({ eventName: 'qsec2-invite', composed: true }) readonly inviteEvent!: EventEmitter<InviteDetail>;
  @Event({ eventName: 'qsec2-error', composed: true }) readonly errorEvent!: EventEmitter<ErrorDetail>;

  @State() private opened = false;
  @State() private session: Session | undefined;
  @State() private panelDefined = false;
  @State() private unread = 0;

  private launcher: HTMLElement | undefined;
  private loading: Promise<Session> | undefined;
  private previous: View | undefined;
  /** While a link is being opened. */
  private keysFirst: Promise<void> | undefined;

  connectedCallback() {
    window.addEventListener('hashchange', this.takeFragment);
    document.addEventListener('visibilitychange', this.look);
  }

  disconnectedCallback() {
    window.removeEventListener('hashchange', this.takeFragment);
    document.removeEventListener('visibilitychange', this.look);
    // An element that is moved is disconnected for a moment only.
    queueMicrotask(() => {
      if (this.el.isConnected) return;
      this.session?.dispose();
      this.session = undefined;
      this.loading = undefined;
    });
  }

  componentWillLoad() {
    this.takeFragment();
    if (this.room || this.mode !== 'floating') this.open().catch(this.notLoaded);
  }

  @Watch('room')
  async roomChanged(room: Room | undefined) {
    if (room) (await this.load()).adopt(room);
  }

  @Watch('mode')
  modeChanged(mode: ChatMode) {
    if (mode !== 'floating') this.open().catch(this.notLoaded);
  }

  /** Opens the panel. */
  @Method()
  async open(): Promise<void> {
    if (!this.opened) {
      this.opened = true;
      this.openEvent.emit();
    }
    const [session] = await Promise.all([this.load(), this.needPanel()]);
    this.look();
    if (this.room) session.adopt(this.room);
    else if (this.invite && session.view.phase === 'setup') void session.join(this.invite, this.name);
  }

  /** Closes the panel; the room stays open. */
  @Method()
  async close(): Promise<void> {
    if (!this.opened || this.mode !== 'floating') return;
    this.opened = false;
    this.look();
    this.closeEvent.emit();
    (this.el.querySelector<HTMLElement>('[slot="launcher"]') ?? this.launcher)?.focus();
  }

  /** Opens or closes the panel. */
  @Method()
  async toggle(): Promise<void> {
    await (this.opened ? this.close() : this.open());
  }

  /** Sends text to the room; rejects with a `QsecError` when that is not possible now. */
  @Method()
  async send(text: string): Promise<SentMessage> {
    return (await this.load()).send(text);
  }

  /** Leaves the room for good. */
  @Method()
  async leave(): Promise<void> {
    await this.session?.leave();
  }

  /** An opened link goes straight to the key agreement, which does not wait for the panel; the secret leaves the address bar at once. */
  private readonly takeFragment = () => {
    const code = inviteInFragment(location.hash);
    if (!code || this.room) return;
    // All at once: whoever opens a link is going to need the SDK, which otherwise comes after the panel.
    loadSdk().catch(() => {
      // Told where it is needed: joining fails with the same error.
    });
    history.replaceState(history.state, '', withoutFragment(location.href));
    const session = this.load();
    this.keysFirst = session.then((loaded) => loaded.settled(KEYS_FIRST_MS));
    session.then((loaded) => loaded.join(code, this.name)).catch(this.notLoaded);
    this.open().catch(this.notLoaded);
  };

  /** A part of the widget did not arrive. What is not there cannot be shown: the page is told, and the next opening tries again. */
  private readonly notLoaded = ({ message }: Error) => {
    this.loading = undefined;
    this.keysFirst = undefined;
    this.opened = false;
    this.errorEvent.emit({ code: 'RELAY_UNREACHABLE', message, remediation: '' });
  };

  private readonly look = () => {
    this.session?.look(this.opened && !document.hidden);
  };

  private load(): Promise<Session> {
    this.loading ??= import('../../store/session').then(({ Session }) => {
      const session = new Session(() => ({ relay: this.relay, keyAgreement: this.keyAgreement }), {
        message: (message) => this.messageEvent.emit({ message }),
        error: (problem) => this.errorEvent.emit(problem),
      });
      session.subscribe(() => this.tell(session.view));
      this.session = session;
      return session;
    });
    return this.loading;
  }

  /** It must be defined before it is rendered. */
  private async needPanel(): Promise<void> {
    await this.keysFirst;
    await Promise.all([needElement(Panel), this.load()]);
    this.panelDefined = true;
  }

  /** Turns what changed in the view into events for the page. */
  private tell(view: View) {
    const { previous } = this;
    this.previous = view;
    if (view.phase !== previous?.phase) this.stateEvent.emit({ state: view.phase });
    if (view.security && view.security !== previous?.security) this.securityEvent.emit({ security: view.security });
    if (view.link && view.link !== previous?.link && view.creator) this.inviteEvent.emit({ link: view.link });
    if (view.unread !== this.unread) {
      this.unread = view.unread;
      document.title = titleWith(view.unread, document.title);
      this.unreadEvent.emit({ unread: view.unread });
    }
  }

  private readonly onLauncher = () => void this.toggle().catch(this.notLoaded);
  private readonly onClose = () => void this.close();

  // Kept out of render(), where Stencil would give every element a key of forty characters.
  render() {
    return this.content();
  }

  private content() {
    return (
      <Host>
        {this.mode === 'floating' && this.launcherButton()}
        {this.session && this.panelDefined && (
          <Panel
            session={this.session}
            mode={this.mode}
            opened={this.opened}
            relay={this.relay}
            name={this.name}
            dictionary={this.dictionary}
            dismiss={this.onClose}
          />
        )}
      </Host>
    );
  }

  private launcherButton() {
    const { open, close, unread } = launcherText;
    const label = this.opened ? close : open;
    return (
      // biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents: the clicks are those of the button inside, ours or the page's
      <div class="launcher-place" onClick={this.onLauncher}>
        <slot name="launcher">
          <button
            ref={(el) => {
              this.launcher = el;
            }}
            type="button"
            class="launcher"
            part="launcher"
            aria-label={this.unread > 0 && !this.opened ? `${label}, ${unread(this.unread)}` : label}
            aria-expanded={String(this.opened)}
          >
            <Icon of={this.opened ? down : chat} size={26} />
            {this.unread > 0 && !this.opened && (
              <span class="badge" part="badge" aria-hidden="true">
                {badgeText(this.unread)}
              </span>
            )}
          </button>
        </slot>
      </div>
    );
  }
}
