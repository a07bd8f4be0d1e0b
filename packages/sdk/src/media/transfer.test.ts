import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QsecError } from '../errors.ts';
import type { BlobChunk, BlobProgress, RelayErrorCode, Reply } from '../wire/index.ts';
import type { BlobPort } from './blob-port.ts';
import { download } from './download.ts';
import { chunkCount } from './layout.ts';
import { openFile } from './open.ts';
import { sealFile } from './seal.ts';
import { openSource } from './source.ts';
import { upload } from './upload.ts';

const UNREACHABLE = () => new QsecError('RELAY_UNREACHABLE', 'cut');

/** A relay's blobs behind a connection that fails as told: before a request arrives, or before its reply does. */
class FaultyPort implements BlobPort {
  chunks: Uint8Array[] = [];
  complete = false;
  dropped = 0;
  puts = 0;
  requests = 0;
  inFlight = 0;
  mostInFlight = 0;
  /** Asked once for each request; what happens to it. */
  fault: (request: number) => 'none' | 'lost' | 'reply lost' | RelayErrorCode = () => 'none';

  async ready(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
  }

  put = ({ index, last }: { index: number; last: boolean }, chunk: Uint8Array): Promise<Reply<BlobProgress>> => {
    this.puts++;
    return this.#request(() => {
      if (index === this.chunks.length && !this.complete) {
        this.chunks.push(chunk.slice());
        this.complete = last;
      }
      return { ok: { chunks: this.chunks.length, complete: this.complete } };
    });
  };

  get = ({ index }: { index?: number }): Promise<Reply<BlobChunk>> =>
    this.#request(() => {
      if (this.chunks.length === 0) return { error: { code: 'NO_BLOB', message: '' } };
      const data = index === undefined ? undefined : this.chunks[index];
      return { ok: { chunks: this.chunks.length, complete: this.complete, ...(data && { data }) } };
    });

  drop = async (): Promise<Reply<true>> => {
    this.dropped++;
    this.chunks = [];
    return { ok: true };
  };

  async #request<T>(work: () => Reply<T>): Promise<Reply<T>> {
    const fault = this.fault(this.requests++);
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
    try {
      await Promise.resolve();
      if (fault === 'lost') throw UNREACHABLE();
      if (fault !== 'none' && fault !== 'reply lost') return { error: { code: fault, message: '', retryAfterMs: 1 } };
      const reply = work();
      await Promise.resolve();
      if (fault === 'reply lost') throw UNREACHABLE();
      return reply;
    } finally {
      this.inFlight--;
    }
  }
}

const content = (size: number) => Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 9)) & 0xff);
const never = () => new AbortController().signal;

async function send(port: BlobPort, bytes: Uint8Array, signal = never()) {
  const sealing = await sealFile(openSource(bytes).stream);
  await upload(port, sealing, { signal });
  return sealing.sealed;
}

async function fetchAll(port: BlobPort, sealed: Awaited<ReturnType<typeof send>>): Promise<Buffer> {
  const boxes = download(port, { id: sealed.id, count: chunkCount(sealed.size) });
  return Buffer.from(await new Response(openFile(boxes, sealed)).arrayBuffer());
}

