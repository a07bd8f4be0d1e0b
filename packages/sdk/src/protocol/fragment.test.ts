import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withCode, withoutCode } from './fragment.ts';
import { Invite } from './invite.ts';

const invite = new Invite({
  generation: 0,
  roomId: new Uint8Array(16).fill(1),
  secret: new Uint8Array(32).fill(2),
  creator: new Uint8Array(16).fill(3),
});

describe('an invite in a fragment', () => {
  it.each([
    ['', '#CODE'],
    ['#', '#CODE'],
    ['#prices', '#CODE'],
    ['#prices#!', '#CODE'],
    ['#/chat/1', '#/chat/1?CODE'],
    ['#/chat/1?tab=2', '#/chat/1?tab=2&CODE'],
    ['#!inbox', '#!inbox?CODE'],
    ['#users/5', '#users/5?CODE'],
    ['#q=cats', '#q=cats&CODE'],
    ['#/', '#/?CODE'],
  ])('stands behind the route of %j', (hash, link) => {
    expect(withCode(hash, invite.code)).toBe(link.replace('CODE', invite.code));
  });

  it.each([
    ['#q2.abc-_', ''],
    ['#/chat/1?q2.abc', '#/chat/1'],
    ['#/chat/1?tab=2&q2.abc', '#/chat/1?tab=2'],
    ['#q=cats&q2.abc', '#q=cats'],
    ['#/q2.abc', '#/'],
    ['#!/q2.abc', '#!/'],
    ['#!q2.abc', '#!'],
    ['#/chat/1?q2.abc&tab=2', '#/chat/1?tab=2'],
    ['#q2.abc&q=cats', '#q=cats'],
    ['#prices', '#prices'],
    ['#/faq2.html', '#/faq2.html'],
    ['#/q2_html', '#/q2_html'],
    ['#/chat/1?q2.abc&', '#/chat/1?'],
  ])('leaves %j as %j', (hash, rest) => {
    expect(withoutCode(hash)).toBe(rest);
  });

  it('is taken out of every route it was put into, and is read from the link', () => {
    const part = fc.stringMatching(/^[a-z0-9-]{1,8}$/);
    const route = fc
      .tuple(fc.constantFrom('#/', '#!/', '#!'), fc.array(part, { minLength: 1, maxLength: 4 }), fc.option(part))
      .map(([start, path, query]) => `${start}${path.join('/')}${query === null ? '' : `?${query}=1`}`);
    fc.assert(
      fc.property(route, (hash) => {
        const link = invite.link(`https://app.example/page?x=1${hash}`);
        expect(Invite.parse(link).code).toBe(invite.code);
        expect(withoutCode(new URL(link).hash)).toBe(hash);
      }),
    );
  });

  it('replaces one that is there', () => {
    expect(withCode('#/chat/1?q2.old', 'q2.new')).toBe('#/chat/1?q2.new');
  });
});
