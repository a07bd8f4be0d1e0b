import { type Extent, nameAt, type SizeReader, uint24 } from './extent.ts';

/** WebP (RFC 9649): the canvas, and every frame in whichever coding. */
export const webpSize: SizeReader = (file, extent) => chunks(file, 12, file.byteLength, extent);

function chunks(file: DataView, from: number, to: number, extent: Extent): void {
  for (let at = from; at + 8 <= to; ) {
    const length = file.getUint32(at + 4, true);
    const data = at + 8;
    chunk(file, nameAt(file, at), data, Math.min(to, data + length), extent);
    at = data + length + (length & 1);
  }
}

function chunk(file: DataView, name: string, data: number, end: number, extent: Extent): void {
  switch (name) {
    case 'VP8X':
      extent.add(uint24(file, data + 4) + 1, uint24(file, data + 7) + 1);
      break;
    case 'VP8 ':
      // RFC 6386 §9.1: behind the frame tag and the start code.
      extent.add(file.getUint16(data + 6, true) & 0x3fff, file.getUint16(data + 8, true) & 0x3fff);
      break;
    case 'VP8L': {
      const bits = file.getUint32(data + 1, true);
      extent.add((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1);
      break;
    }
    case 'ANMF': {
      const [x, y, width, height] = [0, 3, 6, 9].map((offset) => uint24(file, data + offset)) as [number, number, number, number];
      extent.add(2 * x + width + 1, 2 * y + height + 1);
      chunks(file, data + 16, end, extent);
      break;
    }
  }
}
