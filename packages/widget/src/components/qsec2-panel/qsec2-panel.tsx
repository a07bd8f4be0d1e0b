import { Component, Element, Host, Prop, State, Watch } from '@stencil/core';
import { Announcer } from '../../a11y/announcer';
import { type Dictionary, loadDictionary } from '../../i18n';
import { type Format, makeFormat } from '../../i18n/format';
import { loadMediaWords, type MediaDictionary } from '../../i18n/media';
import type { SecurityDictionary } from '../../i18n/security';
import { Icon } from '../../icons/icon';
import { close } from '../../icons/paths';
import { LAZY, type LazyTag, needElement, PART_NEEDED } from '../../lazy-elements';
import { loadSdk } from '../../store/sdk';
import type { Session } from '../../store/session';
import type { MessageItem, View } from '../../store/view';
import { adoptStyles } from '../../styles/adopt';
import { PANEL_SHEET } from '../../styles/panel-sheet';
import type { ChatMode } from '../../types';
import { h } from '../../vdom';
import { spoken } from '../qsec2-log/spoken.logic';
import { Aborted } from './aborted';
import { Banner, type Missing } from './banner';
import { Changed } from './changed';
import { DropZone } from './drop-zone';
import { Closed, Connecting, Failed } from './ends';
import { Entering } from './entering';
import { Exchange } from './exchange';
import { Header } from './header';
import { Menu } from './menu';
import { Pace } from './pace';
import { PanelFrame } from './panel-frame';
import { bodyOf, changedMember, composerOf, inRoom } from './qsec2-panel.logic';
import { Waiting } from './waiting';

const COPIED_MS = 2000;
/** Four pictures a second are enough to follow a key agreement. */
const PICTURE_MS = 250;
const SecurityPanel = LAZY.security;
const PeoplePanel = LAZY.people;
const LeavePanel = LAZY.leave;

/**
 * Everything that opens from the launcher. It reads the session's view and hands parts of it on; it decides nothing.
 *
 * @internal
 */
@Component({ tag: 'qsec2-panel' })
export class Qsec2Panel {
  @Element() private readonly el!: HTMLElement;

  @Prop() readonly session!: Session;
  @Prop() readonly mode: ChatMode = 'floating';
  @Prop() readonly opened: boolean = false;
  @Prop() readonly relay: string = '';
  @Prop() readonly name: string = '';
  @Prop() readonly dictionary: Partial<Dictionary & SecurityDictionary & MediaDictionary> | undefined;
  /** Closes the panel. */
  @Prop() readonly dismiss!: () => void;
  /** The panel stands open now, or no longer. */
  @Prop() readonly shown!: (open: boolean) => void;

  @State() private view!: View;
  @State() private t!: Dictionary;
  /** Words of files and voice messages, once there is one. */
  @State() private media: MediaDictionary | undefined;
  @State() private dropping = false;
  @State() private layer: 'none' | 'menu' | 'security' | 'people' | 'leave' = 'none';
  @State() private copied: 'no' | 'yes' | 'failed' = 'no';
  @State() private inviteAgain = false;
  @State() private hintGone = false;
  @State() private qrShown = false;
  /** A part that did not come. */
  @State() private missing: Missing | undefined;

  /** Leaves, once it is known who decides from then on. */
  private leaving: (heir: string | undefined) => Promise<void> = async () => undefined;
  /** What gets the focus once it can be seen. */
  private focusNext: string | undefined;
  private format!: Format;
  private lang = 'en';
  /** Files that were there when what shows them was asked for last. */
  private mediaTried = 0;
  /** Until it is drawn for the first time. */
  private fresh = true;
  private frame = new PanelFrame(
    () => this.el.querySelector('dialog') ?? undefined,
    (open) => this.shown(open),
  );
  private drop = new DropZone({
    accepts: () => composerOf(this.view, this.t).on,
    over: (dropping) => {
      this.dropping = dropping;
    },
    drop: (files) => this.attach(files),
  });
  private polite: HTMLElement | undefined;
  private assertive: HTMLElement | undefined;
  private announcer!: Announcer;
  private pace = new Pace(() => this.update(), PICTURE_MS);
  private unsubscribe: (() => void) | undefined;
  private copyTimer: ReturnType<typeof setTimeout> | undefined;

  connectedCallback() {
    adoptStyles(this.el, PANEL_SHEET);
    this.unsubscribe = this.session?.subscribe(() => this.pace.changed(this.session.view.phase === 'agreeing'));
    this.frame.connect();
    this.el.addEventListener(PART_NEEDED, this.onPartNeeded);
    // What happened while nobody listened.
    if (this.view) this.update();
  }

