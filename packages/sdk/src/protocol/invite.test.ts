import { describe, expect, it } from 'vitest';
import { toBase64url, Writer } from '../wire/index.ts';
import { Invite } from './invite.ts';
import { randomBytes } from './random.ts';

const error = (code: string, message: string) => expect.objectContaining({ code, message });

const invite = new Invite({ generation: 3, roomId: randomBytes(16), secret: randomBytes(32), creator: randomBytes(16) });
const bytes = (version: number) =>
  new Writer().u8(version).u32(3).fixed(invite.roomId).fixed(invite.secret).fixed(invite.creator).bytes();
const code = (content: Uint8Array, form = 2) => `q${form}.${toBase64url(content)}`;

describe('an invite', () => {
  it('is read from its code, its fragment and its link', () => {
    expect(code(bytes(1))).toBe(invite.code);
    for (const text of [invite.code, `#${invite.code}`, ` ${invite.code}\n`, invite.link('https://app.example/')]) {
      expect(Invite.parse(text)).toEqual(invite);
      expect(Invite.isIn(text)).toBe(true);
    }
  });

  it.each([
    [0, 'older', 'Ask its sender to reload their page and to send a new link.'],
    [2, 'newer', 'Reload this page; where it brings its own copy of the SDK, update that.'],
  ])('of version %i is not read as one of this version', (version, how, remediation) => {
    const message = `The version of this link is ${how} than this one: invite ${version}, and here 1.`;
    const mismatch = expect.objectContaining({ code: 'VERSION_MISMATCH', message, remediation });
    expect(() => Invite.parse(code(bytes(version)))).toThrow(mismatch);
  });

  it.each([
    [1, 'older'],
    [3, 'newer'],
    [255, 'newer'],
  ])('of form %i is told from what is no invite', (form, how) => {
    const text = `https://app.example/#${code(bytes(1), form)}`;
    const message = `The version of this link is ${how} than this one: invite ${form}, and here 2.`;
    expect(Invite.isIn(text)).toBe(true);
    expect(() => Invite.parse(text)).toThrow(error('VERSION_MISMATCH', message));
  });

  it.each([
    '',
    'https://app.example/',
    'https://app.example/#prices',
    'q1.short',
    'see faq1.html',
    `fa${code(bytes(1), 1)}`,
    invite.code.slice(1),
  ])('is not found in %j', (text) => {
    expect(Invite.isIn(text)).toBe(false);
    const message = 'This is not an invite: no code was found in it.';
    expect(() => Invite.parse(text)).toThrow(error('INVITE_INVALID', message));
  });

  it.each([
    ['without its last byte', code(bytes(1).subarray(0, -1))],
    ['without its last character', invite.code.slice(0, -1)],
    ['with nothing behind its mark', 'q2.'],
    ['with a byte more', code(Uint8Array.of(...bytes(1), 0))],
    ['with a character of no code in it', invite.code.replace(/.$/, '!')],
  ])('is refused %s', (_, text) => {
    const message = 'This invite is incomplete or was changed on the way.';
    expect(() => Invite.parse(text)).toThrow(error('INVITE_INVALID', message));
  });

  it('is read behind a page whose address looks like one', () => {
    const link = invite.link('https://q2.example/q2.html');
    expect(Invite.parse(link)).toEqual(invite);
  });

  it('does not show its secret where it is logged or written down', () => {
    expect([`${invite}`, JSON.stringify({ invite })]).toEqual(['Invite(…)', '{"invite":"Invite(…)"}']);
  });

  it('keeps what was wrong with it', () => {
    const parse = () => Invite.parse(code(bytes(1).subarray(0, -1)));
    expect(parse).toThrow(expect.objectContaining({ cause: expect.objectContaining({ code: 'INVALID_ARGUMENT' }) }));
  });

  it('names the argument that is no text, and the page that is no address', () => {
    expect(() => Invite.parse(7 as never)).toThrow(error('INVALID_ARGUMENT', '"text" expected a string, got 7'));
    const message = '"base" expected the address of a page, got "/chat"';
    expect(() => invite.link('/chat')).toThrow(error('INVALID_ARGUMENT', message));
  });
});
