import { expect, test } from 'vitest';
import { QsecError } from '../../errors.ts';
import { flipBit } from '../bits.ts';
import { randomBits } from '../random.ts';
import { cascade } from './cascade.ts';
import { withFallback } from './fallback.ts';
import { ldpc } from './ldpc.ts';

test('when the code fails, Cascade takes over, and both methods’ bits are counted', () => {
  const alice = randomBits(6000);
  const bob = alice.slice();
  for (let i = 0; i < 6000; i += 8) flipBit(bob, i);
  const reconciler = withFallback(ldpc(), cascade());
  const alone = ldpc().local(alice, bob, 0.01, 6000);
  expect(alone.ok).toBe(false);

  const sender = reconciler.sender(alice, 6000, 0.01);
  const receiver = reconciler.receiver(bob, 6000, 0.01);
  let request = receiver.receive(sender.first());
  while (request) request = receiver.receive(sender.answer(request));
  expect(receiver.failed).toBe(false);
  expect(receiver.key).toEqual(alice);
  expect(receiver.corrected).toBe(750);
  expect(receiver.disclosed).toBe(sender.disclosed);
  expect(receiver.disclosed).toBeGreaterThan(alone.disclosed + 3000);
  expect(receiver.rounds).toBeGreaterThan(alone.rounds);
});

test('as long as the code decodes, nothing else is asked for', () => {
  const alice = randomBits(6000);
  const bob = alice.slice();
  for (let i = 5; i < 6000; i += 100) flipBit(bob, i);
  expect(withFallback(ldpc(), cascade()).local(alice, bob, 0.01, 6000)).toEqual(ldpc().local(alice, bob, 0.01, 6000));
});

test('without it, asking for the other method is refused', () => {
  const sender = ldpc().sender(randomBits(2000), 2000, 0.02);
  sender.first();
  expect(() => sender.answer(new Uint8Array(0))).toThrow(QsecError);
});
