import { launcherText } from '../i18n/launcher';
import type { Problem } from '../types';

/**
 * What `error` means when it came of loading a part of the widget: the loader's own (`scripts/part-loader.js`), a browser's or a bundler's.
 * A part that came and does not run in this browser fails otherwise, and stays what it is.
 */
export function loadError(error: unknown): unknown {
  if (!(error instanceof TypeError || (error instanceof Error && error.name === 'ChunkLoadError'))) return error;
  const outdated = 'outdated' in error && error.outdated === true;
  const told: Omit<Problem, 'message'> = {
    code: 'NOT_LOADED',
    remediation: outdated ? launcherText.updated : launcherText.missing,
    outdated,
  };
  return Object.assign(new Error('A part of the chat could not be loaded.', { cause: error }), told);
}
