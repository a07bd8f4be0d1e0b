import { decodeBatch, decodePushes, encodePushes, MAX_CAPACITY, MAX_PUSHES, type Push } from '@qsec2/sdk/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EncodedBatch } from './encoded-batch.ts';
import { BATCH_HEADER_BYTES, frameFromPush, joinItems, place, readItems, timeOf } from './item.ts';
import { isTransient, parsePushes } from './parse-pushes.ts';
import { binaryFrameHeader, textFrame } from './web-socket-frames.ts';

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

describe('a push', () => {
  const accepted = (bytes: Uint8Array) => parsePushes(Buffer.from(bytes))?.length;
  const small: Push = { cid: new Uint8Array(16), transient: false, body: new Uint8Array(1) };
  const encode = (push: Partial<Push> = {}) => Buffer.from(encodePushes([{ ...small, ...push } as Push]));
  /** The same push, as often as the first two bytes say. */
  const repeated = (count: number, items = count) => {
    const item = encode().subarray(2);
    return Buffer.concat([Buffer.from([count >> 8, count & 0xff]), ...Array.from({ length: items }, () => item)]);
  };

  it.each([[1], [2], [MAX_PUSHES - 1], [MAX_PUSHES]])('may be one of %i', (count) => {
    expect(accepted(repeated(count))).toBe(count);
    expect(() => decodePushes(repeated(count))).not.toThrow();
  });

  it.each([[0], [MAX_PUSHES + 1], [0xffff]])('is not one of %i', (count) => {
    expect(accepted(repeated(count))).toBeUndefined();
    expect(() => decodePushes(repeated(count))).toThrow();
  });

  it('is refused with more or fewer behind it than were announced', () => {
    expect(accepted(repeated(3, 2))).toBeUndefined();
    expect(accepted(repeated(3, 4))).toBeUndefined();
    for (const length of [0, 1, 2]) expect(accepted(Buffer.alloc(length))).toBeUndefined();
  });

  it('has from one to as many addressees as a room has members, and no unknown flags', () => {
    const to = (count: number) => Array.from({ length: count }, () => new Uint8Array(16).fill(count));
    for (const count of [1, 2, MAX_CAPACITY - 1, MAX_CAPACITY])
      expect(parsePushes(encode({ to: to(count) }))).toMatchObject([{ addressees: count }]);
    /** As many addressees as it says, and all of them there. */
    const counted = (count: number) =>
      Buffer.concat([
        Buffer.from([0, 1, 2]),
        Buffer.alloc(16),
        Buffer.from([count]),
        Buffer.alloc(16 * count),
        Buffer.from([0, 0, 0, 1, 7]),
      ]);
    expect(accepted(counted(MAX_CAPACITY))).toBe(1);
    expect(accepted(counted(0))).toBeUndefined();
    expect(accepted(counted(MAX_CAPACITY + 1))).toBeUndefined();
    expect(accepted(counted(255))).toBeUndefined();
    for (const [flags, length] of [
      [0, 1],
      [1, 1],
      [4, undefined],
      [8, undefined],
      [255, undefined],
    ] as const) {
      const bytes = encode();
      bytes[2] = flags;
      expect(accepted(bytes), `flags ${flags}`).toBe(length);
    }
  });

  it('tells transient frames, and where its parts are', () => {
    const body = Buffer.from('body');
    const cid = Buffer.alloc(16, 9);
    const to = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)];
    for (const transient of [true, false]) {
      const bytes = encode({ cid, body, to, transient });
      const [view] = parsePushes(bytes)!;
      expect(isTransient(view!)).toBe(transient);
      expect(view).toMatchObject({ cid: 3, addressees: 2, body: 3 + 16 + 1 + 32 + 4, bodyBytes: 4 });
      expect(bytes.subarray(view!.cid, view!.cid + 16)).toEqual(cid);
      expect(bytes.subarray(view!.body, view!.body + view!.bodyBytes)).toEqual(body);
    }
    expect(parsePushes(encode({ body: new Uint8Array(0) }))).toMatchObject([{ addressees: 0, bodyBytes: 0 }]);
  });

  it('that is cut off anywhere, or has a byte too many, is refused', () => {
    const bytes = encode({ to: [new Uint8Array(16)], body: new Uint8Array(5) });
    for (let length = 0; length < bytes.length; length++)
      expect(accepted(bytes.subarray(0, length)), `${length}`).toBeUndefined();
    expect(accepted(bytes)).toBe(1);
    expect(accepted(Buffer.concat([bytes, Buffer.alloc(1)]))).toBeUndefined();
  });
});

