import type { Recording } from '@qsec2/sdk/voice';
import { Component, Element, Host, Prop, State } from '@stencil/core';
import { type Dictionary, problemTitle } from '../../i18n';
import type { Format } from '../../i18n/format';
import type { MediaDictionary } from '../../i18n/media';
import { Icon } from '../../icons/icon';
import { clip, lock, mic, send } from '../../icons/paths';
import { LAZY } from '../../lazy-elements';
import { adviceOf, problemFrom } from '../../store/problem.logic';
import { h } from '../../vdom';
import type { ComposerState } from '../qsec2-panel/qsec2-panel.logic';
import { type Holding, holdingAt, pullAt } from './hold.logic';
import { fieldHeight, sends } from './qsec2-composer.logic';

// A name, so that what records is not bundled with the panel.
const Recorder = LAZY.recorder;

/** Where the style sheet says how tall the field is, nothing has to be measured, which would lay the page out once more. */
const FITS_BY_ITSELF = CSS.supports('field-sizing', 'content');

const STILL = { back: 0, up: 0 };

/**
 * Where one writes. The draft lives here and outlasts every state of the room.
 *
 * @internal
 */
@Component({ tag: 'qsec2-composer' })
export class Qsec2Composer {
  @Element() private readonly el!: HTMLElement;

  @Prop() readonly t!: Dictionary;
  @Prop() readonly state!: ComposerState;
  @Prop() readonly submit!: (text: string) => Promise<unknown>;
  @Prop() readonly typing!: () => void;
  @Prop() readonly attach!: (files: readonly File[]) => void;
  @Prop() readonly format!: Format;
  /** Loads what records, and its words; undefined where it did not come, which is said then. */
  @Prop() readonly needRecorder!: () => Promise<MediaDictionary | undefined>;
  @Prop() readonly submitVoice!: (recording: Recording) => void;

  @State() private draft = '';
  @State() private error = '';
  @State() private hint = '';
  /** What the finger on the microphone button does, while a voice message is recorded. */
  @State() private holding: Holding | undefined;
  @State() private pull = STILL;
  @State() private words: MediaDictionary | undefined;

  private field: HTMLTextAreaElement | undefined;
  /** Where the finger came down. */
  private start: { x: number; y: number } | undefined;
  private touched = false;
  private focusField = false;
  private picker: HTMLInputElement | undefined;

  componentDidRender() {
    this.fit();
    if (!this.focusField) return;
    this.focusField = false;
    this.field?.focus();
  }

  private fit() {
    const { field } = this;
    if (!field || FITS_BY_ITSELF) return;
    field.style.blockSize = 'auto';
    const { paddingBlockStart, paddingBlockEnd } = getComputedStyle(field);
    const padding = Number.parseFloat(paddingBlockStart) + Number.parseFloat(paddingBlockEnd);
    field.style.blockSize = `${fieldHeight(field.scrollHeight, padding)}px`;
  }

  /** The field is written to here and nowhere else: a rendering would compare with what it rendered, not with what was typed. */
  private write(text: string) {
    this.draft = text;
    if (this.field) this.field.value = text;
  }

  private async send() {
    const text = this.draft.trim();
    if (!text || !this.state.on) return;
    this.write('');
    this.error = '';
    this.field?.focus();
    try {
      await this.submit(text);
    } catch (error) {
      // Nothing that was written is lost: what came meanwhile follows it.
      this.write(this.draft ? `${text}\n${this.draft}` : text);
      const problem = problemFrom(error);
      this.error = `${problemTitle(problem.code, this.t)}. ${adviceOf(problem)}`;
    }
  }

  private readonly onSubmit = (event: Event) => {
    event.preventDefault();
    void this.send();
  };

  private readonly onKeyDown = (event: KeyboardEvent) => {
    if (!sends(event)) return;
    event.preventDefault();
    void this.send();
  };

  private readonly onInput = (event: InputEvent) => {
    if (!(event.target instanceof HTMLTextAreaElement)) return;
    this.draft = event.target.value;
    this.error = '';
    this.hint = '';
    if (this.draft) this.typing();
  };

