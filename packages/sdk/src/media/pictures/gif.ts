import type { SizeReader } from './extent.ts';

const EXTENSION = 0x21;
const IMAGE = 0x2c;

/** Bytes of a colour table, by the flags that announce it. */
const colours = (flags: number): number => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);

/** GIF 89a: the screen, and every frame, which may reach past it. */
export const gifSize: SizeReader = (file, extent) => {
  extent.add(file.getUint16(6, true), file.getUint16(8, true));
  let at = 13 + colours(file.getUint8(10));
  const skipBlocks = () => {
    for (let size = file.getUint8(at); size > 0; size = file.getUint8(at)) at += 1 + size;
    at++;
  };
  for (;;) {
    const kind = file.getUint8(at++);
    if (kind === IMAGE) {
      const [x, y, width, height] = [0, 2, 4, 6].map((offset) => file.getUint16(at + offset, true)) as [
        number,
        number,
        number,
        number,
      ];
      extent.add(x + width, y + height);
      // Behind the descriptor: its colours, and the size of a code.
      at += 10 + colours(file.getUint8(at + 8));
    } else if (kind === EXTENSION) at++;
    else return;
    skipBlocks();
  }
};
