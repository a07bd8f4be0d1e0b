import { deflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_DRAWN_PIXELS, pictureOf } from './index.ts';
import { SAMPLES } from './samples.ts';
import { MAX_THUMBNAIL_PIXELS, smallPicture } from './small.ts';

const sample = (name: keyof typeof SAMPLES): Buffer => Buffer.from(SAMPLES[name], 'base64');
const sizeOf = async (bytes: Uint8Array): Promise<string | undefined> => {
  const picture = await pictureOf(new Blob([bytes as Uint8Array<ArrayBuffer>]));
  return picture && `${picture.type} ${picture.width}×${picture.height}`;
};

/** A copy in which some bytes are others. */
function changed(bytes: Buffer, ...changes: [at: number, bytes: number[]][]): Buffer {
  const copy = Buffer.from(bytes);
  for (const [at, others] of changes) copy.set(others, at);
  return copy;
}
const after = (bytes: Buffer, mark: string, offset = 0): number => bytes.indexOf(mark, 0, 'latin1') + mark.length + offset;
const u16be = (n: number) => [n >> 8, n & 255];
const u16le = (n: number) => [n & 255, n >> 8];
const u24le = (n: number) => [n & 255, (n >> 8) & 255, n >> 16];
const u32be = (n: number) => [n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255];

/** A black picture: 31 kB for 16000 × 16000. */
function bomb(width: number, height: number): Buffer {
  const chunk = (name: string, data: Buffer) =>
    Buffer.concat([Buffer.from(u32be(data.length)), Buffer.from(name, 'latin1'), data, Buffer.alloc(4)]);
  const header = Buffer.from([...u32be(width), ...u32be(height), 1, 0, 0, 0, 0]);
  const rows = deflateSync(Buffer.alloc(height * (Math.ceil(width / 8) + 1)), { level: 9 });
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', rows),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const bmp = (width: number, height: number, compression = 0): Buffer => {
  const file = Buffer.alloc(54);
  file.write('BM', 'latin1');
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(width, 18);
  file.writeInt32LE(height, 22);
  file.writeUInt32LE(compression, 30);
  return file;
};

const box = (name: string, ...content: (Buffer | number[])[]): Buffer => {
  const data = Buffer.concat(content.map((part) => Buffer.from(part)));
  return Buffer.concat([Buffer.from(u32be(8 + data.length)), Buffer.from(name, 'latin1'), data]);
};

/** GIF with a second frame, the same as the first, `right` and `down` of it. */
function animatedGif(right: number, down: number): Buffer {
  const still = sample('gif');
  const head = 13 + 3 * 2 ** ((still.readUInt8(10) & 7) + 1);
  const frames = still.subarray(head, -1);
  const second = changed(frames, [frames.indexOf(0x2c, frames[0] === 0x21 ? 8 : 0) + 1, [...u16le(right), ...u16le(down)]]);
  return Buffer.concat([still.subarray(0, -1), second, Buffer.from([0x3b])]);
}

/** An animation of one frame as WebP, whose canvas and frame say what the test says. */
function animatedWebp(canvas: [number, number], frame: [number, number], [x, y]: [number, number] = [0, 0]): Buffer {
  const part = (name: string, data: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(data.length);
    return Buffer.concat([Buffer.from(name, 'latin1'), length, data, Buffer.alloc(data.length & 1)]);
  };
  const sides = ([width, height]: [number, number]) => [...u24le(width - 1), ...u24le(height - 1)];
  const place = Buffer.from([...u24le(x / 2), ...u24le(y / 2), ...sides(frame), 100, 0, 0, 0]);
  const parts = Buffer.concat([
    part('VP8X', Buffer.from([2, 0, 0, 0, ...sides(canvas)])),
    part('ANIM', Buffer.alloc(6)),
    part('ANMF', Buffer.concat([place, sample('webpLossy').subarray(12)])),
  ]);
  return part('RIFF', Buffer.concat([Buffer.from('WEBP'), parts]));
}

