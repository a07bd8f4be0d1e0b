import { describe, expect, it } from 'vitest';
import { reasonOf } from '../src/components/qsec2-panel/aborted.logic';
import { en } from '../src/i18n/en';
import { makeFormat } from '../src/i18n/format';
import { foldAgreement } from '../src/store/agreement.logic';
import { adviceOf } from '../src/store/problem.logic';
import type { AgreementView } from '../src/store/view';
import { fullReport, refusedStages } from './fixtures.ts';

const format = makeFormat('en');
const reason = (qber: object, code: Parameters<typeof refusedStages>[2]): string => {
  const rates = { z: 0.087, x: 0.087, combined: 0.087, upperBound: 0.1, ...qber };
  const agreement = refusedStages(fullReport({ sampled: 4_101, qber: rates }), 3, code).reduce<AgreementView | undefined>(
    (known, event) => foldAgreement(known, event),
    undefined,
  );
  return reasonOf({ agreement, notice: undefined }, en, format).replaceAll('\u00a0', ' ');
};

describe('why there is no key', () => {
  it('is an error rate above the limit', () => {
    expect(reason({ combined: 0.248, z: 0.25, x: 0.246 }, 'QBER_EXCEEDED')).toContain(
      'Error rate 24.8 % is above the 11 % limit.',
    );
  });

  it('is the rate in one basis, where both together are below the limit', () => {
    const text = reason({ z: 0.004, x: 0.17 }, 'QBER_EXCEEDED');
    expect(text).toContain('In one of the two bases the error rate is 17 %, above the 11 % limit; over both it is 8.7 %.');
    expect(text).not.toContain('8.7 % is above');
  });

  it('is how high the rate may be, where it was measured on too few bits', () => {
    const text = reason({ upperBound: 0.1132 }, 'KEY_TOO_SHORT');
    expect(text).toContain(
      'Error rate 8.7 % is below the 11 % limit, but it was measured on 4,101 bits only and may be as high as 11.3 %.',
    );
  });

  it('is that nothing of the key was left, where the rate is below the limit for certain', () => {
    expect(reason({ upperBound: 0.1 }, 'KEY_TOO_SHORT')).toContain(
      'Error rate 8.7 % is below the 11 % limit, but no key was left',
    );
  });

  it('is the failure itself where no rate says why', () => {
    expect(reason({}, 'QBER_EXCEEDED')).toContain('Key exchange stopped. Someone may be listening');
    expect(reason({}, 'RECONCILIATION_FAILED')).toContain('The two keys could not be made equal.');
    expect(reason({ combined: Number.NaN, z: Number.NaN, x: Number.NaN, upperBound: 0.5 }, 'KEY_TOO_SHORT')).toContain(
      'The key came out too short. Too few secret bits were left.',
    );
  });

  it('ends with what that means for what was written', () => {
    for (const code of ['QBER_EXCEEDED', 'KEY_TOO_SHORT', 'TIMEOUT'] as const) {
      expect(reason({}, code)).toMatch(/No messages were sent\.$/);
    }
  });
});

describe('what to do about a problem', () => {
  const problem = { message: '"relay" expected a URL', remediation: 'Correct the argument named in the message.' } as const;

  it('names the argument that is wrong', () => {
    expect(adviceOf({ ...problem, code: 'INVALID_ARGUMENT' })).toBe('"relay" expected a URL');
  });

  it('is what the failure says, or what happened where it says nothing', () => {
    expect(adviceOf({ ...problem, code: 'TIMEOUT' })).toBe(problem.remediation);
    expect(adviceOf({ ...problem, code: 'TIMEOUT', remediation: '' })).toBe(problem.message);
  });
});