  disconnectedCallback() {
    this.unsubscribe?.();
    this.pace.stop();
    this.announcer?.stop();
    this.frame.disconnect();
    clearTimeout(this.copyTimer);
  }

  async componentWillLoad() {
    // The SDK is on its way while a person still reads the first words.
    loadSdk().catch(() => {
      // Told where it is needed: connecting fails with the same error.
    });
    this.lang = this.el.closest<HTMLElement>('[lang]')?.lang || this.hostLang() || navigator.language;
    this.view = this.session.view;
    this.format = makeFormat(this.lang);
    this.t = await loadDictionary(this.lang, this.dictionary);
    this.needMedia(this.view);
    this.announcer = new Announcer(() => ({ polite: this.polite, assertive: this.assertive }), this.t.newMessages);
  }

  @Watch('opened')
  openedChanged() {
    this.layer = 'none';
  }

  @Watch('dictionary')
  async dictionaryChanged() {
    this.t = await loadDictionary(this.lang, this.dictionary);
  }

  /** The panel is in the shadow tree of the widget: the language of the page is outside of it. */
  private hostLang(): string {
    const root = this.el.getRootNode();
    return root instanceof ShadowRoot ? (root.host.closest<HTMLElement>('[lang]')?.lang ?? '') : '';
  }

  private update() {
    const before = this.view;
    const { view } = this.session;
    this.view = view;
    if (!before || !this.announcer) return;
    this.needMedia(view);
    if (view.phase !== before.phase) this.phaseChanged(before, view);
    const last = view.timeline.at(-1);
    if (last?.kind === 'message' && !last.mine && view.timeline.length > before.timeline.length) this.announce(last);
  }

  private phaseChanged(before: View, view: View) {
    const name = inRoom(view)[0]?.name ?? '';
    if (view.phase === 'secure' && before.phase !== 'reconnecting') this.announcer.polite(this.t.nowSecure(name));
    if (view.phase === 'secure') this.inviteAgain = false;
    if (view.phase === 'reconnecting') this.announcer.polite(this.t.chip.reconnecting);
    if (view.phase === 'setup') {
      this.layer = 'none';
      this.hintGone = false;
    }
  }

  /** What shows files is loaded with the first of them; until then a file is its name. Where it did not come, the next file tries again. */
  private needMedia({ timeline }: View) {
    const files = timeline.filter((item) => item.kind === 'message' && item.file).length;
    if (this.media || files <= this.mediaTried) return;
    this.mediaTried = files;
    void this.withPart(async () => {
      const [words] = await Promise.all([this.mediaWords(), needElement(LAZY.file), needElement(LAZY.voice)]);
      this.media = words;
    });
  }

