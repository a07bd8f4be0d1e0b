import type { Report } from '@qsec2/sdk';
import type { SecurityDictionary } from '../../i18n/security';
import type { AgreementView, MemberView, View } from '../../store/view';

/** One sentence for the whole state. */
export function verdictOf(
  { phase, members }: Pick<View, 'phase' | 'members'>,
  t: SecurityDictionary & { someone: string },
): string {
  if (phase === 'aborted') return t.verdictAborted;
  const here = members.filter(({ waiting }) => !waiting);
  if (here.length === 0) return t.verdictNone;
  const names = here.map(({ name }) => name || t.someone).join(', ');
  return here.every(({ verified }) => verified) ? t.verdictVerified(names) : t.verdictSecure(names);
}

/** The finished key agreement with a member in the shape that gauge and pipeline draw. */
export function agreementOf(report: Report, threshold: number, name: string): AgreementView {
  const { spans: _spans, ...counts } = report;
  return {
    seat: '',
    peer: name,
    role: 'alice',
    attempt: 1,
    outcome: 'confirmed',
    done: [],
    counts,
    qber: report.qber,
    threshold,
    problem: undefined,
  };
}

/** What there is to show of the channel: the member's report, else the agreement that is running or was refused. */
export function shownAgreement(
  view: Pick<View, 'agreement' | 'phase'>,
  member: MemberView | undefined,
): AgreementView | undefined {
  if (!member?.report || view.phase === 'aborted') return view.agreement;
  return agreementOf(member.report, view.agreement?.threshold ?? 0.11, member.name);
}

/** The groups of a safety number. */
export const groupsOf = (safetyNumber: string): readonly string[] => safetyNumber.split(' ').filter(Boolean);

const MINUTE = 60_000;

/** Age in the reader's language, in whole minutes, hours or days. */
export function ageOf(since: Date, now: Date, lang: string | undefined, lessThanMinute: string): string {
  const minutes = Math.floor((now.getTime() - since.getTime()) / MINUTE);
  if (minutes < 1) return lessThanMinute;
  const [value, unit] =
    minutes < 60
      ? [minutes, 'minute']
      : minutes < 1440
        ? [Math.floor(minutes / 60), 'hour']
        : [Math.floor(minutes / 1440), 'day'];
  return new Intl.NumberFormat(lang, { style: 'unit', unit: String(unit), unitDisplay: 'long' }).format(Number(value));
}
