import { type Dictionary, problemTitle } from '../../i18n';
import type { Format } from '../../i18n/format';
import type { MediaDictionary } from '../../i18n/media';
import { inlineOf } from '../../media/inline.logic';
import type { MessageItem } from '../../store/view';
import type { Problem } from '../../types';

/** The SDK fetches files up to this size by itself; larger ones wait until someone asks for them. */
const FETCHED_AHEAD_BYTES = 8 * 2 ** 20;

export type Fetching = 'no' | 'running' | 'here' | 'failed';

/** Whether the content is fetched without being asked for. */
export const wantsAtOnce = ({ mine, file }: MessageItem): boolean => mine || (!!file && file.size <= FETCHED_AHEAD_BYTES);

/** Share of the bytes that are there, 0–1; undefined when nothing is on its way. */
export function shareOf({ done, file }: MessageItem): number | undefined {
  if (done === undefined || !file || file.size === 0) return undefined;
  return Math.min(1, done / file.size);
}

/** `load`: fetch it to show it; `download`: hand it to the person as a file. */
export type FileAction = 'cancel-send' | 'cancel-fetch' | 'retry' | 'load' | 'download' | undefined;

/** The one thing to do with a file at this moment. */
export function actionOf({ mine, status, done, file }: MessageItem, fetching: Fetching): FileAction {
  if (mine && status === 'failed') return undefined;
  if (mine && status === 'sending' && done !== undefined) return 'cancel-send';
  if (fetching === 'running') return 'cancel-fetch';
  if (fetching === 'failed') return 'retry';
  return fetching === 'no' && inlineOf(file?.type ?? '') ? 'load' : 'download';
}

/** The line under a file's name: its size, how much of it is there, or what went wrong. */
export function factsOf(
  { file, done }: MessageItem,
  problem: Problem | undefined,
  words: { t: Dictionary; media: MediaDictionary; format: Format },
): string {
  const { t, media, format } = words;
  if (!file) return '';
  if (problem) return problemText(problem, t, media);
  const size = format.bytes(file.size);
  if (done !== undefined) return media.sentOf(format.bytes(done), size);
  const extension = /\.([\p{L}\p{N}]{1,5})$/u.exec(file.name)?.[1]?.toUpperCase();
  return extension ? `${extension} · ${size}` : size;
}

function problemText(problem: Problem, t: Dictionary, media: MediaDictionary): string {
  if (problem.code === 'ABORTED') return media.cancelled;
  // The only argument a person chooses is the file.
  return problem.code === 'INVALID_ARGUMENT' ? media.empty : problemTitle(problem.code, t);
}