/** AV1 sequence header of a still picture: reduced, 16 bits for each side. */
function sequence(width: number, height: number): Buffer {
  const bits =
    `000` +
    `1` +
    `1` +
    `00000` +
    `1111` +
    `1111` +
    [width, height].map((n) => (n - 1).toString(2).padStart(16, '0')).join('') +
    '0'.repeat(16);
  const bytes = (bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
  return Buffer.from([0x0a, bytes.length, ...bytes]);
}

/** An animation as AVIF: a track whose first sample lies at the end of the file. */
function animatedAvif(entry: [number, number], stream: Buffer): Buffer {
  const track = (offset: number) =>
    box(
      'moov',
      box(
        'trak',
        box(
          'mdia',
          box(
            'minf',
            box(
              'stbl',
              box(
                'stsd',
                [0, 0, 0, 0, 0, 0, 0, 1],
                box('av01', Buffer.alloc(24), u16be(entry[0]), u16be(entry[1]), Buffer.alloc(50)),
              ),
              box('stco', [0, 0, 0, 0, 0, 0, 0, 1], u32be(offset)),
            ),
          ),
        ),
      ),
    );
  const head = (offset: number) => Buffer.concat([box('ftyp', Buffer.from('avis\0\0\0\0avisavif', 'latin1')), track(offset)]);
  const before = head(0).length + 8;
  return Buffer.concat([head(before), box('mdat', stream)]);
}

describe('the size of a picture', () => {
  it.each<[keyof typeof SAMPLES, string]>([
    ['png', 'image/png 64×48'],
    ['jpeg', 'image/jpeg 64×48'],
    ['jpegProgressive', 'image/jpeg 64×48'],
    ['gif', 'image/gif 64×48'],
    ['webpLossy', 'image/webp 64×48'],
    ['webpLossless', 'image/webp 64×48'],
    ['webpAlpha', 'image/webp 40×24'],
    ['avif', 'image/avif 64×48'],
    ['avifAlpha', 'image/avif 40×24'],
  ])('is read from what an encoder wrote: %s', async (name, size) => {
    expect(await sizeOf(sample(name))).toBe(size);
  });

  it('is that of the whole animation', async () => {
    expect(await sizeOf(animatedGif(0, 0))).toBe('image/gif 64×48');
    expect(await sizeOf(animatedWebp([64, 48], [64, 48]))).toBe('image/webp 64×48');
  });

  it('is read of a bomb of 31 kB, without drawing it', async () => {
    const file = bomb(16_000, 16_000);
    expect(file.length).toBeLessThan(32_000);
    expect(await sizeOf(file)).toBe('image/png 16000×16000');
    expect(16_000 * 16_000).toBeGreaterThan(MAX_DRAWN_PIXELS);
  });

  it('is read of BMP, in every header', async () => {
    expect(await sizeOf(bmp(640, 480))).toBe('image/bmp 640×480');
    expect(await sizeOf(bmp(640, -480))).toBe('image/bmp 640×480');
    expect(await sizeOf(bmp(30_000, 30_000))).toBe('image/bmp 30000×30000');
    const os2 = Buffer.concat([
      Buffer.from('BM'),
      Buffer.alloc(12),
      Buffer.from([12, 0, 0, 0, ...u16le(320), ...u16le(200)]),
      Buffer.alloc(8),
    ]);
    expect(await sizeOf(os2)).toBe('image/bmp 320×200');
    // Another picture in it, of its own size.
    for (const compression of [4, 5]) expect(await sizeOf(bmp(640, 480, compression))).toBeUndefined();
  });

  it('is read of an animated AVIF, from its track and from its stream', async () => {
    expect(await sizeOf(animatedAvif([320, 200], sequence(320, 200)))).toBe('image/avif 320×200');
    expect(await sizeOf(animatedAvif([320, 200], sequence(16_000, 16_000)))).toBe('image/avif 16000×16000');
    expect(await sizeOf(animatedAvif([16_000, 16_000], sequence(320, 200)))).toBe('image/avif 16000×16000');
    expect(await sizeOf(animatedAvif([320, 200], Buffer.alloc(40, 0xff)))).toBeUndefined();
  });

  it('is read of a stream that tells of times and delays first', async () => {
    const stream = (head: string) => {
      const sides = [16_000, 9_000].map((n) => (n - 1).toString(2).padStart(16, '0')).join('');
      const bits = `000${head}11111111${sides}${'0'.repeat(16)}`;
      const bytes = (bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
      return Buffer.from([0x0a, bytes.length, ...bytes]);
    };
    const time = '0'.repeat(64);
    // Not reduced; times, ticks as uvlc, a decoder model of 5 bits; delays; one point of a high level with all of it.
    const model = `00${'1'}${time}1${'00101'}1${'00100'}${'0'.repeat(42)}`;
    const heads = [
      `00${'0'}${'0'}${'00000'}${'0'.repeat(12)}${'00111'}`,
      `00${'0'}${'0'}${'00001'}${'0'.repeat(12)}${'01000'}1${'0'.repeat(12)}${'00111'}`,
      `${model}1${'00000'}${'0'.repeat(12)}${'01000'}1${'1'}${'0'.repeat(11)}${'1'}${'0000'}`,
      `${model}1${'00000'}${'0'.repeat(12)}${'00111'}${'0'}${'0'}`,
      `00${'1'}${time}0${'0'}${'0'}${'00000'}${'0'.repeat(12)}${'00111'}`,
    ];
    for (const head of heads) expect(await sizeOf(animatedAvif([1, 1], stream(head)))).toBe('image/avif 16000×9000');
  });

  it('is that of all tiles of a grid', async () => {
    const item = (id: number, kind: string) => box('infe', [2, 0, 0, 0, ...u16be(id), 0, 0], Buffer.from(`${kind}\0`, 'latin1'));
    const grid = (large: boolean, [width, height]: [number, number]) =>
      Buffer.from([
        0,
        large ? 1 : 0,
        1,
        3,
        ...(large ? [...u32be(width), ...u32be(height)] : [...u16be(width), ...u16be(height)]),
      ]);
    const file = (version: 1 | 2, plan: Buffer, tile: Buffer) => {
      const id = (n: number) => (version === 2 ? u32be(n) : u16be(n));
      const place = (n: number, method: number, offset: number, length: number) =>
        Buffer.from([...id(n), ...u16be(method), 0, 0, ...u16be(1), ...u32be(offset), ...u32be(length)]);
      const make = (start: number) =>
        Buffer.concat([
          box('ftyp', Buffer.from('avif\0\0\0\0avif', 'latin1')),
          box(
            'meta',
            [0, 0, 0, 0],
            box('iinf', [0, 0, 0, 0, ...u16be(2)], item(1, 'grid'), item(2, 'av01')),
            box('iloc', [version, 0, 0, 0, 0x44, 0x00, ...id(2)], place(1, 1, 0, plan.length), place(2, 0, start, tile.length)),
            box('idat', plan),
          ),
        ]);
      return Buffer.concat([make(make(0).length + 8), box('mdat', tile)]);
    };
    for (const version of [1, 2] as const) {
      const tile = sequence(1_000, 700);
      expect(await sizeOf(file(version, grid(false, [4_000, 1_400]), tile))).toBe('image/avif 4000×1400');
      expect(await sizeOf(file(version, grid(true, [70_000, 1_400]), tile))).toBe('image/avif 70000×1400');
      // What it says is small, and its tiles are not.
      expect(await sizeOf(file(version, grid(false, [10, 10]), sequence(9_000, 8_000)))).toBe('image/avif 36000×16000');
    }
  });

  const jpeg = sample('jpeg');
  const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
  /** End of the first segment. */
  const first = 4 + jpeg.readUInt16BE(4);
  const gif = sample('gif');
  const avif = sample('avif');
  const lossy = sample('webpLossy');
  it.each<[string, Buffer, string | undefined]>([
    [
      'PNG: a frame larger than the picture',
      Buffer.concat([
        sample('png').subarray(0, 33),
        Buffer.from([0, 0, 0, 26]),
        Buffer.from('fcTL'),
        Buffer.from([0, 0, 0, 0, ...u32be(9_000), ...u32be(8_000), ...u32be(100), ...u32be(0)]),
        Buffer.alloc(14),
        sample('png').subarray(33),
      ]),
      'image/png 9100×8000',
    ],
    [
      'PNG: a second header',
      Buffer.concat([
        sample('png').subarray(0, 33),
        changed(sample('png').subarray(8, 33), [8, u32be(16_000)], [12, u32be(16_000)]),
        sample('png').subarray(33),
      ]),
      'image/png 16000×16000',
    ],
    ['PNG: no header', changed(sample('png'), [12, [...Buffer.from('tEXt')]]), undefined],
    [
      'JPEG: another frame header in front',
      Buffer.concat([
        jpeg.subarray(0, 2),
        changed(jpeg.subarray(frame, frame + 2 + jpeg.readUInt16BE(frame + 2)), [5, u16be(20_000)], [7, u16be(20_000)]),
        jpeg.subarray(2),
      ]),
      'image/jpeg 20000×20000',
    ],
    [
      'JPEG: something between the segments',
      Buffer.concat([jpeg.subarray(0, first), Buffer.from([1, 2, 3, 0xff, 0xff, 0xff]), jpeg.subarray(first)]),
      'image/jpeg 64×48',
    ],
    ['JPEG: a height that comes later', changed(jpeg, [frame + 5, [0, 0]]), undefined],
    [
      'GIF: a frame larger than the screen',
      changed(gif, [gif.indexOf(0x2c, 13 + 3 * 2 ** ((gif.readUInt8(10) & 7) + 1)) + 5, [...u16le(60_000), ...u16le(50_000)]]),
      'image/gif 60000×50000',
    ],
    ['GIF: a large screen', changed(gif, [6, [...u16le(60_000), ...u16le(60_000)]]), 'image/gif 60000×60000'],
    ['WebP: a large canvas', animatedWebp([16_000, 16_000], [64, 48]), 'image/webp 16000×16000'],
    ['WebP: a large frame', animatedWebp([64, 48], [16_000, 16_000]), 'image/webp 16000×16000'],
    ['WebP: a frame far away', animatedWebp([64, 48], [64, 48], [16_000, 9_000]), 'image/webp 16064×9048'],
    ['GIF: a frame far away', animatedGif(16_000, 9_000), 'image/gif 16064×9048'],
    [
      'WebP: a large picture in it',
      changed(lossy, [after(lossy, 'VP8 ', 10), [...u16le(16_000), ...u16le(16_000)]]),
      'image/webp 16000×16000',
    ],
    [
      'AVIF: boxes that say more than the stream',
      changed(avif, [after(avif, 'ispe', 4), [...u32be(16_000), ...u32be(16_000)]]),
      'image/avif 16000×16000',
    ],
    ['AVIF: another codec', changed(avif, [avif.indexOf('av01'), [...Buffer.from('hvc1')]]), undefined],
  ])('is the largest of those that a file tells, or unknown: %s', async (_, file, size) => {
    expect(await sizeOf(file)).toBe(size);
  });

  it('is that of the stream, where the boxes of an AVIF say less', async () => {
    const stream = after(avif, 'mdat');
    // A sequence header of another size in the place of the first units.
    const lying = changed(avif, [stream, [...sequence(16_000, 16_000)]]);
    expect(await sizeOf(lying)).toBe('image/avif 16000×16000');
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('hello')],
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>')],
    ['an icon', Buffer.from([0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 32, 0, 0, 0, 0, 0, 22, 0, 0, 0])],
    ['TIFF', Buffer.from([0x49, 0x49, 42, 0, 8, 0, 0, 0])],
    ['a video', box('ftyp', Buffer.from('isom\0\0\0\0isom'))],
    ['signatures alone', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])],
    ['a picture without pixels', bomb(0, 16)],
  ])('is unknown for %s', async (_, file) => {
    expect(await sizeOf(file)).toBeUndefined();
  });

  it('of what is cut short is what it said so far, or unknown; never less than what a decoder knows', async () => {
    for (const [name, encoded] of Object.entries(SAMPLES)) {
      const whole = Buffer.from(encoded, 'base64');
      const size = await sizeOf(whole);
      for (let length = 0; length < whole.length; length++) {
        const part = await sizeOf(whole.subarray(0, length));
        expect([undefined, size], `${name} at ${length}`).toContain(part);
      }
    }
  });

  it('is asked of anything without an error, and without more time than its length takes', async () => {
    const starts = Object.values(SAMPLES).map((encoded) => Buffer.from(encoded, 'base64'));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...starts),
        fc.array(fc.tuple(fc.nat(1400), fc.nat(255)), { maxLength: 12 }),
        fc.uint8Array({ maxLength: 64 }),
        async (start, changes, tail) => {
          const file = Buffer.concat([start, tail]);
          for (const [at, byte] of changes) file[at % file.length] = byte;
          const picture = await pictureOf(new Blob([file]));
          if (picture) expect(picture.width > 0 && picture.height > 0).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('does not read what lies on top of each other again and again', async () => {
    // Sixty thousand items, each of them the whole file.
    const entries = Array.from({ length: 60_000 }, (_, i) => [...u16be(i), 0, 0, 0, 1, 0, 0, 0, 0]).flat();
    const infos = Array.from({ length: 60_000 }, (_, i) => box('infe', [2, 0, 0, 0, ...u16be(i), 0, 0], Buffer.from('av01\0')));
    const iloc = box('iloc', [0, 0, 0, 0, 0x40, 0x00, ...u16be(60_000)], Buffer.from(entries));
    const iinf = box('iinf', [0, 0, 0, 0, ...u16be(60_000)], ...infos);
    const file = Buffer.concat([box('ftyp', Buffer.from('avif\0\0\0\0avif')), box('meta', [0, 0, 0, 0], iinf, iloc)]);
    expect(await sizeOf(file)).toBeUndefined();
  });
});

describe('a small picture', () => {
  it('is a PNG, JPEG or WebP that takes little to draw', () => {
    expect(smallPicture(sample('png'))).toEqual({ type: 'image/png', width: 64, height: 48 });
    expect(smallPicture(sample('jpeg'))?.type).toBe('image/jpeg');
    expect(smallPicture(sample('webpLossy'))?.type).toBe('image/webp');
    expect(smallPicture(sample('gif'))).toBeUndefined();
    expect(smallPicture(sample('avif'))).toBeUndefined();
    expect(smallPicture(bomb(2_000, MAX_THUMBNAIL_PIXELS / 2_000))).toBeDefined();
    expect(smallPicture(bomb(2_000, MAX_THUMBNAIL_PIXELS / 2_000 + 1))).toBeUndefined();
    expect(smallPicture(bomb(16_000, 16_000))).toBeUndefined();
  });
});
