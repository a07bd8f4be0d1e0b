import type { KeyAgreementOptions, Room, SentMessage } from '@qsec2/sdk';
import { Component, Element, Event, type EventEmitter, Host, Method, Prop, State, Watch } from '@stencil/core';
import type { Dictionary } from '../../i18n';
import { launcherText } from '../../i18n/launcher';
import type { MediaDictionary } from '../../i18n/media';
import type { SecurityDictionary } from '../../i18n/security';
import { Icon } from '../../icons/icon';
import { chat, down } from '../../icons/launcher-paths';
import { LAZY, needElement } from '../../lazy-elements';
import { loadError } from '../../store/load-error.logic';
import { reloadPage } from '../../store/reload';
import { loadSdk } from '../../store/sdk';
import type { Session } from '../../store/session';
import type { View } from '../../store/view';
import type {
  ChatMode,
  ChatTheme,
  ErrorDetail,
  InviteDetail,
  MessageDetail,
  Problem,
  SecurityDetail,
  StateDetail,
  UnreadDetail,
} from '../../types';
import { h } from '../../vdom';
import { type NavigateEvent, navigation } from './navigation';
import { addressWithout, badgeText, inviteInFragment, titleWith } from './qsec2-chat.logic';

// A name, so that Stencil does not bundle the panel with the launcher.
const Panel = LAZY.panel;

/**
 * An opened link is agreeing on keys before a picture of it could be drawn, and drawing would hold it up: the panel waits for
 * the keys this long. Whoever has to wait longer sees what for.
 */
const KEYS_FIRST_MS = 250;

/** Pages take an element out and put it back: a router that keeps it for later, a list that is sorted, an animation. Its room waits this long. */
const GRACE_MS = 8000;

/** Every property of a page. What it set before the element was defined is a field of the element's own, and would be overwritten. */
const PROPERTIES = ['relay', 'mode', 'theme', 'invite', 'name', 'linkBase', 'room', 'keyAgreement', 'dictionary'] as const;
type Property = (typeof PROPERTIES)[number];

const ownProperties = (element: object): [Property, unknown][] =>
  PROPERTIES.flatMap((name): [Property, unknown][] => {
    const own = Object.getOwnPropertyDescriptor(element, name);
    return own && 'value' in own ? [[name, own.value]] : [];
  });

/**
 * A private chat for any page: `<qsec2-chat relay="https://relay.example"></qsec2-chat>`.
 *
 * @slot launcher - A button of the page's own to open the chat with; it is visible before any script has run.
 * @part launcher - The round button.
 * @part badge - Its number of unread messages.
 * @part notice - What is said when the chat could not be loaded.
 */
@Component({ tag: 'qsec2-chat', styleUrl: 'qsec2-chat.css', shadow: true })
export class Qsec2Chat {
  /** Before every other field: those overwrite what it reads. */
  private early = ownProperties(this);

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
  /**
   * Address of the page that an invite opens, absolute or relative to this one; http or https. Without it, it is the page the person is on,
   * which others cannot open where that is `about:srcdoc`, a file, a blob or a page of an extension.
   */
  @Prop() readonly linkBase: string = '';
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
  /** Whether the panel really stands open: what the launcher says comes of this. */
  @State() private showing = false;
  /** What it takes to open the chat did not come. */
  @State() private trouble: Problem | undefined;

  private launcher: HTMLElement | undefined;
  private loading: Promise<Session> | undefined;
  private previous: View | undefined;
  /** While a link is being opened. */
  private keysFirst: Promise<void> | undefined;

  /** The invite that was joined with last. */
  private followed = '';
  private away: ReturnType<typeof setTimeout> | undefined;
  /** The invite of the page's address, until there is a panel to see it in. */
  private code = '';
  private failures = 0;
  private loaded = false;

  connectedCallback() {
    clearTimeout(this.away);
    for (const [name, value] of this.early) Object.assign(this.el, { [name]: value });
    this.early = [];
    // Before the page's own router sees the address.
    window.addEventListener('hashchange', this.onHashChange, true);
    navigation?.addEventListener('navigate', this.onNavigate);
    document.addEventListener('visibilitychange', this.look);
    if (this.loaded) this.comeBack();
  }

  disconnectedCallback() {
    window.removeEventListener('hashchange', this.onHashChange, true);
    navigation?.removeEventListener('navigate', this.onNavigate);
    document.removeEventListener('visibilitychange', this.look);
    this.away = setTimeout(() => this.session?.end(), GRACE_MS);
  }

  componentWillLoad() {
    this.loaded = true;
    this.takeFragment();
    if (this.room || this.mode !== 'floating') this.open().catch(this.notLoaded);
  }

  /** What went on meanwhile goes on; a room of the page's own is followed again. */
  private comeBack() {
    this.takeFragment();
    if (this.mode !== 'floating') this.open().catch(this.notLoaded);
    else if (this.session) this.follow(this.session);
  }

  @Watch('room')
  async roomChanged(room: Room | undefined) {
    if (room) (await this.load()).adopt(room);
  }

  @Watch('mode')
  modeChanged(mode: ChatMode) {
    if (mode !== 'floating') this.open().catch(this.notLoaded);
  }

  @Watch('invite')
  inviteChanged(invite: string) {
    if (invite && this.opened) this.load().then(this.follow).catch(this.notLoaded);
  }

  @Watch('linkBase')
  linkBaseChanged() {
    this.session?.linkBaseChanged();
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
    if (this.opened) this.follow(session);
  }

  /** Joins where the page says, once for each invite: whoever left is not taken back by opening the panel again. */
  private readonly follow = (session: Session) => {
    if (this.room) {
      session.adopt(this.room);
      return;
    }
    const { invite, followed } = this;
    if (!invite || invite === followed) return;
    this.followed = invite;
    // An invite in the page's address comes before the first one.
    if (followed || session.view.phase === 'setup') void session.join(invite, this.name);
  };

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

