import type { SizeReader } from './extent.ts';

const CORE_HEADER_BYTES = 12;
/** Another picture in the place of the pixels. */
const EMBEDDED = [4, 5];

/** BMP: the sizes in its header, of OS/2 or of Windows, where the height is negative when it begins at the top. */
export const bmpSize: SizeReader = (file, extent) => {
  if (file.getUint32(14, true) === CORE_HEADER_BYTES) extent.add(file.getUint16(18, true), file.getUint16(20, true));
  else {
    extent.add(Math.abs(file.getInt32(18, true)), Math.abs(file.getInt32(22, true)));
    extent.unknown = EMBEDDED.includes(file.getUint32(30, true));
  }
};
