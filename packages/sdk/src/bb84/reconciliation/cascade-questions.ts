import { unpack } from '../bits.ts';
import { malformed, Reader, Writer } from '../codec.ts';
import { type Frame, MASKS } from './cascade-frame.ts';

/** A heap node of the plain order, of which only the bits in a mask count. */
export interface MaskNode {
  index: number;
  node: number;
}

/** What Bob asks in one round: the parities of the left halves of these nodes. */
export interface Questions {
  /** Heap nodes of each pass, ascending when they go over the wire. */
  nodes: readonly number[][];
  mask: MaskNode | undefined;
}

export const questionsIn = ({ nodes, mask }: Questions): number =>
  nodes.reduce((sum, list) => sum + list.length, mask === undefined ? 0 : 1);

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
  const node = (previous: number): number => {
    const read = previous + reader.varint();
    if (read < 1 || read >= size) throw malformed('a question out of range');
    return read;
  };
  const nodes = blocks.map(() => {
    const count = reader.varint();
    const list: number[] = [];
    // A count that the request does not pay for ends at its last byte.
    for (let i = 0; i < count; i++) list.push(node(list[i - 1] ?? 0));
    return list;
  });
  const index = reader.varint();
  if (index > MASKS) throw malformed('an unknown mask');
  const mask = index === 0 ? undefined : { index: index - 1, node: node(0) };
  reader.end();
  return { nodes, mask };
}

/** The answers of a message, one element each. Throws INVALID_ARGUMENT when it has another number of them. */
export function readParities(message: Uint8Array, count: number): Uint8Array {
  const reader = new Reader(message);
  const parities = unpack(reader.bits(count), count);
  reader.end();
  return parities;
}