  /** A link that was opened in this page. */
  private readonly onHashChange = ({ oldURL }: HashChangeEvent) => this.takeFragment(oldURL);

  /** The same before it happens, where the browser tells: no router of the page ever sees the secret, and the history is without it. */
  private readonly onNavigate = (event: Event) => {
    const { hashChange, destination } = event as NavigateEvent;
    const code = hashChange && inviteInFragment(new URL(destination.url).hash);
    if (!code || this.room || !event.cancelable || event.defaultPrevented) return;
    event.preventDefault();
    const address = addressWithout(destination.url, location.href);
    // A route of its own: there the page goes, without the secret.
    if (address !== location.href) queueMicrotask(() => location.assign(address));
    this.join(code);
  };

  /** The secret leaves the address bar at once. @param before address of the page before */
  private takeFragment(before?: string) {
    const code = inviteInFragment(location.hash);
    if (!code || this.room) return;
    const address = addressWithout(location.href, before);
    try {
      history.replaceState(history.state, '', address);
    } catch {
      // Documents of an opaque origin may not.
      location.replace(address);
    }
    this.join(code);
  }

  /** An opened link goes straight to the key agreement, which does not wait for the panel. */
  private join(code: string) {
    // All at once: whoever opens a link is going to need the SDK, which otherwise comes after the panel.
    loadSdk().catch(() => {
      // Told where it is needed: joining fails with the same error.
    });
    this.code = this.panelDefined ? '' : code;
    const joining = this.load().then((session) => {
      void session.join(code, this.name);
      return session.settled(KEYS_FIRST_MS);
    });
    this.keysFirst = joining;
    joining.catch(() => {
      // Told by opening, which fails with the same error.
    });
    this.open().catch(this.notLoaded);
  }

  /** What it takes to open the chat did not come. That is said in its place, with a way to try again. */
  private readonly notLoaded = (error: unknown) => {
    if (!this.session) this.loading = undefined;
    this.keysFirst = undefined;
    this.opened = false;
    this.failures += 1;
    const { message, remediation, outdated } = loadError(error) as Problem;
    this.trouble = { code: 'NOT_LOADED', message, remediation: remediation ?? launcherText.missing, outdated: outdated ?? false };
    this.errorEvent.emit(this.trouble);
  };

  private readonly tryAgain = () => {
    this.trouble = undefined;
    // What the link's invite is for has not begun yet without a session.
    if (this.code && !this.session) this.join(this.code);
    else this.open().catch(this.notLoaded);
  };

  private readonly reload = async () => {
    await this.session?.leave();
    reloadPage(this.code);
  };

  private readonly dismissTrouble = () => {
    this.trouble = undefined;
  };

  private readonly look = () => {
    this.session?.look(this.opened && !document.hidden);
  };

  private load(): Promise<Session> {
    this.loading ??= import('../../store/session').then(({ Session }) => {
      const session = new Session(() => ({ relay: this.relay, keyAgreement: this.keyAgreement, linkBase: this.linkBase || '' }), {
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
    this.code = '';
    this.trouble = undefined;
  }

  /** Turns what changed in the view into events for the page. */
  private tell(view: View) {
    const { previous } = this;
    this.previous = view;
    if (view.phase !== previous?.phase) this.stateEvent.emit({ state: view.phase });
    if (view.security && view.security !== previous?.security) this.securityEvent.emit({ security: view.security });
    if (view.creator && view.code && (view.code !== previous?.code || view.link !== previous.link)) {
      this.inviteEvent.emit({ ...(view.link && { link: view.link }), code: view.code });
    }
    if (view.unread !== this.unread) {
      this.unread = view.unread;
      document.title = titleWith(view.unread, document.title);
      this.unreadEvent.emit({ unread: view.unread });
    }
  }

  /** Goes by what the person sees: a click before the panel is there is still one to open it. */
  private readonly onLauncher = () => void (this.showing ? this.close() : this.open()).catch(this.notLoaded);
  private readonly onClose = () => void this.close();
  private readonly onShown = (showing: boolean) => {
    this.showing = showing;
  };

  // Kept out of render(), where Stencil would give every element a key of forty characters.
  render() {
    return this.content();
  }

  private content() {
    return (
      <Host>
        {this.mode === 'floating' && this.launcherButton()}
        {this.trouble && this.troubleBox(this.trouble)}
        {this.session && this.panelDefined && (
          <Panel
            session={this.session}
            mode={this.mode}
            opened={this.opened}
            relay={this.relay}
            name={this.name}
            dictionary={this.dictionary}
            dismiss={this.onClose}
            shown={this.onShown}
          />
        )}
      </Host>
    );
  }

  private troubleBox({ remediation, outdated }: Problem) {
    const { again, reload, dismiss } = launcherText;
    return (
      <div class="trouble" part="notice">
        <p role="alert">{remediation}</p>
        {!outdated && (
          <button type="button" onClick={this.tryAgain}>
            {again}
          </button>
        )}
        {(outdated || this.failures > 1) && (
          <button type="button" onClick={this.reload}>
            {reload}
          </button>
        )}
        {this.mode === 'floating' && (
          <button type="button" onClick={this.dismissTrouble}>
            {dismiss}
          </button>
        )}
      </div>
    );
  }

  private launcherButton() {
    const { open, close, unread } = launcherText;
    const label = this.showing ? close : open;
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
            aria-label={this.unread > 0 && !this.showing ? `${label}, ${unread(this.unread)}` : label}
            aria-expanded={String(this.showing)}
          >
            <Icon of={this.showing ? down : chat} size={26} />
            {this.unread > 0 && !this.showing && (
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
