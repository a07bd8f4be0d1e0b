import { bytes, finite, integer, invalid, withMethods } from '../arguments.ts';
import type { Reconciler } from './types.ts';

/** A method of reconciliation, which may be a user's own. */
export const requireReconciler = (argument: string, method: Reconciler): Reconciler =>
  withMethods(argument, method, 'a name of a method, or a reconciler such as cascade()', 'sender', 'receiver', 'local');

/** A key of `bits` bits: as many bytes as they need, and zeros after them. */
function requireKey(argument: string, key: Uint8Array, bits: number): void {
  bytes(argument, key);
  if (key.length === 0) throw invalid(argument, 'one byte at least', key);
  integer('bits', bits, 8 * key.length - 7, 8 * key.length);
  const padding = 0xff >> (bits % 8);
  if (bits % 8 !== 0 && ((key[key.length - 1] as number) & padding) !== 0)
    throw invalid(argument, `zeros after its ${bits} bits`, key);
}

/** Half of all bits wrong is as bad as it gets. */
const requireRate = (qber: number): number => finite('qber', qber, 0, 0.5);

/** A reconciler whose every method refuses arguments that make no sense. */
export const checked = (reconciler: Reconciler): Reconciler => ({
  method: reconciler.method,
  name: reconciler.name,
  sender(key, bits, qber, budget = 0) {
    requireKey('key', key, bits);
    return reconciler.sender(key, bits, requireRate(qber), finite('budget', budget, 0));
  },
  receiver(key, bits, qber) {
    requireKey('key', key, bits);
    return reconciler.receiver(key, bits, requireRate(qber));
  },
  local(aliceBits, bobBits, qber, bits = 8 * bytes('aliceBits', aliceBits).length) {
    requireKey('aliceBits', aliceBits, bits);
    requireKey('bobBits', bytes('bobBits', bobBits, aliceBits.length), bits);
    return reconciler.local(aliceBits, bobBits, requireRate(qber), bits);
  },
});
