import { Component, Element, Host, Prop, State } from '@stencil/core';
import type { Dictionary } from '../../i18n';
import { loadPeopleWords, type PeopleDictionary } from '../../i18n/people';
import { Shield } from '../../icons/shield';
import { SheetHead } from '../../parts/sheet-head';
import type { MemberView, View } from '../../store/view';
import { adoptStyles } from '../../styles/adopt';
import sheet from '../../styles/sheet.css';
import { h } from '../../vdom';
import { initialOf } from '../qsec2-panel/qsec2-panel.logic';
import css from './qsec2-leave.css';

const SHEET = [sheet, css];

/**
 * Asked of who made the room before it leaves: who decides from then on.
 *
 * @internal
 */
@Component({ tag: 'qsec2-leave' })
export class Qsec2Leave {
  @Element() private readonly el!: HTMLElement;

  @Prop() readonly view!: View;
  /** The panel's words, with what the page replaced. */
  @Prop() readonly words!: Dictionary;
  @Prop() readonly language: string = 'en';
  @Prop() readonly dictionary: Partial<Dictionary & PeopleDictionary> | undefined;
  /** Leaves, after handing the room over to the member of this id if one is given. Resolves when we are gone, or stay after all. */
  @Prop() readonly leave!: (heir: string | undefined) => Promise<void>;
  @Prop() readonly dismiss!: () => void;

  /** Who was chosen; until then the first who can take over is. */
  @State() private chosen = '';
  @State() private busy = false;

  private t!: Dictionary & PeopleDictionary;

  connectedCallback() {
    adoptStyles(this.el, SHEET);
  }

  async componentWillLoad() {
    this.t = { ...this.words, ...(await loadPeopleWords(this.language)), ...this.dictionary };
  }

  componentDidLoad() {
    this.el.querySelector<HTMLElement>('.sheet-head button')?.focus();
  }

  private async go(heir: string | undefined) {
    this.busy = true;
    try {
      await this.leave(heir);
    } finally {
      this.busy = false;
    }
  }

  render() {
    return (
      <Host class="sheet" role="region" aria-labelledby="qsec2-leave-title">
        {this.content()}
      </Host>
    );
  }

  private content() {
    const { t, busy } = this;
    const able = heirsOf(this.view);
    const heir = able.find(({ id }) => id === this.chosen) ?? able[0];
    return [
      <SheetHead titleId="qsec2-leave-title" back={t.back} onBack={this.dismiss}>
        {t.leaveRoom}
      </SheetHead>,
      <div class="sheet-body" part="leave" tabIndex={0} role="group" aria-labelledby="qsec2-leave-title">
        <section>
          <h4 id="qsec2-heirs">{t.heirTitle}</h4>
          <p class="lead">{heir ? t.heirLead : t.heirNobody}</p>
          <div class="heirs" role="radiogroup" aria-labelledby="qsec2-heirs">
            {able.map((member) => this.choice(member, member === heir))}
          </div>
        </section>
      </div>,
      <footer class="sheet-foot">
        {heir && (
          <button type="button" class="primary wide" disabled={busy} onClick={() => void this.go(heir.id)}>
            {busy ? t.handingOver(heir.name) : t.handOver(heir.name)}
          </button>
        )}
        {!heir && (
          <button type="button" class="secondary wide" onClick={this.dismiss}>
            {t.cancel}
          </button>
        )}
        <button type="button" class="secondary danger wide" disabled={busy} onClick={() => void this.go(undefined)}>
          {t.leaveAnyway}
        </button>
      </footer>,
    ];
  }

  private choice(member: MemberView, checked: boolean) {
    const { t } = this;
    return (
      <label class="heir" key={member.id}>
        <span class="avatar" aria-hidden="true">
          {initialOf(member.name)}
        </span>
        <span class="who">
          <strong>
            {member.name || t.someone}
            {member.verified && <Shield filled={true} />}
          </strong>
          <span>{member.verified ? t.verified : t.notVerified}</span>
        </span>
        <input
          type="radio"
          name="qsec2-heir"
          checked={checked}
          disabled={this.busy}
          onChange={() => {
            this.chosen = member.id;
          }}
        />
      </label>
    );
  }
}

/** Members who can take over now, those whom the person verified first. */
function heirsOf({ members }: View): MemberView[] {
  const able = members.filter(({ presence, waiting, changedFrom }) => presence === 'present' && !waiting && !changedFrom);
  return [...able.filter(({ verified }) => verified), ...able.filter(({ verified }) => !verified)];
}
