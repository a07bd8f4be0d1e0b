import type { Session } from './session';
import type { View } from './view';

/** Whether the processor has something better to do than to draw. */
const isOnTheWay = ({ phase }: Pick<View, 'phase'>): boolean => phase === 'connecting' || phase === 'agreeing';

/** Resolves with the next change after which the session is neither connecting nor agreeing on keys, at the latest after `ms`. */
export function whenSettled(session: Pick<Session, 'view' | 'subscribe'>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      unsubscribe();
      resolve();
    };
    const timer = setTimeout(done, ms);
    const unsubscribe = session.subscribe(() => {
      if (!isOnTheWay(session.view)) done();
    });
  });
}
