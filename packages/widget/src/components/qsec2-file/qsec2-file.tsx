import { Component, Element, Host, Prop, State } from '@stencil/core';
import type { Dictionary } from '../../i18n';
import type { Format } from '../../i18n/format';
import type { MediaDictionary } from '../../i18n/media';
import { Icon, type IconPaths } from '../../icons/icon';
import { alert, close, download, file as fileIcon, retry } from '../../icons/paths';
import { type NotDrawn, notDrawn } from '../../media/drawable';
import { type Inline, inlineOf } from '../../media/inline.logic';
import { ObjectUrls } from '../../media/object-urls';
import { problemFrom } from '../../store/problem.logic';
import type { FileView, MessageItem } from '../../store/view';
import { adoptStyles } from '../../styles/adopt';
import { MEDIA_SHEET } from '../../styles/media-sheet';
import type { Problem } from '../../types';
import { h } from '../../vdom';
import css from './qsec2-file.css';
import { actionOf, type Fetching, type FileAction, factsOf, shareOf, wantsAtOnce } from './qsec2-file.logic';
import { Ring } from './ring';

const SHEET = [css];

const ICONS: Record<NonNullable<FileAction>, IconPaths> = {
  'cancel-send': close,
  'cancel-fetch': close,
  retry,
  load: download,
  download,
};

/**
 * A file in a message: a picture, sound or video where the browser shows it, else a card.
 *
 * @internal
 */
@Component({ tag: 'qsec2-file' })
export class Qsec2File {
  @Element() private readonly el!: HTMLElement;

  @Prop() readonly item!: MessageItem;
  @Prop() readonly t!: Dictionary;
  @Prop() readonly media!: MediaDictionary;
  @Prop() readonly format!: Format;
  /** Stops sending it. */
  @Prop() readonly cancel!: () => void;

  @State() private fetching: Fetching = 'no';
  @State() private problem: Problem | undefined;
  @State() private content: Blob | undefined;
  /** The browser could not make a picture or sound of it. */
  @State() private unreadable = false;
  /** Why a picture that is here is not drawn. */
  @State() private kept: NotDrawn;

  /** Undefined, too, where it is no picture. */
  @State() private thumbnail: Blob | undefined;
  /** Width of the thumbnail in relation to its height. */
  @State() private shape: number | undefined;

  private readonly urls = new ObjectUrls();
  private abort: AbortController | undefined;

  connectedCallback() {
    adoptStyles(this.el, MEDIA_SHEET);
    adoptStyles(this.el, SHEET);
    this.content = undefined;
    this.fetching = 'no';
    this.thumbnail = this.item.file?.thumbnail;
    if (wantsAtOnce(this.item)) void this.fetch();
  }

  disconnectedCallback() {
    this.abort?.abort();
    this.abort = undefined;
    // Nothing else changes: it would be drawn once more, with addresses that nobody revokes.
    this.urls.revokeAll();
  }

  private async fetch(): Promise<Blob | undefined> {
    const { file } = this.item;
    if (!file || this.content) return this.content;
    const abort = new AbortController();
    this.abort = abort;
    this.fetching = 'running';
    this.problem = undefined;
    try {
      const content = await file.blob({ signal: abort.signal });
      const kept = inlineOf(file.type) === 'image' ? await notDrawn(content) : undefined;
      if (this.abort !== abort || !this.el.isConnected) return undefined;
      this.kept = kept;
      this.content = content;
      this.fetching = 'here';
      return content;
    } catch (error) {
      if (this.abort === abort) {
        this.problem = problemFrom(error);
        this.fetching = 'failed';
      }
      return undefined;
    }
  }

  private readonly act = async () => {
    const action = actionOf(this.item, this.fetching);
    if (action === 'cancel-send') this.cancel();
    else if (action === 'cancel-fetch') this.abort?.abort();
    else {
      const content = await this.fetch();
      if (content && action === 'download') this.save(content);
    }
  };

  private save(content: Blob) {
    const link = document.createElement('a');
    link.href = this.urls.of(content);
    link.download = this.item.file?.name ?? '';
    link.click();
  }

