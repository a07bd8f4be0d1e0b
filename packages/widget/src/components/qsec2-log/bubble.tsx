import type { MessageStatus } from '@qsec2/sdk';
import { type FunctionalComponent, h } from '@stencil/core';
import type { Dictionary } from '../../i18n';
import type { Format } from '../../i18n/format';
import { Icon, type IconPaths } from '../../icons/icon';
import { alert, check, clock, ticks } from '../../icons/paths';
import { linkify } from './linkify.logic';
import type { Row } from './qsec2-log.logic';

interface BubbleProps {
  row: Extract<Row, { kind: 'message' }>;
  t: Dictionary;
  format: Format;
  /** Whether the sender's name is shown: with more than two people. */
  named: boolean;
  focusable: boolean;
  onRetry: () => void;
  onRemove: () => void;
}

const TICKS: Record<MessageStatus, IconPaths | undefined> = {
  sending: clock,
  sent: check,
  delivered: ticks,
  received: undefined,
  failed: alert,
};

export const Bubble: FunctionalComponent<BubbleProps> = ({ row, t, format, named, focusable, onRetry, onRemove }) => {
  const { item, first, last } = row;
  const time = format.time(item.at);
  const status = item.mine ? t.ticks[item.status] : '';
  const tick = TICKS[item.status];
  return (
    <div
      key={item.id}
      class={{ message: true, mine: item.mine, first, last, failed: item.status === 'failed' }}
      role="article"
      data-message={item.id}
      tabIndex={focusable ? 0 : -1}
      aria-label={t.messageLabel(item.mine ? t.you : item.name, time, item.text, status)}
    >
      {named && first && !item.mine && <span class="author">{item.name}</span>}
      <div class="bubble" part={item.mine ? 'bubble bubble-out' : 'bubble bubble-in'}>
        <span class="text" dir="auto">
          {linkify(item.text).map(({ text, href }) =>
            href ? (
              <a href={href} target="_blank" rel="noopener noreferrer nofollow">
                {text}
              </a>
            ) : (
              text
            ),
          )}
        </span>
        <span class="meta">
          <time dateTime={item.at.toISOString()}>{time}</time>
          {item.mine && tick && (
            <span class={`tick ${item.status}`}>
              <Icon of={tick} size={16} />
              <span class="hidden-text">{status}</span>
            </span>
          )}
        </span>
      </div>
      {item.status === 'failed' && (
        <p class="failed-row">
          <span>{t.notSent}</span>
          <button type="button" class="text-action" onClick={onRetry}>
            {t.retry}
          </button>
          <button type="button" class="text-action" onClick={onRemove}>
            {t.remove}
          </button>
        </p>
      )}
    </div>
  );
};
