import { type MicrophoneProblem, type RecorderState, type Recording, recordVoice, type VoiceRecorder } from '@qsec2/sdk/voice';
import { Component, Element, Host, Prop, State, Watch } from '@stencil/core';
import type { Dictionary } from '../../i18n';
import type { Format } from '../../i18n/format';
import type { MediaDictionary } from '../../i18n/media';
import { Icon } from '../../icons/icon';
import { alert, back, bin, lock, mic, pause, play, send } from '../../icons/paths';
import { ObjectUrls } from '../../media/object-urls';
import { takeTurn } from '../../media/turn';
import { adoptStyles } from '../../styles/adopt';
import { h } from '../../vdom';
import type { Holding } from '../qsec2-composer/hold.logic';
import { LiveBars } from './live-bars';
import css from './qsec2-recorder.css';

const SHEET = [css];
const SHOWN_LEVELS = 60;

/**
 * A voice message in the making, in the place of the message field. It records from the moment it is shown.
 *
 * @internal
 */
@Component({ tag: 'qsec2-recorder' })
export class Qsec2Recorder {
  @Element() private readonly el!: HTMLElement;

  @Prop() readonly t!: Dictionary;
  @Prop() readonly media!: MediaDictionary;
  @Prop() readonly format!: Format;
  /** What the finger on the microphone button does. */
  @Prop() readonly holding: Holding = 'locked';
  /** How far that finger is on its way to cancel or to lock, 0–1. */
  @Prop() readonly pull: { back: number; up: number } = { back: 0, up: 0 };
  @Prop() readonly submit!: (recording: Recording) => void;
  /** It is over, with a hint if there is one. */
  @Prop() readonly close!: (hint: string) => void;

  @State() private state: RecorderState = 'asking';
  @State() private durationMs = 0;
  @State() private levels: readonly number[] = [];
  @State() private previewing = false;
  /** Nothing has been heard for a while. */
  @State() private silent = false;
  /** A person wants it sent: what it still takes is not told as an end that came by itself. */
  @State() private finishing = false;
  /** Whether the person is asked if the recording may go. */
  @State() private asking = false;

  private recorder!: VoiceRecorder;
  private handed = false;
  private ended = false;
  private preview: HTMLAudioElement | undefined;
  private readonly urls = new ObjectUrls();

  connectedCallback() {
    adoptStyles(this.el, SHEET);
    // Moved in one go, it goes on; back after it was away, it is over and says so.
    if (this.ended) this.close(this.media.takenAway);
    if (this.recorder as VoiceRecorder | undefined) return;
    this.recorder = recordVoice();
    this.recorder.on('state', (state) => this.onState(state));
    this.recorder.on('level', ({ level, durationMs, silent }) => {
      this.silent = silent;
      this.levels = [...this.levels, level].slice(-SHOWN_LEVELS);
      this.durationMs = durationMs;
    });
  }

  disconnectedCallback() {
    this.stopPreview();
    queueMicrotask(() => {
      if (this.el.isConnected) return;
      this.ended = true;
      // What was handed over is being sent.
      if (!this.handed) this.recorder.cancel();
    });
  }

  @Watch('holding')
  holdingChanged(holding: Holding) {
    if (holding === 'cancelled') this.discard();
    if (holding === 'locked') this.focusBar();
    if (holding !== 'released') return;
    // Whoever let go to answer the browser's question records nothing.
    if (this.state === 'asking') this.discard(this.t.holdHint);
    else void this.finish();
  }

  componentDidLoad() {
    if (this.holding === 'locked') this.focusBar();
  }

  private focusBar() {
    this.el.querySelector<HTMLElement>('.recorder')?.focus();
  }

  private onState(state: RecorderState) {
    this.state = state;
    if (state === 'too-short') this.close(this.t.holdHint);
  }

  private async finish() {
    if (this.finishing) return;
    this.finishing = true;
    this.stopPreview();
    const recording = await this.recorder.finish();
    this.finishing = false;
    if (!recording) return;
    this.handed = true;
    this.submit(recording);
    this.close('');
  }

  private discard(hint = '') {
    this.stopPreview();
    this.recorder.cancel();
    this.close(hint);
  }

  private readonly togglePause = () => {
    this.stopPreview();
    if (this.state === 'recording') this.recorder.pause();
    else this.recorder.resume();
  };

  private readonly togglePreview = async () => {
    if (this.previewing) {
      this.stopPreview();
      return;
    }
    const sound = await this.recorder.preview();
    if (!sound || !this.el.isConnected) return;
    const audio = new Audio(this.urls.of(sound));
    this.preview = audio;
    audio.addEventListener('pause', () => {
      this.previewing = false;
    });
    takeTurn(audio);
    this.previewing = true;
    try {
      await audio.play();
    } catch {
      // Stopped before it began, or no sound here: the button says that nothing plays.
      this.previewing = false;
    }
  };

