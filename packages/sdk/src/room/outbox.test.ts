import { describe, expect, it } from 'vitest';
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
});
