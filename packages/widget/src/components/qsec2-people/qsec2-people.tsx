import { Component, Element, Host, Prop, State } from '@stencil/core';
import type { Dictionary } from '../../i18n';
import { loadPeopleWords, type PeopleDictionary } from '../../i18n/people';
import { Icon } from '../../icons/icon';
import { more } from '../../icons/paths';
import { Shield } from '../../icons/shield';
import { SheetHead } from '../../parts/sheet-head';
import type { MemberView, View } from '../../store/view';
import { adoptStyles } from '../../styles/adopt';
import sheet from '../../styles/sheet.css';
import { h } from '../../vdom';
import css from './qsec2-people.css';

const SHEET = [sheet, css];

/** What a person here decides. Each resolves when it is done or was refused, which the room tells. */
export interface Decisions {
  approve(id: string, under?: 'verified' | 'unverified'): Promise<void>;
  removeMember(id: string): Promise<void>;
  delegate(id: string, on: boolean): Promise<void>;
  setLocked(locked: boolean): Promise<void>;
}

/**
 * Who is in the room, and what those who may do so decide about it.
 *
 * @internal
 */
@Component({ tag: 'qsec2-people' })
export class Qsec2People {
  @Element() private readonly el!: HTMLElement;

  @Prop() readonly view!: View;
  /** The panel's words, with what the page replaced. */
  @Prop() readonly words!: Dictionary;
  @Prop() readonly language: string = 'en';
  @Prop() readonly dictionary: Partial<Dictionary & PeopleDictionary> | undefined;
  @Prop() readonly decisions!: Decisions;
  @Prop() readonly dismiss!: () => void;

  /** Whose actions are open, and who is asked about once more. */
  @State() private open = '';
  @State() private removing = '';
  @State() private admitting = '';
  @State() private busy = false;

  private t!: Dictionary & PeopleDictionary;
  /** What gets the focus once it can be seen. */
  private focusNext: string | undefined;

  connectedCallback() {
    adoptStyles(this.el, SHEET);
  }

  async componentWillLoad() {
    this.t = { ...this.words, ...(await loadPeopleWords(this.language)), ...this.dictionary };
  }

  componentDidLoad() {
    this.el.querySelector<HTMLElement>('.sheet-head button')?.focus();
  }

  componentDidRender() {
    const { focusNext } = this;
    this.focusNext = undefined;
    if (focusNext) this.el.querySelector<HTMLElement>(focusNext)?.focus();
  }

  /** @param focusNext what has the focus afterwards: what was pressed may be gone then */
  private async decide(act: () => Promise<void>, focusNext = '.sheet-head button') {
    this.busy = true;
    try {
      await act();
    } finally {
      this.busy = false;
      this.close(focusNext);
    }
  }

  private close(focusNext: string) {
    this.open = this.removing = this.admitting = '';
    this.focusNext = focusNext;
  }