describe('a transfer', () => {
  it('brings a file there and back whatever happens to the connection, and every chunk is stored once', async () => {
    const kinds = fc.constantFrom('none', 'none', 'none', 'lost', 'reply lost', 'RATE_LIMITED', 'UNAVAILABLE', 'NOT_JOINED');
    const schedule = fc.array(kinds as fc.Arbitrary<ReturnType<FaultyPort['fault']>>, { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(fc.nat(1_500_000), schedule, schedule, async (size, up, down) => {
        const port = new FaultyPort();
        const bytes = content(size);
        port.fault = (request) => up[request] ?? 'none';
        const sealed = await send(port, bytes);
        expect(port.chunks).toHaveLength(chunkCount(size));
        port.requests = 0;
        port.fault = (request) => down[request] ?? 'none';
        expect(Buffer.compare(await fetchAll(port, sealed), bytes)).toBe(0);
        expect(port.mostInFlight).toBeLessThanOrEqual(16);
      }),
      { numRuns: 10 },
    );
  });

  it('sends again what was not acknowledged, and nothing else', async () => {
    const port = new FaultyPort();
    const count = chunkCount(3_000_000);
    port.fault = (request) => (request === 30 ? 'lost' : 'none');
    await send(port, content(3_000_000));
    expect(port.chunks).toHaveLength(count);
    expect(port.puts).toBeLessThanOrEqual(count + 16);
  });

  it('ends when the relay has no space, lost what it had, or refuses', async () => {
    const port = new FaultyPort();
    port.fault = (request) => (request === 3 ? 'QUOTA' : 'none');
    await expect(send(port, content(1_000_000))).rejects.toMatchObject({ code: 'FILE_TOO_LARGE' });
    port.fault = () => 'REFUSED';
    await expect(send(port, content(10))).rejects.toMatchObject({ code: 'RELAY_REFUSED' });
    const forgetful = new FaultyPort();
    forgetful.fault = (request) => {
      if (request === 20) forgetful.chunks = [];
      return request === 20 ? 'lost' : 'none';
    };
    await expect(send(forgetful, content(3_000_000))).rejects.toMatchObject({ code: 'FILE_GONE' });
  });

  it('that is cancelled ends at once, even while its source or the relay gives nothing', async () => {
    const port = new FaultyPort();
    const stop = new AbortController();
    const cancelled: unknown[] = [];
    const silent = new ReadableStream<Uint8Array>({ cancel: (reason) => void cancelled.push(reason) }, { highWaterMark: 0 });
    const waiting = upload(port, await sealFile(silent), { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(cancelled).toHaveLength(1);

    const hanging = new FaultyPort();
    hanging.put = () => new Promise(() => undefined);
    const again = new AbortController();
    const stuck = send(hanging, content(10), again.signal);
    await expect.poll(() => hanging.requests + 1).toBeGreaterThan(0);
    again.abort(new Error('enough'));
    await expect(stuck).rejects.toThrow('enough');
  });

  it('goes on when the relay is busy as it is asked how far it got', async () => {
    for (const code of ['UNAVAILABLE', 'RATE_LIMITED', 'NOT_JOINED'] as const) {
      const port = new FaultyPort();
      let broken = false;
      let asked = 0;
      port.fault = () => {
        if (port.chunks.length === 20 && !broken) {
          broken = true;
          return 'lost';
        }
        return 'none';
      };
      const { get } = port;
      port.get = async (request) => (asked++ < 2 ? { error: { code, message: '', retryAfterMs: 1 } } : get(request));
      await send(port, content(3_000_000));
      expect(port.chunks).toHaveLength(chunkCount(3_000_000));
      expect(asked).toBe(3);
    }
  });

  it('goes on when the connection fails as the relay is asked how far it got', async () => {
    const port = new FaultyPort();
    let asked = 0;
    port.fault = (request) => (request === 20 ? 'lost' : 'none');
    const { get } = port;
    port.get = async (request) => {
      if (asked++ === 0) throw UNREACHABLE();
      return get(request);
    };
    await send(port, content(3_000_000));
    expect(port.chunks).toHaveLength(chunkCount(3_000_000));
  });

  it.each([
    ['REFUSED', 'RELAY_REFUSED'],
    ['QUOTA', 'FILE_TOO_LARGE'],
  ] as const)('ends when the relay refuses for good (%s), at a chunk or at the question how far it got', async (code, told) => {
    const port = new FaultyPort();
    port.fault = () => code;
    await expect(send(port, content(3_000_000))).rejects.toMatchObject({ code: told });

    const asked = new FaultyPort();
    asked.fault = (request) => (request === 20 ? 'lost' : 'none');
    asked.get = async () => ({ error: { code, message: '' } });
    await expect(send(asked, content(3_000_000))).rejects.toMatchObject({ code: told });
  });

  it('ends with what a request fails with, when that is no matter of the connection', async () => {
    const failure = new Error('out of memory');
    const port = new FaultyPort();
    port.put = () => Promise.reject(failure);
    await expect(send(port, content(3_000_000))).rejects.toBe(failure);

    const asked = new FaultyPort();
    asked.fault = (request) => (request === 20 ? 'lost' : 'none');
    asked.get = () => Promise.reject(failure);
    await expect(send(asked, content(3_000_000))).rejects.toBe(failure);
    // The same failure at the last chunk, behind which nothing is read any more.
    const last = new FaultyPort();
    last.put = async (request) => {
      if (request.last) throw failure;
      return { ok: { chunks: request.index + 1, complete: false } };
    };
    await expect(send(last, content(200_000))).rejects.toBe(failure);
  });

  it('reads no more than a window ahead of what the relay has', async () => {
    const port = new FaultyPort();
    const handed: number[] = [];
    port.put = (request) => {
      handed.push(request.index);
      return new Promise(() => undefined);
    };
    let read = 0;
    const source = new ReadableStream<Uint8Array>(
      { pull: (controller) => controller.enqueue(content(65_520 + 0 * read++)) },
      { highWaterMark: 0 },
    );
    const stop = new AbortController();
    const waiting = upload(port, await sealFile(source), { signal: stop.signal });
    await expect.poll(() => handed.length).toBe(16);
    // A turn for each thing that may still come.
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(handed).toEqual(Array.from({ length: 16 }, (_, i) => i));
    // What is sealed ahead, and no file of any size.
    expect(read).toBeLessThanOrEqual(16 + 12);
    stop.abort(new Error('enough'));
    port.put = new FaultyPort().put;
    await expect(waiting).rejects.toThrow('enough');
  });

  it('tells how many chunks the relay has, each number once and rising', async () => {
    const port = new FaultyPort();
    port.fault = (request) => (request % 9 === 8 ? 'reply lost' : 'none');
    const told: number[] = [];
    const sealing = await sealFile(openSource(content(2_000_000)).stream);
    await upload(port, sealing, { signal: never(), onChunk: (chunks) => told.push(chunks) });
    expect(told).toEqual([...new Set(told)].sort((a, b) => a - b));
    expect(told.at(-1)).toBe(chunkCount(2_000_000));
    const got: number[] = [];
    const sealed = await sealing.sealed;
    port.fault = () => 'none';
    const boxes = download(port, { id: sealed.id, count: chunkCount(sealed.size), onChunk: (chunks) => got.push(chunks) });
    await new Response(openFile(boxes, sealed)).arrayBuffer();
    expect(got).toEqual(Array.from({ length: chunkCount(2_000_000) }, (_, i) => i + 1));
  });

  it('of a file that is not there, or there in part, says so', async () => {
    const port = new FaultyPort();
    const sealed = await send(port, content(200_000));
    const whole = port.chunks;
    port.chunks = whole.slice(0, 2);
    await expect(fetchAll(port, sealed)).rejects.toMatchObject({ code: 'FILE_GONE' });
    port.chunks = [];
    await expect(fetchAll(port, sealed)).rejects.toMatchObject({ code: 'FILE_GONE' });
    port.chunks = [...whole.slice(0, 1), 'no bytes' as unknown as Uint8Array];
    await expect(fetchAll(port, sealed)).rejects.toMatchObject({ code: 'FILE_CORRUPT' });
  });

  it('waits for its connection once, however many chunks wait for it', async () => {
    const port = new FaultyPort();
    const sealed = await send(port, content(5_000_000));
    let waiting = 0;
    let most = 0;
    const { ready } = port;
    port.ready = async (signal) => {
      most = Math.max(most, ++waiting);
      await ready(signal);
      waiting--;
    };
    port.requests = 0;
    port.fault = (request) => (request < 40 ? 'lost' : 'none');
    expect((await fetchAll(port, sealed)).length).toBe(5_000_000);
    expect(most).toBe(1);
  });

  it('asks for no more than is read', async () => {
    const port = new FaultyPort();
    const sealed = await send(port, content(5_000_000));
    port.requests = 0;
    const reader = openFile(download(port, { id: sealed.id, count: chunkCount(sealed.size) }), sealed).getReader();
    await reader.read();
    expect(port.requests).toBeLessThanOrEqual(28);
    await reader.cancel();
    expect(port.inFlight).toBe(0);
  });
});

describe('a source', () => {
  it('that cannot be read is an error with a code', async () => {
    const blob = new Blob(['content']);
    blob.slice = () => ({ arrayBuffer: () => Promise.reject(new DOMException('gone', 'NotReadableError')) }) as Blob;
    const { chunks } = await sealFile(openSource(blob).stream);
    await expect(chunks.getReader().read()).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });

  it.each([0, 1, 2 ** 20, 2 ** 20 + 1, 3 * 2 ** 20])(
    'of %i bytes is read in pieces of a MiB, none of them empty',
    async (size) => {
      for (const source of [new Blob([new Uint8Array(size)]), new Uint8Array(size)]) {
        const sizes: number[] = [];
        const reader = openSource(source).stream.getReader();
        for (let next = await reader.read(); !next.done; next = await reader.read()) sizes.push(next.value.length);
        expect(sizes).toEqual(Array.from({ length: Math.ceil(size / 2 ** 20) }, (_, i) => Math.min(2 ** 20, size - i * 2 ** 20)));
      }
    },
  );

  it('that is none is refused', () => {
    for (const source of [undefined, 'text', 7, {}]) expect(() => openSource(source as Blob)).toThrow(QsecError);
  });
});
