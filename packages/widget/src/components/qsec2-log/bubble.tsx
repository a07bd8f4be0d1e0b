import type { MessageStatus } from '@qsec2/sdk';
import type { FunctionalComponent } from '@stencil/core';
import type { Dictionary } from '../../i18n';
import type { Format } from '../../i18n/format';
import type { MediaDictionary } from '../../i18n/media';
import { Icon, type IconPaths } from '../../icons/icon';
import { alert, check, clock, ticks } from '../../icons/paths';
import { h } from '../../vdom';
import { FileBody } from './file-body';
import { linkify } from './linkify.logic';
import type { Row } from './qsec2-log.logic';
import { isCancelled, isRetryable, spoken } from './spoken.logic';

interface BubbleProps {
  row: Extract<Row, { kind: 'message' }>;
  t: Dictionary;
  media: MediaDictionary | undefined;
  format: Format;
  /** Whether the sender's name is shown: with more than two people. */
  named: boolean;
  focusable: boolean;
  onRetry: () => void;
  onRemove: () => void;
  /** Whether somebody is here to whom it could be sent again. */
  reachable: boolean;
  /** Stops sending a file. */
  onCancel: () => void;
}

const TICKS: Record<MessageStatus | 'read', IconPaths | undefined> = {
  sending: clock,
  sent: check,
  delivered: ticks,
  read: ticks,
  received: undefined,
  failed: alert,
  expired: alert,
  unaddressed: alert,
};

export const Bubble: FunctionalComponent<BubbleProps> = (props) => {
  const { row, t, media, format, named, focusable, reachable, onRetry, onRemove, onCancel } = props;
  const { item, first, last } = row;
  const time = format.time(item.at);
  const status = item.mine ? t.ticks[item.status] : '';
  const tick = TICKS[item.status];
  return (
    <div
      key={item.place ?? item.id}
      class={{ message: true, mine: item.mine, first, last, failed: item.status === 'failed' && !isCancelled(item) }}
      role="article"
      data-message={item.id}
      tabIndex={focusable ? 0 : -1}
      aria-label={t.messageLabel(item.mine ? t.you : item.name, time, spoken(item, t, format), status)}
    >
      {named && first && !item.mine && <span class="author">{item.name}</span>}
      <div class="bubble" part={item.mine ? 'bubble bubble-out' : 'bubble bubble-in'}>
        {item.file ? <FileBody item={item} t={t} media={media} format={format} onCancel={onCancel} /> : words(item.text)}
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
          {isRetryable(item) && (
            <button type="button" class="text-action" onClick={onRetry}>
              {t.retry}
            </button>
          )}
          <button type="button" class="text-action" onClick={onRemove}>
            {t.remove}
          </button>
        </p>
      )}
      {(item.status === 'expired' || item.status === 'unaddressed') && (
        <p class="failed-row">
          <span>{status}</span>
          {reachable && (
            <button type="button" class="text-action" onClick={onRetry}>
              {t.retry}
            </button>
          )}
        </p>
      )}
    </div>
  );
};

/** What is said goes to nobody else, a translator on somebody's server included. */
const words = (text: string) => (
  <span class="text" dir="auto" translate="no">
    {linkify(text).map(({ text: piece, href }) =>
      href ? (
        <a href={href} target="_blank" rel="noopener noreferrer nofollow">
          {piece}
        </a>
      ) : (
        piece
      ),
    )}
  </span>
);
