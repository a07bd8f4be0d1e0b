/** What voice messages are recorded in, the best first. */
export const RECORDING_FORMATS = ['audio/webm;codecs=opus', 'audio/mp4;codecs=opus', 'audio/mp4'] as const;

/**
 * Bits a second, mono. The rate is constant: with a variable one the sizes of what is sent tell which sounds were made
 * (Wright et al., IEEE S&P 2008).
 */
export const BITS_PER_SECOND = 32_000;

/** The first format this browser records; undefined when there is none. */
export const chooseFormat = (isSupported: (type: string) => boolean): string | undefined => RECORDING_FORMATS.find(isSupported);