describe('items', () => {
  it('name the seats they are for', () => {
    const to = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(255)];
    const { frame } = framesOf([{ cid: new Uint8Array(16), transient: false, body: new Uint8Array(3), to }])[0]!;
    const seats = ['AQEBAQEBAQEBAQEBAQEBAQ', '_____________________w'];
    expect(frame.to).toEqual(seats);
    expect(readItems(frame.item)).toMatchObject([{ to: seats }]);
  });

  it('keep the time at which they were taken, and count as no one else is addressed', () => {
    const { frame } = framesOf([{ cid: new Uint8Array(16), transient: false, body: new Uint8Array(3) }])[0]!;
    expect(timeOf(frame)).toBe(1234);
    expect(frame).toMatchObject({ seq: 0, to: undefined, from: sender.toString('base64url') });
    place(frame, 2 ** 48 - 1);
    expect(readItems(joinItems([frame]))).toEqual([frame]);
    expect(frame.item.length).toBe(1 + 6 + 6 + 16 + 16 + 4 + 3);
  });

  it('side by side in one memory are joined without being copied; others are, and are parts of the copy then', () => {
    const list = Array.from({ length: 3 }, (_, i) => ({
      cid: new Uint8Array(16).fill(i),
      transient: false,
      body: new Uint8Array(i),
    }));
    const frames = framesOf(list).map(({ frame }) => frame);
    const before = frames.map(({ item }) => Buffer.from(item));
    // Apart from each other in memory.
    for (const frame of frames) frame.item = Buffer.from(new Uint8Array(frame.item));
    const joined = joinItems(frames);
    expect(joined).toEqual(Buffer.concat(before));
    for (const { item } of frames) expect(item.buffer).toBe(joined.buffer);
    const again = joinItems(frames);
    expect([again.buffer, again.byteOffset, again.length]).toEqual([joined.buffer, joined.byteOffset, joined.length]);
    const part = joinItems(frames.slice(1));
    expect([part.buffer, part.byteOffset]).toEqual([joined.buffer, joined.byteOffset + before[0]!.length]);
    const turned = joinItems([frames[2]!, frames[0]!]);
    expect(turned).toEqual(Buffer.concat([before[2]!, before[0]!]));
    expect(joinItems([])).toHaveLength(0);
    // At the right place, but of another memory.
    const [first, second] = [frames[0]!, frames[1]!];
    for (const [at, frame] of [
      [0, first],
      [first.item.length, second],
    ] as const) {
      const moved = Buffer.from(new ArrayBuffer(200), at, frame.item.length);
      frame.item.copy(moved);
      frame.item = moved;
    }
    expect(joinItems([first, second])).toEqual(Buffer.concat([before[0]!, before[1]!]));
  });

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
  it('makes each of its forms once', () => {
    const batch = new EncodedBatch(1, 2, 3, Buffer.alloc(10, 7));
    expect(batch.bytes).toBe(BATCH_HEADER_BYTES + 10);
    expect(batch.plain).toBe(batch.plain);
    expect(batch.frames).toBe(batch.frames);
    expect(batch.plain.toString('hex')).toBe(`000000000001000000000002${'0003'}${'07'.repeat(10)}`);
    expect(Buffer.concat(batch.frames).subarray(-24)).toEqual(batch.plain);
  });

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

describe('WebSocket frames', () => {
  it.each([
    [0, '8100'],
    [1, '8101'],
    [125, '817d'],
    [126, '817e007e'],
    [127, '817e007f'],
    [256, '817e0100'],
    [65_535, '817effff'],
    [65_536, '817f0000000000010000'],
  ])('of %i bytes say so in the fewest bytes', (length, head) => {
    const frame = textFrame('x'.repeat(length));
    expect(frame.subarray(0, head.length / 2).toString('hex')).toBe(head);
    expect(frame.length).toBe(head.length / 2 + length);
    expect(binaryFrameHeader(length).toString('hex')).toBe(head.replace(/^81/, '82'));
  });

  it('count bytes, not characters, up to 4 GiB', () => {
    expect(textFrame('é').toString('hex')).toBe('8102c3a9');
    expect(binaryFrameHeader(2 ** 32 - 1).toString('hex')).toBe('827f00000000ffffffff');
  });
});

/** RFC 6455 §5.2, unmasked. */
function readFrame(stream: Buffer): [Buffer, Buffer] {
  const short = stream[1]!;
  const [start, length] =
    short < 126 ? [2, short] : short === 126 ? [4, stream.readUInt16BE(2)] : [10, Number(stream.readBigUInt64BE(2))];
  return [stream.subarray(start, start + length), stream.subarray(start + length)];
}
