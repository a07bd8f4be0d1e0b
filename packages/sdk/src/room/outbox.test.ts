import { describe, expect, it } from 'vitest';
import type { KeptOutgoing } from '../storage/kept.ts';
import { Outbox } from './outbox.ts';

const content = new Uint8Array(1);

describe('outbox', () => {
  it('says that a message is delivered when everyone confirmed it', async () => {
    const outbox = new Outbox();
    const delivered = outbox.add('m', content, ['bo', 'cy'], 60_000);
    expect(outbox.confirm('m', 'bo')).toBe(false);
    expect(outbox.unconfirmed('cy')).toEqual([content]);
    expect(outbox.confirm('m', 'cy')).toBe(true);
    expect(await delivered).toEqual({ to: ['bo', 'cy'], pending: [], expired: false });
  });

  it('does not take the word of a relay that somebody is gone for a receipt', async () => {
    const outbox = new Outbox();
    const alone = outbox.add('m', content, ['bo'], 60_000);
    const both = outbox.add('n', content, ['bo', 'cy'], 60_000);
    outbox.forgetMember('bo');
    expect(await alone).toEqual({ to: ['bo'], pending: ['bo'], expired: false });
    expect(outbox.confirm('n', 'cy')).toBe(false);
    expect(await both).toEqual({ to: ['bo', 'cy'], pending: ['bo'], expired: false });
  });

  it('settles what is left when it closes', async () => {
    const outbox = new Outbox();
    const delivered = outbox.add('m', content, ['bo'], 60_000);
    outbox.close();
    expect(await delivered).toEqual({ to: ['bo'], pending: ['bo'], expired: true });
  });

  it('sends what is blank in the place of what was withdrawn, and of what changes it, and waits for nobody', async () => {
    const outbox = new Outbox();
    const delivered = outbox.add('m', content, ['bo'], 60_000);
    outbox.add('edit of m', content, ['bo'], 60_000, 'm');
    outbox.add('other', content, ['bo'], 60_000);
    const blank = new Uint8Array(2);
    const withdrawn = outbox.withdraw('m', () => blank);
    expect(withdrawn.map(({ id }) => id)).toEqual(['m', 'edit of m']);
    expect(await delivered).toEqual({ to: ['bo'], pending: ['bo'], expired: true });
    expect(outbox.unconfirmed('bo')).toEqual([blank, blank, content]);
    expect(outbox.withdraw('m', () => content)).toEqual([]);
  });

  it('tells what to keep of each message, and goes on with it elsewhere', () => {
    const kept = new Map<string, KeptOutgoing | undefined>();
    const outbox = new Outbox((id, outgoing) => kept.set(id, outgoing));
    outbox.add('m', content, ['bo', 'cy'], 60_000);
    outbox.add('n', content, ['bo'], 60_000);
    outbox.confirm('m', 'bo');
    outbox.confirm('n', 'bo');
    expect([...kept]).toMatchObject([
      ['m', { pending: ['cy'], to: ['bo', 'cy'] }],
      ['n', undefined],
    ]);
    const later = new Outbox();
    later.restore(kept.get('m') as KeptOutgoing);
    expect([later.unconfirmed('bo'), later.unconfirmed('cy')]).toEqual([[], [content]]);
    expect(later.confirm('m', 'cy')).toBe(true);
    outbox.close();
    expect(kept.get('m')).toBeDefined();
  });
});
