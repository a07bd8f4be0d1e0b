import { Component, Element, Host, Prop, State } from '@stencil/core';
import type { Dictionary } from '../../i18n';
import type { Format } from '../../i18n/format';
import { loadSecurityWords, type SecurityDictionary } from '../../i18n/security';
import { Shield } from '../../icons/shield';
import { Gauge } from '../../parts/gauge/gauge';
import { Pipeline } from '../../parts/pipeline/pipeline';
import { SheetHead } from '../../parts/sheet-head';
import type { AgreementView, MemberView, View } from '../../store/view';
import { adoptStyles } from '../../styles/adopt';
import sheet from '../../styles/sheet.css';
import { h } from '../../vdom';
import css from './qsec2-security.css';
import { ageOf, groupsOf, shownAgreement, verdictOf } from './qsec2-security.logic';

const SHEET = [sheet, css];

/** A key's age is told in minutes; twice a minute keeps it true. */
const AGE_EVERY_MS = 30_000;

/**
 * How this chat is protected, and against what it is not.
 *
 * @internal
 */
@Component({ tag: 'qsec2-security' })
export class Qsec2Security {
  @Element() private readonly el!: HTMLElement;

  @Prop() readonly view!: View;
  /** The panel's words, with what the page replaced. */
  @Prop() readonly words!: Dictionary;
  @Prop() readonly language: string = 'en';
  @Prop() readonly dictionary: Partial<Dictionary & SecurityDictionary> | undefined;
  @Prop() readonly format!: Format;
  @Prop() readonly dismiss!: () => void;
  @Prop() readonly verify!: (memberId: string) => void;

  @State() private chosen = '';
  @State() private now = new Date();

  private t!: Dictionary & SecurityDictionary;
  private clock: ReturnType<typeof setInterval> | undefined;

  connectedCallback() {
    adoptStyles(this.el, SHEET);
    this.clock = setInterval(() => {
      this.now = new Date();
    }, AGE_EVERY_MS);
  }

  disconnectedCallback() {
    clearInterval(this.clock);
  }

  async componentWillLoad() {
    this.t = { ...this.words, ...(await loadSecurityWords(this.language)), ...this.dictionary };
  }

  componentDidLoad() {
    this.el.querySelector<HTMLElement>('.sheet-head button')?.focus();
  }

  render() {
    return (
      <Host class="sheet" role="region" aria-labelledby="qsec2-security-title">
        {this.content()}
      </Host>
    );
  }

  private content() {
    const { view, t, format } = this;
    const member =
      view.members.find(({ id }) => id === this.chosen) ?? view.members.find(({ waiting }) => !waiting) ?? view.members[0];
    const agreement = shownAgreement(view, member);
    return [
      <SheetHead titleId="qsec2-security-title" back={t.back} onBack={this.dismiss}>
        {t.security}
      </SheetHead>,
      <div class="sheet-body" part="security" tabIndex={0} role="group" aria-labelledby="qsec2-security-title">
        <p class={{ verdict: true, bad: view.phase === 'aborted' }}>
          <Shield filled={!!member?.verified} size={24} />
          <span>{verdictOf(view, t)}</span>
        </p>
        {view.members.length > 1 && this.memberPicker(member)}
        {member && this.safety(member)}
        <section>
          <h4>{t.channel}</h4>
          {agreement ? <Gauge id="security" agreement={agreement} t={t} format={format} /> : <p class="lead">{t.noReport}</p>}
          {agreement?.qber && <p class="small-print">{t.upperBound(format.percent(agreement.qber.upperBound))}</p>}
        </section>
        {agreement && (
          <section>
            <h4>{t.pipeline}</h4>
            <Pipeline agreement={agreement} t={t} format={format} />
          </section>
        )}
        {this.key(agreement)}
        {this.scope(agreement)}
      </div>,
    ];
  }

  private memberPicker(member: MemberView | undefined) {
    return (
      <div class="people-row">
        {this.view.members.map(({ id, name, verified }) => (
          <button
            type="button"
            key={id}
            class="person"
            aria-pressed={String(id === member?.id)}
            onClick={() => {
              this.chosen = id;
            }}
          >
            <Shield filled={verified} />
            {name}
          </button>
        ))}
      </div>
    );
  }

  private safety(member: MemberView) {
    const { t } = this;
    return (
      <section>
        <h4>{t.safetyNumber}</h4>
        <p class="lead">{t.safetyLead(member.name)}</p>
        <ol class="digits" part="safety-number">
          {groupsOf(member.safetyNumber).map((group) => (
            <li>{group}</li>
          ))}
        </ol>
        <ul class="emoji" aria-label={t.safetyEmoji}>
          {member.emoji.map(({ symbol, name }) => (
            <li>
              <span aria-hidden="true">{symbol}</span>
              {name}
            </li>
          ))}
        </ul>
        <qsec2-qr text={member.qr} label={t.qrSafety} />
        {member.verified ? (
          <p class="verified-line">
            <Shield filled={true} />
            {t.isVerified(member.name)}
          </p>
        ) : (
          <button type="button" class="primary wide" onClick={() => this.verify(member.id)}>
            {t.markVerified}
          </button>
        )}
        {(member.creator || (member.attested && !this.view.creator)) && (
          <p class="small-print">{member.creator ? t.isCreator(member.name) : t.attested(member.name)}</p>
        )}
      </section>
    );
  }

  private key(agreement: AgreementView | undefined) {
    const { t, format } = this;
    const { security } = this.view;
    if (!security) return undefined;
    const { method, rounds, provenance, channel } = agreement?.counts ?? {};
    const facts: [string, string | undefined][] = [
      [t.epoch, security.agreedAt && format.count(security.epoch)],
      [t.age, security.agreedAt && ageOf(security.agreedAt, this.now, undefined, t.ageJust)],
      [t.suite, security.suite],
      [t.source, channel ?? (provenance && (provenance === 'simulated' ? t.simulated : t.hardware))],
      [t.method, method && rounds !== undefined ? t.methodFigure(method.toUpperCase(), rounds) : undefined],
    ];
    return (
      <section>
        <h4>{t.keySection}</h4>
        <dl class="facts">
          {facts.map(
            ([name, value]) =>
              value && (
                <div>
                  <dt>{name}</dt>
                  <dd>{value}</dd>
                </div>
              ),
          )}
        </dl>
      </section>
    );
  }

  private scope(agreement: AgreementView | undefined) {
    const { t, view } = this;
    const provenance = agreement?.counts.provenance ?? view.security?.provenance;
    return (
      <section class="scope">
        {provenance && <p class="truth">{provenance === 'simulated' ? t.simulatedTruth : t.hardwareTruth}</p>}
        <h4>{t.protects}</h4>
        <ul class="yes">
          {t.protectsList.map((line) => (
            <li>{line}</li>
          ))}
        </ul>
        <h4>{t.protectsNot}</h4>
        <ul class="no">
          {t.protectsNotList.map((line) => (
            <li>{line}</li>
          ))}
        </ul>
      </section>
    );
  }
}
