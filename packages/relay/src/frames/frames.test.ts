import { decodeBatch, decodePushes, encodePushes, type Push } from '@qsec2/sdk/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EncodedBatch } from './encoded-batch.ts';
import { frameFromPush, joinItems, place, readItems } from './item.ts';
import { isTransient, parsePushes } from './parse-pushes.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const push = fc
  .record({
    cid: bytes(16),
    to: fc.option(fc.array(bytes(16), { minLength: 1, maxLength: 16 }), { nil: undefined }),
    transient: fc.boolean(),
    body: fc.uint8Array({ maxLength: 300 }),
  })
  .map(({ to, ...rest }): Push => ({ ...rest, ...(to && { to }) }));
const pushes = fc.array(push, { minLength: 1, maxLength: 8 });
const sender = Buffer.alloc(16, 7);

function framesOf(list: readonly Push[]) {
  const encoded = Buffer.from(encodePushes(list));
  return parsePushes(encoded)!.map((view) => ({
    view,
    frame: frameFromPush(encoded, view, sender, sender.toString('base64url'), 1234),
  }));
}

describe('parsePushes', () => {
  it('accepts exactly what the wire contract decodes', () => {
    const accepted = (input: Uint8Array) => {
      try {
        return decodePushes(input, 0xffff_ffff).length;
      } catch {
        return undefined;
      }
    };
    const damaged = fc.tuple(pushes, fc.nat(), fc.nat(255)).map(([list, at, value]) => {
      const encoded = encodePushes(list);
      encoded[at % encoded.length] = value;
      return encoded;
    });
    const cut = fc.tuple(pushes, fc.nat()).map(([list, at]) => encodePushes(list).slice(0, at % 400));
    fc.assert(
      fc.property(fc.oneof(pushes.map(encodePushes), damaged, cut, fc.uint8Array({ maxLength: 200 })), (input) => {
        expect(parsePushes(Buffer.from(input))?.length).toBe(accepted(input));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('items', () => {
  it('make a batch that the wire contract decodes to what was pushed', () => {
    fc.assert(
      fc.property(pushes, fc.nat(2 ** 40), (list, head) => {
        const made = framesOf(list);
        let seq = head;
        for (const { view, frame } of made) if (!isTransient(view)) place(frame, ++seq);
        const frames = made.map(({ frame }) => frame);
        const batch = decodeBatch(new EncodedBatch(head + 1, seq, frames.length, joinItems(frames)).plain);
        expect([batch.from, batch.to]).toEqual([head + 1, seq]);
        batch.deliveries.forEach((delivery, i) => {
          const { cid, body, to, transient } = list[i]!;
          expect(Buffer.from(delivery.cid)).toEqual(Buffer.from(cid));
          expect(Buffer.from(delivery.body)).toEqual(Buffer.from(body));
          expect(delivery.to?.map((seat) => [...seat])).toEqual(to?.map((seat) => [...seat]));
          expect([delivery.transient, delivery.time, [...delivery.from]]).toEqual([transient, 1234, [...sender]]);
        });
      }),
    );
  });

  it('are read back from a log as they were written', () => {
    fc.assert(
      fc.property(pushes, (list) => {
        const frames = framesOf(list).map(({ frame }) => frame);
        frames.forEach((frame, i) => {
          place(frame, i + 1);
        });
        expect(readItems(joinItems(frames))).toEqual(frames);
      }),
    );
  });
});

describe('EncodedBatch', () => {
  it('puts header and attachment into frames that a WebSocket reads as two messages', () => {
    for (const size of [0, 50, 112, 1000, 65_521, 65_522, 70_000]) {
      const stream = Buffer.concat(new EncodedBatch(1, 1, 1, Buffer.alloc(size, 1)).frames);
      const [text, rest] = readFrame(stream);
      expect(text.toString()).toBe('451-["batch",{"_placeholder":true,"num":0}]');
      const [binary, end] = readFrame(rest);
      expect(binary.length).toBe(size + 14);
      expect(end.length).toBe(0);
    }
  });
});

/** RFC 6455 §5.2, unmasked. */
function readFrame(stream: Buffer): [Buffer, Buffer] {
  const short = stream[1]!;
  const [start, length] =
    short < 126 ? [2, short] : short === 126 ? [4, stream.readUInt16BE(2)] : [10, Number(stream.readBigUInt64BE(2))];
  return [stream.subarray(start, start + length), stream.subarray(start + length)];
}
