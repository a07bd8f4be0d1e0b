import { describe, expect, it } from 'vitest';
import { type FileSource, openSource } from './source.ts';

const MIB = 1 << 20;

async function pieces(stream: ReadableStream<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) all.push(next.value);
  return all;
}

describe('a source of a file', () => {
  const bytes = Uint8Array.from({ length: 2 * MIB + 3 }, (_, i) => i * 31 + (i >> 8));

  it.each([
    [0, []],
    [1, [1]],
    [MIB, [MIB]],
    [MIB + 1, [MIB, 1]],
    [2 * MIB, [MIB, MIB]],
    [2 * MIB + 3, [MIB, MIB, 3]],
  ])('of %d bytes is read a MiB at a time, with nothing behind its end', async (size, lengths) => {
    const content = bytes.subarray(0, size);
    for (const source of [content, new Blob([content])]) {
      const opened = openSource(source);
      expect(opened.size).toBe(size);
      const read = await pieces(opened.stream);
      expect(read.map(({ length }) => length)).toEqual(lengths);
      expect(Buffer.compare(Buffer.concat(read), content)).toBe(0);
    }
  });

  it('that is a file on a disk has its name, its type and itself', async () => {
    const file = new File([Uint8Array.of(1, 2)], 'a.png', { type: 'image/png' });
    const { stream: _, blob, ...opened } = openSource(file);
    expect(opened).toEqual({ size: 2, name: 'a.png', type: 'image/png', file });
    expect(blob?.()).toBe(file);
  });

  it('that is a Blob has no name, and a type where it was given one', () => {
    const typed = new Blob(['x'], { type: 'text/plain' });
    expect(openSource(typed)).toMatchObject({ name: undefined, type: 'text/plain', file: undefined });
    expect(openSource(typed).blob?.()).toBe(typed);
    expect(openSource(new Blob(['x'])).type).toBeUndefined();
  });

  it('that is an array can be had again as a Blob', async () => {
    const opened = openSource(Uint8Array.of(1, 2, 3));
    expect(opened).toMatchObject({ size: 3, name: undefined, type: undefined, file: undefined });
    expect([...new Uint8Array((await opened.blob?.().arrayBuffer()) as ArrayBuffer)]).toEqual([1, 2, 3]);
  });

  it('that is a stream is that stream, of unknown length', () => {
    const stream = new ReadableStream<Uint8Array>();
    expect(openSource(stream)).toEqual({
      stream,
      size: undefined,
      name: undefined,
      type: undefined,
      file: undefined,
      blob: undefined,
    });
  });

  it('that cannot be read any more fails with a code, a sentence and the reason', async () => {
    class Moved extends Blob {
      override slice(): Blob {
        return { arrayBuffer: () => Promise.reject(new DOMException('gone', 'NotFoundError')) } as unknown as Blob;
      }
    }
    await expect(pieces(openSource(new Moved(['x'])).stream)).rejects.toMatchObject({
      code: 'FILE_UNREADABLE',
      message: expect.stringMatching(/^[A-Z].{20,}\.$/),
      cause: { name: 'NotFoundError' },
    });
  });

  it.each([null, undefined, 'text', 7, {}, [1, 2], new ArrayBuffer(4), new Uint16Array(4)])('is none of: %j', (value) => {
    expect(() => openSource(value as unknown as FileSource)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('"file"') }),
    );
  });
});
