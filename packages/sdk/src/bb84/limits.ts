/** Most pulses a run may have. */
export const MOST_PULSES = 2 ** 26;
