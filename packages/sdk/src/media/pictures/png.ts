import { nameAt, type SizeReader } from './extent.ts';

/** PNG (W3C, third edition): its header, and the frames of an animation. */
export const pngSize: SizeReader = (file, extent) => {
  extent.unknown = nameAt(file, 12) !== 'IHDR';
  for (let at = 8; ; at += 12 + file.getUint32(at)) {
    const name = nameAt(file, at + 4);
    const data = at + 8;
    if (name === 'IHDR') extent.add(file.getUint32(data), file.getUint32(data + 4));
    if (name === 'fcTL') {
      const [width, height, x, y] = [4, 8, 12, 16].map((offset) => file.getUint32(data + offset)) as [
        number,
        number,
        number,
        number,
      ];
      extent.add(x + width, y + height);
    }
    if (name === 'IEND') return;
  }
};