  private readonly onUnreadable = () => {
    if (this.content) this.unreadable = true;
    else this.thumbnail = undefined;
  };

  /** What is shown keeps its shape when the picture takes the place of its thumbnail. */
  private readonly onThumbnail = ({ currentTarget }: Event) => {
    if (this.content || !(currentTarget instanceof HTMLImageElement)) return;
    this.shape = currentTarget.naturalWidth / currentTarget.naturalHeight;
  };

  render() {
    return <Host class="file">{this.inside()}</Host>;
  }

  private inside() {
    const { item, content, unreadable, thumbnail, problem, kept } = this;
    const { file } = item;
    if (!file) return undefined;
    const kind = inlineOf(file.type);
    if (content && kind && !unreadable && !kept) return this.shown(kind, this.urls.of(content), file);
    if (!content && thumbnail && !problem && !item.problem) return this.picture(this.urls.of(thumbnail), file);
    return this.card(file, kind && this.reason());
  }

  private shown(kind: NonNullable<Inline>, url: string, file: FileView) {
    switch (kind) {
      case 'image':
        return this.picture(url, file);
      case 'video':
        return [this.video(url), this.card(file)];
      default:
        return [this.card(file), this.audio(url)];
    }
  }

  private video(url: string) {
    const poster = this.thumbnail && this.urls.of(this.thumbnail);
    return (
      // biome-ignore lint/a11y/useMediaCaption: what people send each other has no captions
      <video key="video" src={url} poster={poster} controls playsInline preload="metadata" onError={this.onUnreadable} />
    );
  }

  private audio(url: string) {
    // biome-ignore lint/a11y/useMediaCaption: as above
    return <audio key="audio" src={url} controls preload="metadata" onError={this.onUnreadable} />;
  }

  /** The picture, or its thumbnail as long as it is not here. */
  private picture(url: string, { name, size }: FileView) {
    const { shape, content, format } = this;
    return (
      <figure
        class={{ picture: true, shaped: shape !== undefined, ahead: !content }}
        key="picture"
        style={shape === undefined ? undefined : { '--shape': String(shape) }}
      >
        <img src={url} alt={name} onLoad={this.onThumbnail} onError={this.onUnreadable} />
        {!content && <figcaption class="picture-size">{format.bytes(size)}</figcaption>}
        {this.button(name)}
      </figure>
    );
  }

  /** Why what could be shown is not. */
  private reason(): string | undefined {
    const { media, format, kept, unreadable } = this;
    if (!kept) return unreadable ? media.notShown : undefined;
    return kept === 'unknown' ? media.unknownToShow : media.tooLargeToShow(format.count(kept.width), format.count(kept.height));
  }

  private card(file: FileView, reason?: string) {
    const { item, t, media, format } = this;
    const problem = this.problem ?? item.problem;
    const facts = factsOf(item, problem, { t, media, format });
    return (
      <div class={{ 'file-card': true, bad: !!problem && problem.code !== 'ABORTED' }} key="card">
        {this.button(file.name)}
        <span class="file-words">
          <span class="file-name" dir="auto">
            {file.name}
          </span>
          <span class="file-facts">{reason && !problem ? `${facts} · ${reason}` : facts}</span>
        </span>
      </div>
    );
  }

  private button(name: string) {
    const { item, media, fetching } = this;
    const action = actionOf(item, fetching);
    if (!action) {
      return (
        <span class="media-button file-mark" key="mark">
          <Icon of={item.problem && item.problem.code !== 'ABORTED' ? alert : fileIcon} />
        </span>
      );
    }
    const labels = {
      'cancel-send': media.cancelSend,
      'cancel-fetch': media.cancelFetch,
      retry: media.retryFetch,
      load: media.load,
      download: media.download,
    };
    const share = action === 'cancel-send' || action === 'cancel-fetch' ? (shareOf(item) ?? 0) : undefined;
    return (
      <button type="button" class="media-button file-mark" key="action" aria-label={labels[action](name)} onClick={this.act}>
        {share !== undefined && <Ring share={share} />}
        <Icon of={ICONS[action]} size={share === undefined ? 20 : 16} />
      </button>
    );
  }
}
