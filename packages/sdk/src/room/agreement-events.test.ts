import { describe, expect, it } from 'vitest';
import { QsecError } from '../errors.ts';
import { Emitter } from '../events.ts';
import type { AgreementStage } from '../protocol/agreement.ts';
import { toBase64url } from '../wire/index.ts';
import { AgreementEvents } from './agreement-events.ts';
import type { KeyAgreementEvent, RoomEvents } from './types.ts';

const seat = (number: number) => new Uint8Array(16).fill(number);
const A = toBase64url(seat(1));

function events() {
  const emitter = new Emitter<RoomEvents>();
  const told: KeyAgreementEvent[] = [];
  emitter.on('keyAgreement', (event) => told.push(event));
  const nameOf = (at: string) => (at === A ? 'Bo' : undefined);
  return { agreements: new AgreementEvents({ events: emitter, threshold: 0.11, nameOf }), told };
}

const stage = (name: string, counts = {}): AgreementStage =>
  ({ stage: name, attempt: 2, role: 'alice', threshold: 0.05, counts }) as unknown as AgreementStage;

describe('a key agreement', () => {
  it('is told stage by stage with whom it is, and how it ended with everything that was counted', () => {
    const { agreements, told } = events();
    expect(agreements.isUnderWay(seat(1))).toBe(false);
    agreements.stage(seat(1), stage('sifting', { pulses: 64, sifted: 30 }));
    expect(agreements.isUnderWay(seat(1))).toBe(true);
    agreements.conclude(seat(1), 'confirmed', { sifted: 31 });
    const facts = { attempt: 2, role: 'alice', threshold: 0.05, member: { seat: A, name: 'Bo' } };
    expect(told).toEqual([
      { ...facts, stage: 'sifting', counts: { pulses: 64, sifted: 30 } },
      { ...facts, stage: 'confirmed', counts: { pulses: 64, sifted: 31 } },
    ]);
    expect(agreements.isUnderWay(seat(1))).toBe(false);
  });

  it('that drops an attempt is not over by that', () => {
    const { agreements, told } = events();
    agreements.stage(seat(1), stage('aborted'));
    expect([told, agreements.isUnderWay(seat(1))]).toEqual([[], true]);
  });

  it('of which no stage was told ends as well, by what is demanded of every one', () => {
    const { agreements, told } = events();
    const error = new QsecError('ROOM_FULL', 'full');
    agreements.conclude(seat(2), 'aborted', {}, error);
    const member = { seat: toBase64url(seat(2)), name: undefined };
    expect(told).toEqual([{ attempt: 0, role: 'bob', threshold: 0.11, member, stage: 'aborted', counts: {}, error }]);
    agreements.conclude(seat(2), 'confirmed', {});
    expect(told[1]).not.toHaveProperty('error');
  });

  it('is one of 32 at most that are followed', () => {
    const { agreements } = events();
    for (let number = 0; number < 32; number++) agreements.stage(seat(number), stage('sifting'));
    expect(agreements.isUnderWay(seat(0))).toBe(true);
    agreements.stage(seat(32), stage('sifting'));
    expect([agreements.isUnderWay(seat(0)), agreements.isUnderWay(seat(1))]).toEqual([false, true]);
  });
});
