import { type Dictionary, problemTitle } from '../../i18n';
import type { Format } from '../../i18n/format';
import { adviceOf } from '../../store/problem.logic';
import type { AgreementView, View } from '../../store/view';

/** Why there is no key, in figures where there are some: a rate below the limit is no reason by itself. */
export function reasonOf({ agreement, notice }: Pick<View, 'agreement' | 'notice'>, t: Dictionary, format: Format): string {
  const problem = agreement?.problem ?? notice;
  const measured = agreement?.qber && measuredReason(agreement, problem?.code, t, format);
  if (measured) return `${measured} ${t.noneSent}`;
  return problem ? `${problemTitle(problem.code, t)}. ${adviceOf(problem)} ${t.noneSent}` : t.noneSent;
}

function measuredReason(
  { qber, threshold, counts }: AgreementView,
  code: string | undefined,
  t: Dictionary,
  { percent, count }: Format,
): string | undefined {
  if (!qber) return undefined;
  const { combined, upperBound } = qber;
  const [rate, limit] = [percent(combined), percent(threshold)];
  if (code === undefined || code === 'QBER_EXCEEDED') {
    if (combined > threshold) return t.abortedQber(rate, limit);
    // Each basis is held to the limit by itself: who listens in one of them leaves nothing in the other.
    const worst = Math.max(...[qber.z, qber.x].filter((one) => one > threshold));
    return Number.isFinite(worst) ? t.abortedBasis(percent(worst), rate, limit) : undefined;
  }
  if (code !== 'KEY_TOO_SHORT' || !(combined >= 0)) return undefined;
  if (upperBound > threshold) return t.abortedBound(rate, limit, percent(Math.min(0.5, upperBound)), count(counts.sampled ?? 0));
  return t.abortedNoKey(rate, limit);
}