  /** Does what needs a part that is loaded by it. Where it did not come, that is said, with a way to try again. */
  private async withPart(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
      this.missing = undefined;
    } catch (error) {
      const { code, outdated = false } = this.session.missed(error);
      const again = () => {
        this.missing = undefined;
        void this.withPart(act);
      };
      if (code === 'NOT_LOADED') this.missing = { outdated, again };
    }
  }

  /** The same for what is inside of the panel. */
  private readonly onPartNeeded = (event: Event) => {
    event.stopPropagation();
    void this.withPart((event as CustomEvent<() => Promise<unknown>>).detail);
  };

  private async mediaWords(): Promise<MediaDictionary> {
    return { ...(await loadMediaWords(this.lang)), ...this.dictionary };
  }

  /** What records is loaded with the first press. */
  private readonly needRecorder = async (): Promise<MediaDictionary | undefined> => {
    let words: MediaDictionary | undefined;
    await this.withPart(async () => {
      [words] = await Promise.all([this.mediaWords(), needElement(LAZY.recorder)]);
    });
    return words;
  };

  private attach(files: readonly File[]) {
    for (const file of files) void this.session.sendFile({ blob: file, name: file.name, type: file.type });
  }

  private announce(item: MessageItem) {
    this.announcer.message(this.t.announce(item.name, spoken(item, this.t, this.format)));
  }

  private readonly copyLink = async () => {
    this.layer = 'none';
    clearTimeout(this.copyTimer);
    try {
      await navigator.clipboard.writeText(this.view.link || this.view.code);
      this.copied = 'yes';
      this.announcer.polite(this.t.copied);
    } catch {
      // No permission, or no secure context: the link stays selectable, and that is said.
      this.copied = 'failed';
    }
    this.copyTimer = setTimeout(() => {
      this.copied = 'no';
    }, COPIED_MS);
  };

  private readonly shareLink = async () => {
    const { link, code } = this.view;
    try {
      await navigator.share({ title: this.t.dialog, ...(link ? { text: this.t.shareText, url: link } : { text: code }) });
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'AbortError')) await this.copyLink();
    }
  };

  private readonly toggleMenu = () => {
    this.layer = this.layer === 'menu' ? 'none' : 'menu';
    this.focusNext = this.layer === 'menu' ? '.menu button' : '[data-menu]';
  };
  private readonly openSecurity = () => this.openSheet(SecurityPanel, 'security');
  private readonly openPeople = () => this.openSheet(PeoplePanel, 'people');
  private openSheet(tag: LazyTag, layer: 'security' | 'people' | 'leave') {
    // What is said stands below the menu.
    if (this.layer === 'menu') this.layer = 'none';
    return this.withPart(async () => {
      await needElement(tag);
      this.layer = layer;
    });
  }
  private readonly closeLayer = () => {
    this.focusNext = this.layer === 'security' ? '.chip' : '[data-menu]';
    this.layer = 'none';
  };
  private readonly reload = () => void this.session.reloadPage();
  private readonly dismissBanner = () => {
    if (this.missing) this.missing = undefined;
    else this.session.dismiss();
  };
  private readonly leave = () => this.askToLeave((heir) => this.session.leave(heir));
  private readonly switchRoom = () => this.askToLeave((heir) => this.session.switchRoom(heir));

  /** Leaves at once, unless somebody has to be named who decides from then on. */
  private async askToLeave(leave: (heir?: string) => Promise<unknown>) {
    this.leaving = async (heir) => {
      await leave(heir);
      this.closeLayer();
    };
    this.layer = 'none';
    if (!this.view.rules.needsDelegate) return leave();
    // Nobody can be reached to take over now.
    if (this.view.phase === 'reconnecting') return leave();
    return this.openSheet(LeavePanel, 'leave');
  }

  /** Escape closes what is on top: the menu, the security panel, the panel itself. */
  private readonly onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    if (this.layer !== 'none') this.closeLayer();
    else this.dismiss();
  };

  /** The system's own way back on phones. */
  private readonly onCancel = (event: Event) => {
    event.preventDefault();
    if (this.layer !== 'none') this.closeLayer();
    else this.dismiss();
  };

  /** Closed by something else than us: a way back that the browser does not let us refuse, or a script of the page. */
  private readonly onClosed = () => {
    if (this.frame.closedByOthers) this.dismiss();
  };

  private readonly onClick = (event: Event) => {
    if (this.layer !== 'menu' || !(event.target instanceof HTMLElement || event.target instanceof SVGElement)) return;
    if (!event.target.closest('.menu, [data-menu]')) this.layer = 'none';
  };

  componentDidRender() {
    // Without motion where a link opened the panel: the key agreement needs the processor.
    this.frame.show(this.opened, this.fresh && this.session.view.phase !== 'setup');
    this.fresh = false;
    const { focusNext } = this;
    this.focusNext = undefined;
    if (focusNext) this.el.querySelector<HTMLElement>(focusNext)?.focus();
  }

  render() {
    return <Host>{this.mode === 'floating' ? this.dialog() : this.section()}</Host>;
  }

  private dialog() {
    return (
      <dialog
        class="panel floating"
        part="panel"
        aria-labelledby="qsec2-title"
        tabIndex={-1}
        onKeyDown={this.onKeyDown}
        onCancel={this.onCancel}
        onClose={this.onClosed}
        onClick={this.onClick}
      >
        {this.inside()}
      </dialog>
    );
  }

  private section() {
    return (
      <section class="panel" part="panel" aria-labelledby="qsec2-title" onKeyDown={this.onKeyDown} onClick={this.onClick}>
        {this.inside()}
      </section>
    );
  }

  private inside() {
    const { view, t, session } = this;
    const composer = composerOf(view, t);
    return [
      <div class="main" {...this.drop.handlers}>
        <Header
          view={view}
          t={t}
          titleId="qsec2-title"
          menuOpen={this.layer === 'menu'}
          onMenu={this.toggleMenu}
          onSecurity={this.openSecurity}
          onClose={this.mode === 'floating' ? this.dismiss : undefined}
        />
        {this.layer === 'menu' && (
          <Menu
            t={t}
            link={!!view.link}
            onCopy={this.copyLink}
            onSecurity={this.openSecurity}
            onPeople={this.openPeople}
            onLeave={this.leave}
          />
        )}
        <div class="under" inert={this.layer === 'menu'}>
          <Banner
            view={view}
            t={t}
            missing={this.missing}
            onReload={this.reload}
            onReconnect={() => session.reconnect()}
            onSwitch={this.switchRoom}
            onDismiss={this.dismissBanner}
            onLetIn={(id) => void session.approve(id)}
            onPeople={this.openPeople}
          />
          {this.body()}
          {composer.shown && (
            <qsec2-composer
              key="composer"
              t={t}
              state={composer}
              submit={(text) => session.send(text)}
              typing={() => session.typing()}
              attach={(files) => this.attach(files)}
              format={this.format}
              needRecorder={this.needRecorder}
              submitVoice={(recording) => void session.sendVoice(recording)}
            />
          )}
        </div>
        {this.dropping && (
          <p class="drop" aria-hidden="true">
            {t.dropHere}
          </p>
        )}
      </div>,
      this.layer === 'security' && (
        <SecurityPanel
          key="security"
          view={view}
          words={t}
          language={this.lang}
          dictionary={this.dictionary}
          format={this.format}
          dismiss={this.closeLayer}
          verify={(id: string) => session.verify(id)}
        />
      ),
      this.layer === 'people' && (
        <PeoplePanel
          key="people"
          view={view}
          words={t}
          language={this.lang}
          dictionary={this.dictionary}
          decisions={session}
          dismiss={this.closeLayer}
        />
      ),
      this.layer === 'leave' && (
        <LeavePanel
          key="leave"
          view={view}
          words={t}
          language={this.lang}
          dictionary={this.dictionary}
          leave={this.leaving}
          dismiss={this.closeLayer}
        />
      ),
      <p
        class="hidden-text"
        role="status"
        ref={(el) => {
          this.polite = el;
        }}
      />,
      <p
        class="hidden-text"
        role="alert"
        ref={(el) => {
          this.assertive = el;
        }}
      />,
    ];
  }

  private body() {
    const { view, t, format, session } = this;
    switch (this.inviteAgain ? 'waiting' : bodyOf(view)) {
      case 'setup':
        return (
          <qsec2-setup
            t={t}
            name={view.name || this.name}
            relay={this.relay}
            create={(fields) => void session.create(fields)}
            join={(invite, name) => void session.join(invite, name)}
          />
        );
      case 'connecting':
        return <Connecting t={t} onCancel={this.leave} />;
      case 'waiting':
        return (
          <Waiting
            view={view}
            t={t}
            copied={this.copied}
            qrShown={this.qrShown}
            onShowQr={() => {
              this.qrShown = true;
            }}
            onCopy={this.copyLink}
            onShare={'share' in navigator ? this.shareLink : undefined}
          />
        );
      case 'entering':
        return <Entering t={t} onLeave={this.leave} />;
      case 'changed': {
        const member = changedMember(view);
        return (
          member && (
            <Changed
              member={member}
              t={t}
              onVerify={() => session.verify(member.id)}
              onAccept={() => session.accept(member.id)}
              onLeave={this.leave}
            />
          )
        );
      }
      case 'exchange':
        return <Exchange view={view} t={t} format={format} />;
      case 'aborted':
        return (
          <Aborted
            view={view}
            t={t}
            format={format}
            onRetry={() => session.retry()}
            onDetails={this.openSecurity}
            onLeave={this.leave}
          />
        );
      case 'failed':
        return (
          view.problem && (
            <Failed
              problem={view.problem}
              t={t}
              onRetry={() => session.retry()}
              onStartOver={this.leave}
              onReload={this.reload}
            />
          )
        );
      case 'closed':
        return <Closed t={t} onStartOver={this.leave} />;
      default:
        return this.chat();
    }
  }

  private chat() {
    const { view, t, format, session } = this;
    const unverified = view.phase === 'secure' && inRoom(view).find(({ verified }) => !verified);
    const alone = view.phase === 'waiting';
    return [
      unverified && !this.hintGone && (
        <div class="hint" part="hint">
          <p>
            <strong>{t.compareHint}</strong> {t.compareHintLead(unverified.name)}
          </p>
          <button type="button" class="text-action" onClick={this.openSecurity}>
            {t.compareAction}
          </button>
          <button
            type="button"
            class="tool small"
            aria-label={t.dismiss}
            onClick={() => {
              this.hintGone = true;
            }}
          >
            <Icon of={close} size={16} />
          </button>
        </div>
      ),
      <qsec2-log
        key="log"
        t={t}
        media={this.media}
        format={format}
        timeline={view.timeline}
        typing={view.typing}
        named={view.capacity > 2}
        alone={alone}
        resend={(id) => void session.resend(id)}
        discard={(id) => session.discard(id)}
        cancel={(id) => session.cancel(id)}
        details={this.openSecurity}
      />,
      alone && (
        <div class="alone">
          <button
            type="button"
            class="secondary"
            onClick={() => {
              this.inviteAgain = true;
            }}
          >
            {t.shareAgain}
          </button>
          <button type="button" class="secondary" onClick={this.leave}>
            {t.startOver}
          </button>
        </div>
      ),
    ];
  }
}
