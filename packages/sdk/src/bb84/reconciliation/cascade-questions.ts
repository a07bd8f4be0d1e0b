import { malformed, Reader, Writer } from '../codec.ts';
import { type Frame, MASKS } from './cascade-frame.ts';

/** What Bob asks in one round. */
export interface Questions {
  /** Heap nodes of each pass, ascending when they go over the wire. */
  nodes: readonly Int32Array[];
  /** A node of the plain order, of which only the bits in a mask count. */
  mask?: { index: number; node: number };
}

/** For each pass the number of nodes and the gaps between them, then the mask (0 for none) and its node; all varints. */
export function encodeQuestions({ nodes, mask }: Questions): Uint8Array {
  const writer = new Writer();
  for (const list of nodes) {
    writer.varint(list.length);
    let previous = 0;
    for (const node of list) {
      writer.varint(node - previous);
      previous = node;
    }
  }
  writer.varint(mask ? mask.index + 1 : 0);
  if (mask) writer.varint(mask.node);
  return writer.finish();
}

export function decodeQuestions(request: Uint8Array, { size, blocks }: Frame): Questions {
  const reader = new Reader(request);
  const nodes = blocks.map(() => {
    const count = reader.varint();
    if (count > request.length) throw malformed('more questions than bytes');
    const list = new Int32Array(count);
    let previous = 0;
    for (let i = 0; i < count; i++) {
      previous += reader.varint();
      if (previous < 1 || previous >= 2 * size) throw malformed('a question out of range');
      list[i] = previous;
    }
    return list;
  });
  const index = reader.varint();
  if (index > MASKS) throw malformed('an unknown mask');
  const node = index === 0 ? 1 : reader.varint();
  if (node < 1 || node >= 2 * size) throw malformed('a question out of range');
  reader.end();
  return index === 0 ? { nodes } : { nodes, mask: { index: index - 1, node } };
}
