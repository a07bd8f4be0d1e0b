import { Component, Host, Prop, State, Watch } from '@stencil/core';
import type { Dictionary } from '../../i18n';
import { Icon } from '../../icons/icon';
import { minus, plus } from '../../icons/paths';
import type { CreateFields } from '../../store/session';
import { h } from '../../vdom';
import { clampPeople, inviteError, MAX_PEOPLE, MIN_PEOPLE, nameError } from './qsec2-setup.logic';

/**
 * The start: create a room, or join one with the link that was sent.
 *
 * @internal
 */
@Component({ tag: 'qsec2-setup' })
export class Qsec2Setup {
  @Prop() readonly t!: Dictionary;
  @Prop() readonly name: string = '';
  @Prop() readonly relay: string = '';
  @Prop() readonly create!: (fields: CreateFields) => void;
  @Prop() readonly join!: (invite: string, name: string) => void;

  @State() private ownName = '';
  @State() private roomName = '';
  @State() private people = MIN_PEOPLE;
  @State() private ask = false;
  @State() private invite = '';
  @State() private errors: { name?: string; room?: string; invite?: string; relay?: string } = {};

  componentWillLoad() {
    this.ownName = this.name;
  }

  /** A name that the page sets later, unless the person wrote another one. */
  @Watch('name')
  nameChanged(name: string, before: string) {
    if (this.ownName === before) this.ownName = name;
  }

  private readonly submitCreate = (event: Event) => {
    event.preventDefault();
    const errors = { name: nameError(this.ownName, this.t), room: nameError(this.roomName, this.t), relay: this.relayError() };
    this.errors = errors;
    if (errors.name || errors.room || errors.relay) return;
    this.create({
      name: this.ownName.trim(),
      roomName: this.roomName.trim(),
      capacity: this.people,
      ask: this.people > MIN_PEOPLE && this.ask,
    });
  };

  private readonly submitJoin = (event: Event) => {
    event.preventDefault();
    const errors = { name: nameError(this.ownName, this.t), invite: inviteError(this.invite, this.t), relay: this.relayError() };
    this.errors = errors;
    if (errors.name || errors.invite || errors.relay) return;
    this.join(this.invite.trim(), this.ownName.trim());
  };

  private relayError(): string {
    return this.relay ? '' : this.t.noRelay;
  }

  private setPeople(n: number) {
    this.people = clampPeople(n);
  }

  render() {
    return <Host class="body setup">{this.content()}</Host>;
  }

  private content() {
    const { t, errors } = this;
    return [
      <div class="setup-intro">
        <h3>{t.setupTitle}</h3>
        <p class="lead">{t.setupLead}</p>
      </div>,
      <form class="form" noValidate onSubmit={this.submitCreate}>
        {this.field('name', t.yourName, this.ownName, t.namePlaceholder, errors.name, (value) => {
          this.ownName = value;
        })}
        <div class="pair">
          {this.field('room', t.roomName, this.roomName, t.roomNamePlaceholder, errors.room, (value) => {
            this.roomName = value;
          })}
          {this.peopleField()}
        </div>
        {this.people > MIN_PEOPLE && (
          <label class="check">
            <input
              type="checkbox"
              checked={this.ask}
              onChange={(event: Event) => {
                this.ask = event.target instanceof HTMLInputElement && event.target.checked;
              }}
            />
            {t.askFirst}
          </label>
        )}
        {errors.relay && (
          <p class="field-error" role="alert">
            {errors.relay}
          </p>
        )}
        <button type="submit" class="primary wide">
          {t.create}
        </button>
      </form>,
      <p class="divider">
        <span>{t.or}</span>
      </p>,
      <form class="form" noValidate onSubmit={this.submitJoin}>
        <div class="link-row">
          <input
            id="qsec2-invite"
            class={{ field: true, invalid: !!errors.invite }}
            aria-label={t.invite}
            placeholder={t.invitePlaceholder}
            value={this.invite}
            aria-invalid={String(!!errors.invite)}
            aria-describedby="qsec2-invite-error"
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            enterkeyhint="go"
            onInput={(event: InputEvent) => {
              this.invite = textOf(event);
              this.errors = {};
            }}
          />
          <button type="submit" class="secondary">
            {t.join}
          </button>
        </div>
        <p class="field-error" id="qsec2-invite-error" aria-live="polite">
          {errors.invite}
        </p>
      </form>,
    ];
  }

  private field(
    id: string,
    label: string,
    value: string,
    placeholder: string,
    error: string | undefined,
    set: (value: string) => void,
  ) {
    return (
      <div class="field-box">
        <label htmlFor={`qsec2-${id}`}>
          {label} <span class="optional">{this.t.optional}</span>
        </label>
        <input
          id={`qsec2-${id}`}
          class={{ field: true, invalid: !!error }}
          value={value}
          placeholder={placeholder}
          aria-invalid={String(!!error)}
          aria-describedby={`qsec2-${id}-error`}
          autocomplete={id === 'name' ? 'nickname' : 'off'}
          onInput={(event: InputEvent) => set(textOf(event))}
        />
        <p class="field-error" id={`qsec2-${id}-error`} aria-live="polite">
          {error}
        </p>
      </div>
    );
  }

  private peopleField() {
    const { t, people } = this;
    return (
      <div class="field-box people" role="group" aria-labelledby="qsec2-people-label" aria-describedby="qsec2-people-hint">
        <span class="label" id="qsec2-people-label">
          {t.capacity}
        </span>
        <span class="hidden-text" id="qsec2-people-hint">
          {t.capacityHint}
        </span>
        <div class="stepper">
          <button type="button" aria-label={t.fewer} disabled={people <= MIN_PEOPLE} onClick={() => this.setPeople(people - 1)}>
            <Icon of={minus} size={16} />
          </button>
          <output aria-live="polite">{people}</output>
          <button
            type="button"
            aria-label={t.moreSeats}
            disabled={people >= MAX_PEOPLE}
            onClick={() => this.setPeople(people + 1)}
          >
            <Icon of={plus} size={16} />
          </button>
        </div>
      </div>
    );
  }
}

const textOf = (event: InputEvent): string => (event.target instanceof HTMLInputElement ? event.target.value : '');
