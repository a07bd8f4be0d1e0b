import { createDecipheriv } from 'node:crypto';
import type { Patch } from '../../support/test-build.ts';
import { expandLabel, guarded } from './eavesdropper.ts';

/** Somebody who gets hold of a member's memory. */

/** Makes private fields of the SDK readable, so that everything reachable can be walked. */
export const LAID_OPEN: Patch = (source) => source.replaceAll(/(?<![\w&'"`/])#([a-z]\w*)/g, '_private_$1');

/** Every array of 32 bytes that is reachable from `root`, without going through what is in `beyond`. */
export function keyMaterialIn(root: unknown, beyond: Set<unknown>): Buffer[] {
  const seen = new Set<unknown>(beyond);
  const found: Buffer[] = [];
  const waiting: unknown[] = [root];
  for (let value = waiting.pop(); value !== undefined || waiting.length > 0; value = waiting.pop()) {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof Uint8Array) {
      // A key is an array of its own, or lies in a longer one on a boundary of four bytes.
      for (let at = 0; at + 32 <= Math.min(value.length, 160); at += 4) found.push(Buffer.from(value.subarray(at, at + 32)));
      continue;
    }
    if (value instanceof Map) waiting.push(...value.keys(), ...value.values());
    if (value instanceof Set) waiting.push(...value);
    for (const name of Reflect.ownKeys(value)) {
      const property = Reflect.getOwnPropertyDescriptor(value, name);
      if (property && 'value' in property) waiting.push(property.value);
    }
  }
  return [...new Map(found.map((bytes) => [bytes.toString('hex'), bytes])).values()];
}

/** Steps that the thief tries from each candidate: as many as the test has messages. */
const STEPS = 8;

/** Message keys that descend from a candidate within a few steps, itself taken for a chain key. */
function keysFrom(candidate: Buffer): { key: Buffer; nonce: Buffer }[] {
  const keys: { key: Buffer; nonce: Buffer }[] = [];
  for (let chain = candidate; keys.length < STEPS; ) {
    const okm = expandLabel(chain, 'step', Buffer.alloc(0), 76);
    keys.push({ key: okm.subarray(32, 64), nonce: okm.subarray(64) });
    chain = okm.subarray(0, 32);
  }
  return keys;
}

/** What a frame says besides its box: where guard and box begin, and what stands behind the box. */
const LAYOUT: Readonly<Record<number, { guard: number; box: number; behind: number }>> = {
  // sid 16 | epoch 4 | counter 4 | guard 4 | box | MAC 16
  2: { guard: 24, box: 28, behind: 16 + 16 },
  // epoch id 8 | tag 4 | counter 4 | guard 4 | box | signature 64
  3: { guard: 16, box: 20, behind: 16 + 64 },
};

/**
 * Decrypts pair and group frames with every key that follows from the candidates. The additional data is not needed for that: without
 * its tag AES-GCM is counter mode, whose counter begins at 2 (SP 800-38D §7.2).
 */
export function readWith(candidates: readonly Buffer[], bodies: readonly Uint8Array[]): Buffer[] {
  const read: Buffer[] = [];
  for (const { key, nonce } of candidates.flatMap(keysFrom)) {
    for (const body of bodies) {
      const layout = LAYOUT[body[1] ?? 0];
      if (!layout) continue;
      const frame = Buffer.from(body).subarray(2);
      const [guard, box] = [frame.subarray(layout.guard, layout.guard + 4), frame.subarray(layout.box, -layout.behind)];
      const cipher = createDecipheriv('aes-256-ctr', key, Buffer.concat([guarded(nonce, guard), Buffer.from([0, 0, 0, 2])]));
      const first = cipher.update(box.subarray(0, 16));
      // length u32 | kind 1: hardly anything but a text or an announced chain begins so.
      if (first.readUInt32BE(0) < box.length && first[4] === 1)
        read.push(Buffer.concat([first, cipher.update(box.subarray(16))]));
    }
  }
  return read;
}

/** Reads on with every chain that is announced in what was read, as long as there is more. */
export function readOn(candidates: readonly Buffer[], bodies: readonly Uint8Array[]): Buffer[] {
  const read: Buffer[] = [];
  for (let keys = candidates; keys.length > 0; ) {
    const found = readWith(keys, bodies);
    read.push(...found);
    // length 4 | kind 1 | length 4 | epoch 4 | epoch id 8 | counter 4 | chain key 32
    keys = found.filter((plain) => plain.length > 57 && plain.readUInt32BE(5) === 116).map((plain) => plain.subarray(25, 57));
  }
  return read;
}
