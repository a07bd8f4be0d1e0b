import { QsecError } from '@qsec2/sdk';
import { describe, expect, it } from 'vitest';
import { foldAgreement, stageStates } from '../src/store/agreement.logic';
import type { AgreementView } from '../src/store/view';
import { fullReport, refusedStages, stagesUpTo } from './fixtures.ts';

const fold = (events: ReturnType<typeof stagesUpTo>): AgreementView | undefined =>
  events.reduce<AgreementView | undefined>((known, event) => foldAgreement(known, event), undefined);

const states = (agreement: AgreementView | undefined) => stageStates(agreement).map(({ state }) => state);

describe('a key agreement as it is told', () => {
  it('gathers the counts of every stage', () => {
    const agreement = fold(stagesUpTo('confirmed'));
    expect(agreement).toMatchObject({ outcome: 'confirmed', attempt: 1, peer: 'Bo' });
    expect(agreement?.counts).toMatchObject({ pulses: 32_768, sifted: 16_451, sampled: 4_112, disclosed: 2_304, finalBits: 256 });
  });

  it('takes the error rate from the counts when the event has none of its own', () => {
    expect(fold(stagesUpTo('estimation'))?.qber?.combined).toBe(0.0148);
  });

  it('forgets the counts of an earlier attempt', () => {
    const first = fold(stagesUpTo('estimation'));
    const second = foldAgreement(first, stagesUpTo('pulses', fullReport(), 2)[0]!);
    expect(second.attempt).toBe(2);
    expect(second.counts.sifted).toBeUndefined();
    expect(second.qber).toBeUndefined();
  });

  it('starts anew after one that was confirmed', () => {
    const again = foldAgreement(fold(stagesUpTo('confirmed')), stagesUpTo('pulses')[0]!);
    expect(again.done).toEqual(['pulses']);
  });

  it('does not mix what it knows of two members', () => {
    const [event] = stagesUpTo('pulses');
    const other = foldAgreement(fold(stagesUpTo('sifting')), { ...event!, member: { seat: 'c', name: 'Cleo' } });
    expect(other).toMatchObject({ peer: 'Cleo', done: ['pulses'] });
  });

  it('keeps the name it learned first when later events have none', () => {
    const [first, second] = stagesUpTo('sifting');
    const known = foldAgreement(undefined, first!);
    expect(foldAgreement(known, { ...second!, member: { seat: 'b', name: undefined } }).peer).toBe('Bo');
  });
});

describe('the stages on screen', () => {
  it('are all open but the first before anything was told', () => {
    expect(states(undefined)).toEqual(['running', 'open', 'open', 'open', 'open', 'open']);
  });

  it('run one after the other', () => {
    expect(states(fold(stagesUpTo('estimation')))).toEqual(['done', 'done', 'done', 'running', 'open', 'open']);
  });

  it('are all done once the key is confirmed', () => {
    expect(new Set(states(fold(stagesUpTo('confirmed'))))).toEqual(new Set(['done']));
  });

  it('stop at the estimation when the error rate was too high', () => {
    expect(states(fold(refusedStages(fullReport())))).toEqual(['done', 'done', 'stopped', 'open', 'open', 'open']);
  });

  it('stop where the run ended for any other reason', () => {
    const [pulses] = stagesUpTo('pulses');
    const error = new QsecError('TIMEOUT', 'no answer');
    const stopped = foldAgreement(foldAgreement(undefined, pulses!), { ...pulses!, stage: 'aborted', counts: {}, error });
    expect(states(stopped)).toEqual(['done', 'stopped', 'open', 'open', 'open', 'open']);
  });
});