  /** Escape closes what is open here before it closes the sheet. */
  private readonly onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || (!this.open && !this.removing && !this.admitting)) return;
    event.preventDefault();
    event.stopPropagation();
    this.close(this.admitting ? `[data-admits="${this.admitting}"]` : `[data-actions="${this.open || this.removing}"]`);
  };

  render() {
    return (
      <Host class="sheet" role="region" aria-labelledby="qsec2-people-title" onKeyDown={this.onKeyDown}>
        {this.content()}
      </Host>
    );
  }

  private content() {
    const { t, view } = this;
    const waiting = view.members.filter((member) => member.waiting);
    const here = view.members.filter((member) => !member.waiting);
    return [
      <SheetHead titleId="qsec2-people-title" back={t.back} onBack={this.dismiss}>
        {t.people}
      </SheetHead>,
      <div class="sheet-body" part="people" tabIndex={0} role="group" aria-labelledby="qsec2-people-title">
        {waiting.length > 0 && (
          <section>
            <h4>{t.peopleWaiting}</h4>
            <ul class="people">{waiting.map((member) => this.newcomer(member))}</ul>
          </section>
        )}
        <section>
          <h4>{t.peopleHere}</h4>
          <ul class="people">
            <li class="row">
              <span class="avatar" aria-hidden="true">
                {initial(view.name || t.you)}
              </span>
              <div class="who">
                <strong>{view.name || t.you}</strong>
                <span>{view.creator ? `${t.you} · ${t.roleCreator}` : t.you}</span>
              </div>
            </li>
            {here.map((member) => this.member(member))}
          </ul>
          {here.length === 0 && <p class="lead">{t.nobodyElse}</p>}
        </section>
        {this.lock()}
      </div>,
    ];
  }

  private newcomer(member: MemberView) {
    const { t, view, busy } = this;
    if (this.removing === member.id) return this.confirmation(member);
    if (this.admitting === member.id && member.changedFrom) return this.identity(member, member.changedFrom);
    return (
      <li class="row" key={member.id}>
        {this.person(member)}
        {view.rules.may.approve && (
          <button
            type="button"
            class="primary small"
            disabled={busy}
            data-admits={member.id}
            aria-label={`${t.letIn}: ${member.name}`}
            onClick={() =>
              member.changedFrom ? this.compare(member.id) : void this.decide(() => this.decisions.approve(member.id))
            }
          >
            {t.letIn}
          </button>
        )}
        {view.rules.may.remove && (
          <button
            type="button"
            class="secondary small"
            data-actions={member.id}
            aria-label={`${t.deny}: ${member.name}`}
            onClick={() => this.ask(member.id)}
          >
            {t.deny}
          </button>
        )}
      </li>
    );
  }

  private member(member: MemberView) {
    const { t, view } = this;
    if (this.removing === member.id) return this.confirmation(member);
    const actions = !member.creator && (view.creator || view.rules.may.remove);
    const open = this.open === member.id;
    return (
      <li class="row" key={member.id}>
        {this.person(member)}
        {actions && (
          <button
            type="button"
            class="tool"
            data-actions={member.id}
            aria-label={t.actionsFor(member.name)}
            aria-expanded={String(open)}
            onClick={() => {
              this.open = open ? '' : member.id;
              if (!open) this.focusNext = '.row-actions button';
            }}
          >
            <Icon of={more} />
          </button>
        )}
        {open && (
          <div class="row-actions" role="group" aria-label={t.actionsFor(member.name)}>
            {view.creator && (
              <button
                type="button"
                class="secondary small"
                disabled={this.busy}
                onClick={() => void this.decide(() => this.decisions.delegate(member.id, !member.delegate))}
              >
                {member.delegate ? t.endDelegate : t.makeDelegate}
              </button>
            )}
            {view.rules.may.remove && (
              <button type="button" class="secondary small danger" onClick={() => this.ask(member.id)}>
                {t.removePerson}
              </button>
            )}
          </div>
        )}
      </li>
    );
  }

  private person(member: MemberView) {
    const { t } = this;
    const role = member.creator ? t.roleCreator : member.delegate ? t.roleDelegate : undefined;
    return [
      <span class={{ avatar: true, away: member.presence !== 'present' }} aria-hidden="true">
        {initial(member.name)}
      </span>,
      <div class="who">
        <strong>
          {member.name}
          {member.verified && <Shield filled={true} />}
        </strong>
        <span>
          {[member.presence === 'present' ? t.present : t.away, role, member.verified ? t.verified : t.notVerified]
            .filter(Boolean)
            .join(' · ')}
        </span>
      </div>,
    ];
  }

  /** Somebody who asks to be let in has the name of a member whom the person verified. */
  private compare(id: string) {
    this.admitting = id;
    this.open = '';
    this.focusNext = '.confirm .secondary';
  }

  private identity(member: MemberView, before: NonNullable<MemberView['changedFrom']>) {
    const { t } = this;
    const id = `qsec2-admit-${member.id}`;
    const admit = (under: 'verified' | 'unverified') => void this.decide(() => this.decisions.approve(member.id, under));
    return (
      <li class="row" key={member.id}>
        <div class="confirm" role="alertdialog" aria-labelledby={id} aria-describedby={`${id}-lead`}>
          <h5 id={id}>{t.changedTitle(member.name)}</h5>
          <p id={`${id}-lead`}>{t.admitChangedLead(member.name)}</p>
          <dl class="numbers">
            <dt>{t.numberBefore}</dt>
            <dd class="was">{before.safetyNumber}</dd>
            <dt>{t.numberNow}</dt>
            <dd>{member.safetyNumber}</dd>
          </dl>
          <div class="actions">
            <button type="button" class="secondary" onClick={() => this.close(`[data-admits="${member.id}"]`)}>
              {t.cancel}
            </button>
            <button type="button" class="secondary" disabled={this.busy} onClick={() => admit('verified')}>
              {t.admitVerified}
            </button>
            <button type="button" class="secondary danger" disabled={this.busy} onClick={() => admit('unverified')}>
              {t.admitUnverified}
            </button>
          </div>
        </div>
      </li>
    );
  }

  private ask(id: string) {
    this.removing = id;
    this.open = '';
    this.focusNext = '.confirm .secondary';
  }

  private confirmation(member: MemberView) {
    const { t } = this;
    const id = `qsec2-remove-${member.id}`;
    return (
      <li class="row" key={member.id}>
        <div class="confirm" role="alertdialog" aria-labelledby={id} aria-describedby={`${id}-lead`}>
          <h5 id={id}>{t.removeTitle(member.name)}</h5>
          <p id={`${id}-lead`}>{t.removeLead(member.name)}</p>
          <div class="actions">
            <button type="button" class="secondary" onClick={() => this.close(`[data-actions="${member.id}"]`)}>
              {t.cancel}
            </button>
            <button
              type="button"
              class="secondary danger"
              disabled={this.busy}
              onClick={() => void this.decide(() => this.decisions.removeMember(member.id))}
            >
              {t.removeConfirm}
            </button>
          </div>
        </div>
      </li>
    );
  }

  private lock() {
    const { t, view } = this;
    const { rules } = view;
    if (!rules.may.lock && !rules.locked && !rules.approve) return undefined;
    const asked = rules.approve || rules.locked;
    return (
      <section>
        <div class="lock-row">
          <div>
            <strong id="qsec2-lock">{t.lockTitle}</strong>
            <p id="qsec2-lock-lead">{rules.approve ? t.lockedByMaking : t.lockLead}</p>
          </div>
          <button
            type="button"
            class="switch"
            role="switch"
            aria-checked={String(asked)}
            aria-labelledby="qsec2-lock"
            aria-describedby="qsec2-lock-lead"
            disabled={this.busy || rules.approve || !rules.may.lock}
            onClick={() => void this.decide(() => this.decisions.setLocked(!rules.locked), '.switch')}
          />
        </div>
      </section>
    );
  }
}

/** First letter of a name, whole even where it takes two code units. */
const initial = (name: string): string => [...name.trim()][0]?.toLocaleUpperCase() ?? '';
