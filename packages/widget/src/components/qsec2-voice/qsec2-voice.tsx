import { Component, Element, Host, Prop, State } from '@stencil/core';
import { type Dictionary, problemTitle } from '../../i18n';
import type { Format } from '../../i18n/format';
import type { MediaDictionary } from '../../i18n/media';
import { Icon } from '../../icons/icon';
import { pause, play } from '../../icons/paths';
import { ObjectUrls } from '../../media/object-urls';
import { chooseSpeed, chosenSpeed } from '../../media/speed';
import { takeTurn } from '../../media/turn';
import { problemFrom } from '../../store/problem.logic';
import type { MessageItem } from '../../store/view';
import { adoptStyles } from '../../styles/adopt';
import { MEDIA_SHEET } from '../../styles/media-sheet';
import { h } from '../../vdom';
import css from './qsec2-voice.css';
import { barsOf, nextSpeed, type Speed, seekTo } from './qsec2-voice.logic';
import { SilentSound, soundOf } from './sound';
import { Wave } from './wave';

const SHEET = [css];

/** Messages that were played, as long as the page lives. */
const played = new Set<string>();

/**
 * A voice message.
 *
 * @internal
 */
@Component({ tag: 'qsec2-voice' })
export class Qsec2Voice {
  @Element() private readonly el!: HTMLElement;

  @Prop() readonly item!: MessageItem;
  @Prop() readonly t!: Dictionary;
  @Prop() readonly media!: MediaDictionary;
  @Prop() readonly format!: Format;

  @State() private playing = false;
  @State() private at = 0;
  @State() private speed: Speed = chosenSpeed();
  @State() private problem = '';

  private readonly urls = new ObjectUrls();
  private loading: Promise<HTMLAudioElement> | undefined;
  private audio: HTMLAudioElement | undefined;

  connectedCallback() {
    adoptStyles(this.el, MEDIA_SHEET);
    adoptStyles(this.el, SHEET);
  }

  disconnectedCallback() {
    this.audio?.pause();
    this.playing = false;
    this.audio = undefined;
    this.loading = undefined;
    this.urls.revokeAll();
  }

  private get length(): number {
    return (this.item.file?.voice?.durationMs ?? 0) / 1000;
  }

  private async load(): Promise<HTMLAudioElement> {
    const { file } = this.item;
    if (!file) throw new Error('a voice message has content');
    const audio = await soundOf(this.urls.of(await file.blob()));
    this.audio = audio;
    audio.addEventListener('timeupdate', () => {
      this.at = audio.currentTime;
    });
    audio.addEventListener('play', () => {
      this.playing = true;
    });
    audio.addEventListener('pause', () => {
      this.playing = false;
    });
    audio.addEventListener('ended', () => {
      this.at = 0;
      this.playNext();
    });
    return audio;
  }

  private readonly toggle = async () => {
    if (this.playing) {
      this.audio?.pause();
      return;
    }
    this.problem = '';
    let audio: HTMLAudioElement;
    try {
      this.loading ??= this.load();
      audio = await this.loading;
    } catch (error) {
      this.loading = undefined;
      const unplayable = error instanceof MediaError || error instanceof SilentSound;
      this.problem = unplayable ? this.media.notPlayed : problemTitle(problemFrom(error).code, this.t);
      return;
    }
    if (!this.el.isConnected) {
      this.urls.revokeAll();
      return;
    }
    takeTurn(audio);
    audio.currentTime = this.at;
    this.speed = chosenSpeed();
    audio.playbackRate = this.speed;
    try {
      await audio.play();
      played.add(this.item.id);
    } catch (error) {
      // Another one began, or this page may not make sounds without being pressed: the button says that nothing plays.
      if (error instanceof DOMException && ['AbortError', 'NotAllowedError'].includes(error.name)) return;
      this.problem = this.media.notPlayed;
    }
  };

  /** On to the next one that nobody listened to yet. */
  private playNext() {
    const root = this.el.getRootNode() as ShadowRoot | Document;
    const all = [...root.querySelectorAll<HTMLElement>('qsec2-voice')];
    const next = all[all.indexOf(this.el) + 1];
    if (next?.matches('[data-unheard]')) next.querySelector('button')?.click();
  }

  private seek(seconds: number) {
    this.at = seconds;
    if (this.audio) this.audio.currentTime = seconds;
  }

  private readonly onKeyDown = (event: KeyboardEvent) => {
    const target = seekTo(event.key, this.at, this.length);
    if (target === undefined) return;
    event.preventDefault();
    // The log would go on to another message.
    event.stopPropagation();
    this.seek(target);
  };

  private readonly onPointer = (event: PointerEvent) => {
    const box = event.currentTarget;
    if (!(box instanceof HTMLElement) || event.buttons === 0) return;
    box.setPointerCapture(event.pointerId);
    const { left, width } = box.getBoundingClientRect();
    this.seek(this.length * Math.min(1, Math.max(0, (event.clientX - left) / width)));
  };

  private readonly changeSpeed = () => {
    this.speed = nextSpeed(chosenSpeed());
    chooseSpeed(this.speed);
    if (this.audio) this.audio.playbackRate = this.speed;
  };

  render() {
    const unheard = !this.item.mine && !played.has(this.item.id);
    return (
      <Host class="voice" data-unheard={unheard ? '' : undefined}>
        {this.inside(unheard)}
      </Host>
    );
  }

  private inside(unheard: boolean) {
    const { media, format, length, at, item } = this;
    const now = format.duration(at * 1000);
    const whole = format.duration(length * 1000);
    return [
      <button
        type="button"
        class="media-button voice-play"
        aria-label={this.playing ? media.pause : media.play}
        onClick={this.toggle}
      >
        <Icon of={this.playing ? pause : play} />
      </button>,
      <div
        class="voice-wave"
        role="slider"
        tabIndex={0}
        aria-label={media.position}
        aria-valuemin="0"
        aria-valuemax={String(Math.round(length))}
        aria-valuenow={String(Math.round(at))}
        aria-valuetext={media.sentOf(now, whole)}
        onKeyDown={this.onKeyDown}
        onPointerDown={this.onPointer}
        onPointerMove={this.onPointer}
      >
        <Wave bars={barsOf(item.file?.voice?.peaks ?? [])} played={length > 0 ? at / length : 0} />
      </div>,
      <span class="voice-time">
        {this.problem || (at > 0 ? now : whole)}
        {unheard && <span class="voice-new">{<span class="hidden-text">{media.unheard}</span>}</span>}
      </span>,
      <button type="button" class="voice-speed" aria-label={media.speed(format.count(this.speed))} onClick={this.changeSpeed}>
        {format.count(this.speed)}×
      </button>,
    ];
  }
}
