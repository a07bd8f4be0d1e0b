import { Component, Host, h, Prop, State } from '@stencil/core';
import { type Dictionary, problemTitle } from '../../i18n';
import { Icon } from '../../icons/icon';
import { clip, lock, send } from '../../icons/paths';
import { problemFrom } from '../../store/problem.logic';
import type { ComposerState } from '../qsec2-panel/qsec2-panel.logic';
import { fieldHeight, sends } from './qsec2-composer.logic';

/**
 * Where one writes. The draft lives here and outlasts every state of the room.
 *
 * @internal
 */
@Component({ tag: 'qsec2-composer' })
export class Qsec2Composer {
  @Prop() readonly t!: Dictionary;
  @Prop() readonly state!: ComposerState;
  @Prop() readonly submit!: (text: string) => Promise<unknown>;
  @Prop() readonly typing!: () => void;
  @Prop() readonly attach!: (files: readonly File[]) => void;

  @State() private draft = '';
  @State() private error = '';

  private field: HTMLTextAreaElement | undefined;
  private picker: HTMLInputElement | undefined;

  componentDidRender() {
    this.fit();
  }

  private fit() {
    const { field } = this;
    if (!field) return;
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
      const { code, remediation } = problemFrom(error);
      this.error = `${problemTitle(code, this.t)}. ${remediation}`;
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
    if (this.draft) this.typing();
  };

  private readonly onPaste = (event: ClipboardEvent) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0 || !this.state.on) return;
    event.preventDefault();
    this.attach(files);
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
    const { t, state } = this;
    return (
      <form part="composer" onSubmit={this.onSubmit}>
        {(state.reason || this.error) && (
          <p
            class={{ 'composer-reason': true, 'field-error': !!this.error }}
            id="qsec2-reason"
            role={this.error ? 'alert' : undefined}
          >
            {this.error || state.reason}
          </p>
        )}
        <div class={{ 'composer-row': true, locked: state.locked }}>
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
            aria-describedby={state.reason || this.error ? 'qsec2-reason' : undefined}
            placeholder={t.composePlaceholder}
            readOnly={state.locked}
            enterkeyhint="send"
            onInput={this.onInput}
            onKeyDown={this.onKeyDown}
            onPaste={this.onPaste}
          />
          <button type="submit" class="send" part="send" aria-label={t.send} disabled={!state.on || !this.draft.trim()}>
            <Icon of={state.locked ? lock : send} />
          </button>
        </div>
      </form>
    );
  }
}
