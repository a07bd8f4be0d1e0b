import { afterEach, describe, expect, it, vi } from 'vitest';
import { QSEC_ERROR_CODES, QsecError, type QsecErrorCode } from './errors.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

const remediationOf = (code: QsecErrorCode) => new QsecError(code, '').remediation;

describe('what to do about a failure', () => {
  it('is said of every code, in a sentence', () => {
    for (const code of QSEC_ERROR_CODES) expect(remediationOf(code)).toMatch(/^[A-Z].{10,}\.$/);
  });

  it.each(['STORAGE_UNAVAILABLE', 'ROOM_OPEN_ELSEWHERE'] as const)('speaks of no browser where there is none: %s', (code) => {
    expect(remediationOf(code)).toMatch(/storage/);
    expect(remediationOf(code)).not.toMatch(/browser|tab\b|private browsing/);
    vi.stubGlobal('indexedDB', {});
    expect(remediationOf(code)).toMatch(/brows/);
  });

  it('is what the error itself knows better', () => {
    expect(new QsecError('TIMEOUT', 'x', { remediation: 'Wait.' }).remediation).toBe('Wait.');
  });
});
