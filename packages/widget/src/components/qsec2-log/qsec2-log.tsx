import { Component, Element, Host, Prop, State, Watch } from '@stencil/core';
import { moveFocus } from '../../a11y/focus';
import type { Dictionary } from '../../i18n';
import type { Format } from '../../i18n/format';
import type { MediaDictionary } from '../../i18n/media';
import { Icon } from '../../icons/icon';
import { arrow, next } from '../../icons/paths';
import { Shield } from '../../icons/shield';
import type { KeyItem, NoteItem, TimelineItem } from '../../store/view';
import { h } from '../../vdom';
import { Bubble } from './bubble';
import { dayName, isNearEnd, newerCount, type Row, rowsOf } from './qsec2-log.logic';

/**
 * The conversation. It follows the newest message while the reader is at the end, and stays put while they read back.
 *
 * @internal
 */
@Component({ tag: 'qsec2-log' })
export class Qsec2Log {
  @Element() private readonly el!: HTMLElement;

  @Prop() readonly t!: Dictionary;
  /** Words of files, once what shows them is loaded. */
  @Prop() readonly media: MediaDictionary | undefined;
  @Prop() readonly format!: Format;
  @Prop() readonly timeline: readonly TimelineItem[] = [];
  @Prop() readonly typing: readonly string[] = [];
  @Prop() readonly named: boolean = false;
  /** Nobody else is here: an empty log then invites nobody to write. */
  @Prop() readonly alone: boolean = false;
  @Prop() readonly resend!: (id: string) => void;
  @Prop() readonly discard!: (id: string) => void;
  /** Stops sending a file. */
  @Prop() readonly cancel!: (id: string) => void;
  /** Opens the security panel. */
  @Prop() readonly details!: () => void;

  @State() private newer = 0;

  private box: HTMLElement | undefined;
  private following = true;
  private top = 0;
  /** The last item that was on screen while the reader was at the end. */
  private seen: string | undefined;
  private resized: ResizeObserver | undefined;

  connectedCallback() {
    if (this.box) this.comeBack(this.box);
  }

  /** Whoever reads is where they were: a box that was out of the page is at its beginning. */
  private comeBack(box: HTMLElement) {
    this.watch();
    box.scrollTop = this.top;
    this.follow();
  }

  componentDidLoad() {
    this.watch();
  }

  private watch() {
    const { box } = this;
    if (!box) return;
    // The composer grows, keyboards open, pictures load: whoever was at the end stays there.
    this.resized = new ResizeObserver(() => this.follow());
    this.resized.observe(box);
    if (box.firstElementChild) this.resized.observe(box.firstElementChild);
  }

  disconnectedCallback() {
    this.resized?.disconnect();
  }

  @Watch('timeline')
  timelineChanged(timeline: readonly TimelineItem[], before: readonly TimelineItem[]) {
    const last = timeline.at(-1);
    const sentNow = timeline.length > before.length && last?.kind === 'message' && last.mine;
    if (sentNow) this.following = true;
    this.newer = this.following ? 0 : newerCount(timeline, this.seen);
  }

  componentDidRender() {
    this.follow();
  }

  private follow() {
    if (!this.following || !this.box) return;
    this.box.scrollTop = this.box.scrollHeight;
    this.seen = this.timeline.at(-1)?.id;
  }

  private readonly onScroll = () => {
    if (!this.box) return;
    const { scrollTop } = this.box;
    // Going up is reading back; content that grows below is not.
    this.following = isNearEnd(this.box) || (this.following && scrollTop >= this.top);
    this.top = scrollTop;
    if (!this.following) return;
    this.seen = this.timeline.at(-1)?.id;
    this.newer = 0;
  };

  private readonly toEnd = () => {
    this.following = true;
    this.newer = 0;
    this.follow();
    this.el.querySelector<HTMLElement>('.message:last-of-type')?.focus({ preventScroll: true });
  };

  render() {
    return <Host class="log-place">{this.content()}</Host>;
  }

  private content() {
    const { t, timeline, newer } = this;
    const rows = rowsOf(timeline);
    const lastMessage = timeline.findLast(({ kind }) => kind === 'message')?.id;
    return [
      <div
        class="log"
        part="log"
        role="log"
        aria-live="off"
        aria-label={t.log}
        tabIndex={lastMessage ? -1 : 0}
        onScroll={this.onScroll}
        onKeyDown={(event: KeyboardEvent) => moveFocus(event, '.message')}
        ref={(el) => {
          this.box = el;
        }}
      >
        <div class="rows">
          {rows.map((row) => this.row(row, row.id === lastMessage))}
          {!lastMessage && !this.alone && <p class="empty">{t.empty}</p>}
          {this.typing.length > 0 && (
            <p class="typing">
              <span class="typing-dots" aria-hidden="true">
                <i />
                <i />
                <i />
              </span>
              {t.writing(this.typing)}
            </p>
          )}
        </div>
      </div>,
      newer > 0 && (
        <button type="button" class="pill" part="new-messages" onClick={this.toEnd}>
          <Icon of={arrow} size={16} />
          {t.newMessages(newer)}
        </button>
      ),
    ];
  }

  private row(row: Row, focusable: boolean) {
    const { t, format } = this;
    switch (row.kind) {
      case 'day':
        return (
          <p class="day" key={row.id}>
            <span>{dayName(row.at, new Date(), t, format.day)}</span>
          </p>
        );
      case 'note':
        return (
          <p class="note" key={row.id}>
            {noteText(row.item, t)}
          </p>
        );
      case 'key':
        return this.keyRow(row.item);
      default:
        return (
          <Bubble
            row={row}
            t={t}
            reachable={!this.alone}
            media={this.media}
            format={format}
            named={this.named}
            focusable={focusable}
            onRetry={() => this.resend(row.id)}
            onRemove={() => this.discard(row.id)}
            onCancel={() => this.cancel(row.id)}
          />
        );
    }
  }

  /** What the key was made from: the record of an exchange that was over before anyone could watch it. */
  private keyRow({ id, agreement }: KeyItem) {
    const { t, format } = this;
    const { counts, qber } = agreement;
    return (
      <button type="button" class="key-row" key={id} onClick={this.details}>
        <Shield filled={false} size={20} />
        <span>
          <strong>{t.keyMade}</strong>
          {counts.pulses !== undefined && qber && (
            <span>{t.keyFacts(format.count(counts.pulses), format.percent(qber.combined))}</span>
          )}
        </span>
        <Icon of={next} size={16} />
      </button>
    );
  }
}

function noteText({ note, name }: NoteItem, t: Dictionary): string {
  const texts: Record<NoteItem['note'], (name: string) => string> = {
    joined: t.joined,
    left: t.left,
    verified: t.verifiedNote,
    unattested: t.unattestedNote,
    gap: t.gapNote,
    removed: t.removedNote,
    'no-admin': () => t.noAdminNote,
    'known-name': t.knownNameNote,
    pending: t.pendingNote,
    'rekey-failed': t.rekeyFailedNote,
    rekeyed: t.rekeyedNote,
  };
  return texts[note](name || t.someone);
}
