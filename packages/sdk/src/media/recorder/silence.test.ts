import { expect, it } from 'vitest';
import { READINGS_PER_SECOND } from './loudness.ts';
import { Silence } from './silence.ts';

const after = (seconds: number, level: number | undefined, silence = new Silence()): Silence => {
  for (let i = 0; i < seconds * READINGS_PER_SECOND; i++) silence.add(level);
  return silence;
};

it('silence is what is below a thousandth of full scale', () => {
  expect(after(3, 0.00099).lasts).toBe(true);
  expect(after(60, 0.001).lasts).toBe(false);
});

it('silence is not what was not measured, and that was not heard either', () => {
  expect(after(60, undefined).lasts).toBe(false);
  expect(after(3, 0, after(1, undefined)).lasts).toBe(true);
  expect(after(3, 0, after(1, 0.1)).lasts).toBe(false);
  expect(after(6, 0, after(1, 0.1)).lasts).toBe(true);
});