  private readonly onPaste = (event: ClipboardEvent) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0 || !this.state.on) return;
    event.preventDefault();
    this.attach(files);
  };

  private async record(holding: Holding) {
    this.hint = '';
    this.error = '';
    this.holding = holding;
    const words = await this.needRecorder();
    if (!words) this.holding = undefined;
    // Let go of, before there was anything to record with.
    else if (this.holding === 'released' || this.holding === 'cancelled') this.onRecorded(this.t.holdHint);
    else this.words = words;
  }

  private readonly onRecorded = (hint: string) => {
    this.holding = undefined;
    this.words = undefined;
    this.hint = hint;
    this.focusField = !this.touched;
  };

  private readonly onMicClick = () => {
    // A finger that was lifted is a click, too.
    if (!this.touched) void this.record('locked');
  };

  private readonly onMicDown = (event: PointerEvent) => {
    // A second finger changes nothing.
    if (this.holding !== undefined) return;
    this.touched = event.pointerType === 'touch';
    if (!this.touched || !(event.currentTarget instanceof HTMLElement)) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    this.start = { x: event.clientX, y: event.clientY };
    this.pull = STILL;
    void this.record('held');
  };

  private readonly onMicMove = ({ clientX, clientY }: PointerEvent) => {
    if (!this.start || this.holding !== 'held') return;
    const moved = [clientX - this.start.x, clientY - this.start.y, this.el.matches(':dir(rtl)')] as const;
    this.holding = holdingAt(...moved);
    this.pull = pullAt(...moved);
  };

  /**
   * `touch-action` keeps the page where it is, but Chromium still takes a finger that leaves fast for a fling, and the next tap,
   * on Send, for the one that stops it: it would be no click. A move that was taken is no fling.
   */
  private readonly onMicSlide = (event: Event) => {
    if (event.cancelable) event.preventDefault();
  };

  private readonly onMicUp = () => {
    this.start = undefined;
    if (this.holding === 'held') this.holding = 'released';
  };

  /** The system took the finger away, for a call or a gesture of its own: nothing is sent that nobody let go, and nothing is lost. */
  private readonly onMicTaken = () => {
    this.start = undefined;
    if (this.holding === 'held') this.holding = 'locked';
  };

  /** A finger that stays is a long press, too. */
  private readonly onMicMenu = (event: Event) => {
    if (this.touched) event.preventDefault();
  };

  private readonly onPicked = () => {
    const { picker } = this;
    if (!picker) return;
    this.attach([...(picker.files ?? [])]);
    // The same file again is a choice, too.
    picker.value = '';
    this.field?.focus();
  };

  render() {
    return <Host class="composer">{this.content()}</Host>;
  }

  private content() {
    const { t, state, holding, words } = this;
    const note = this.error || this.hint || state.reason;
    const busy = holding !== undefined && words !== undefined;
    const record = state.on && !this.draft && !(busy && holding === 'locked');
    return (
      <form part="composer" onSubmit={this.onSubmit}>
        {note && (
          <p
            class={{ 'composer-reason': true, 'field-error': !!this.error }}
            id="qsec2-reason"
            role={this.error ? 'alert' : this.hint ? 'status' : undefined}
          >
            {note}
          </p>
        )}
        <div class={{ 'composer-row': true, locked: state.locked, recording: busy }}>
          <button
            type="button"
            class="tool attach"
            aria-label={t.attach}
            disabled={!state.on}
            onClick={() => this.picker?.click()}
          >
            <Icon of={clip} />
          </button>
          <input
            type="file"
            hidden
            multiple
            data-files
            ref={(el) => {
              this.picker = el;
            }}
            onChange={this.onPicked}
          />
          <textarea
            ref={(el) => {
              this.field = el;
            }}
            rows={1}
            data-on={state.on ? '' : undefined}
            aria-label={t.compose}
            aria-describedby={note ? 'qsec2-reason' : undefined}
            placeholder={t.composePlaceholder}
            readOnly={state.locked}
            enterkeyhint="send"
            onInput={this.onInput}
            onKeyDown={this.onKeyDown}
            onPaste={this.onPaste}
          />
          {busy && (
            <Recorder
              key="recorder"
              t={t}
              media={words}
              format={this.format}
              holding={holding}
              pull={this.pull}
              submit={this.submitVoice}
              close={this.onRecorded}
            />
          )}
          {record && this.micButton()}
          {!record && !busy && (
            <button
              key="send"
              type="submit"
              class="send"
              part="send"
              aria-label={t.send}
              disabled={!state.on || !this.draft.trim()}
            >
              <Icon of={state.locked ? lock : send} />
            </button>
          )}
        </div>
      </form>
    );
  }

  private micButton() {
    return (
      <button
        key="mic"
        type="button"
        class={{ tool: true, mic: true, live: this.holding === 'held' }}
        style={{ '--back': String(this.pull.back), '--up': String(this.pull.up) }}
        aria-label={this.t.record}
        onClick={this.onMicClick}
        onPointerDown={this.onMicDown}
        onPointerMove={this.onMicMove}
        onTouchMove={this.onMicSlide}
        onPointerUp={this.onMicUp}
        onPointerCancel={this.onMicTaken}
        onContextMenu={this.onMicMenu}
      >
        <Icon of={mic} />
      </button>
    );
  }
}
