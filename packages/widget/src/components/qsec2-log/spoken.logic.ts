import type { Dictionary } from '../../i18n';
import type { Format } from '../../i18n/format';
import type { MessageItem } from '../../store/view';

/** A message in words: its text, or what kind of content it is. */
export function spoken({ text, file }: MessageItem, t: Dictionary, format: Format): string {
  if (!file) return text;
  return file.voice ? t.voiceLabel(format.duration(file.voice.durationMs)) : t.fileLabel(file.name);
}

/** Whether sending once more could go better. */
export const isRetryable = ({ problem }: MessageItem): boolean =>
  !problem || !['INVALID_ARGUMENT', 'FILE_TOO_LARGE', 'UNSUPPORTED'].includes(problem.code);

/** Whether it was not sent because its sender wanted so: nothing went wrong then. */
export const isCancelled = ({ problem }: MessageItem): boolean => problem?.code === 'ABORTED';
