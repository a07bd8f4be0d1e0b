import type { SizeReader } from './extent.ts';

const START_OF_SCAN = 0xda;
/** Markers that stand alone: TEM, RST0–7, SOI, EOI. */
const isAlone = (marker: number): boolean => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd9);
/** SOF0–SOF15; the others between them are DHT, JPG and DAC. */
const isFrame = (marker: number): boolean => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/** JPEG (ITU-T T.81, annex B): the frame headers in front of the first scan. */
export const jpegSize: SizeReader = (file, extent) => {
  for (let at = 0; ; ) {
    // What stands between segments is skipped, as decoders do.
    while (file.getUint8(at) !== 0xff) at++;
    while (file.getUint8(at) === 0xff) at++;
    const marker = file.getUint8(at++);
    if (marker === 0 || isAlone(marker)) continue;
    if (marker === START_OF_SCAN) return;
    if (isFrame(marker)) {
      const height = file.getUint16(at + 3);
      // Told behind the scan (DNL): who decodes it learns it too late.
      if (height === 0) extent.unknown = true;
      extent.add(file.getUint16(at + 5), height);
    }
    at += file.getUint16(at);
  }
};