  private stopPreview() {
    this.preview?.pause();
    this.preview = undefined;
    this.urls.revokeAll();
  }

  /** Escape pauses, then asks; the panel behind stays open. */
  private readonly onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    if (this.state === 'recording') this.togglePause();
    // Nothing is recorded yet, or nothing ever will be.
    else if (this.state === 'asking' || this.howTo()) this.discard();
    else this.asking = !this.asking;
  };

  render() {
    return (
      <Host class="recorder-place" onKeyDown={this.onKeyDown}>
        {this.inside()}
      </Host>
    );
  }

  private inside() {
    if (this.asking) return this.question();
    return this.howTo() ?? (this.holding === 'locked' ? this.bar() : this.held());
  }

  private time() {
    const live = this.state === 'recording';
    return (
      <span class="recorder-time" role="timer" aria-label={live ? this.media.recording : this.media.paused}>
        <i class={{ 'recorder-dot': true, live }} />
        {this.format.duration(this.durationMs)}
      </span>
    );
  }

  private held() {
    return (
      <div class="recorder held" style={{ '--back': String(this.pull.back), '--up': String(this.pull.up) }}>
        {this.time()}
        {this.silent ? (
          this.note(this.media.nothingHeard, 'quiet')
        ) : (
          <span class="slide-hint">
            <Icon of={back} size={16} />
            {this.media.slideHint}
          </span>
        )}
        <span class="lock-hint">
          <Icon of={lock} size={16} />
          {this.media.lockHint}
        </span>
      </div>
    );
  }

  private bar() {
    const { media, t, state } = this;
    const recording = state === 'recording';
    const done = state === 'ready' || state === 'lost';
    const still = done || this.finishing;
    return (
      <div class="recorder" role="group" aria-label={media.recorder} tabIndex={-1}>
        {this.tool(media.discard, bin, () => this.discard())}
        {this.time()}
        {this.line()}
        {!still && this.tool(recording ? media.pauseRecording : media.resumeRecording, recording ? pause : mic, this.togglePause)}
        {this.tool(this.previewing ? media.stopPreview : media.preview, this.previewing ? pause : play, this.togglePreview)}
        <button
          type="button"
          class="send"
          aria-label={t.send}
          disabled={state === 'asking' || this.finishing}
          onClick={() => void this.finish()}
        >
          <Icon of={send} />
        </button>
      </div>
    );
  }

  /** What is heard, or what there is to say of it. */
  private line() {
    const { media, state } = this;
    if (state === 'lost') return this.note(media.micLost);
    if (state === 'ready' && !this.finishing) return this.note(media.longest);
    if (state === 'recording' && this.silent) return this.note(media.nothingHeard, 'quiet');
    return <LiveBars levels={this.levels} />;
  }

  private note(text: string, tone = '') {
    return (
      <span class={`recorder-note ${tone}`} role="status">
        {text}
      </span>
    );
  }

  private tool(label: string, icon: readonly string[], onClick: () => void) {
    return (
      <button type="button" class="tool" aria-label={label} disabled={this.state === 'asking' && icon !== bin} onClick={onClick}>
        <Icon of={icon} />
      </button>
    );
  }

  private question() {
    const { media } = this;
    const keep = () => {
      this.asking = false;
    };
    return (
      <div class="recorder" role="alertdialog" aria-label={media.discardQuestion}>
        <span class="recorder-question">{media.discardQuestion}</span>
        <button type="button" class="text-action" ref={(el) => el?.focus()} onClick={keep}>
          {media.keep}
        </button>
        <button type="button" class="text-action danger" onClick={() => this.discard()}>
          {media.discard}
        </button>
      </div>
    );
  }

  private howTo() {
    const { error } = this.recorder;
    // What was recorded before the microphone was lost can still be sent.
    if (!error || this.state === 'lost') return undefined;
    const { reason } = error.details;
    const { microphone } = this.media;
    const { title, how } = microphone[reason as MicrophoneProblem] ?? microphone.broken;
    return (
      <div class="mic-card" role="alert">
        <span class="mic-mark">
          <Icon of={alert} />
        </span>
        <div>
          <strong>{title}</strong>
          <p>{how}</p>
          <button type="button" class="text-action" ref={(el) => el?.focus()} onClick={() => this.discard()}>
            {this.media.understood}
          </button>
        </div>
      </div>
    );
  }
}
