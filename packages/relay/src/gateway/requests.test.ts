import { describe, expect, it } from 'vitest';
import { random16, random32 } from '../testing/client.ts';
import { isOperatorToken, operatorToken } from './operator-token.ts';
import { requests } from './requests.ts';

const terms = { room: random16(), token: random32(), endToken: random32(), capacity: 2 };
const place = { room: terms.room, token: terms.token, seat: random16(), seatSecret: random32() };

/** What is wrong with 16 bytes in base64url, and with 32. */
const NO_16 = [
  '',
  'x',
  22,
  null,
  undefined,
  {},
  `${random16()}A`,
  random16().slice(1),
  `${'A'.repeat(21)}B`,
  `+${'A'.repeat(21)}`,
  `${'A'.repeat(22)}\n`,
  ` ${'A'.repeat(22)}`,
];
const NO_32 = [
  ...NO_16,
  random16(),
  `${random32()}A`,
  `${'A'.repeat(42)}B`,
  `/${'A'.repeat(42)}`,
  `${'A'.repeat(43)}\n`,
  `\n${'A'.repeat(43)}`,
];

type Kind = keyof typeof requests;
const cases: [Kind, object, Record<string, readonly unknown[]>][] = [
  [
    'create',
    terms,
    {
      room: NO_16,
      token: NO_32,
      endToken: NO_32,
      capacity: [1, 17, 0, -1, 2.5, '2', null, undefined, Number.NaN],
      operator: [1, null, 'x'.repeat(257)],
    },
  ],
  [
    'join',
    place,
    {
      room: NO_16,
      token: NO_32,
      seat: NO_16,
      seatSecret: NO_32,
      operator: ['x'.repeat(257)],
      since: [
        1,
        null,
        {},
        { epoch: 'e' },
        { seq: 1 },
        { epoch: 'x'.repeat(65), seq: 1 },
        { epoch: 'e', seq: -1 },
        { epoch: 'e', seq: 2 ** 48 },
        { epoch: 'e', seq: 0.5 },
      ],
    },
  ],
  ['end', { room: terms.room, endToken: terms.endToken }, { room: NO_16, endToken: NO_32 }],
  ['recv', { upTo: 0 }, { upTo: [-1, 0.5, '1', null, undefined, 2 ** 48, Number.NaN, Number.POSITIVE_INFINITY] }],
  ['report', { kind: 'key-destroyed' }, { kind: ['room-created', '', null, undefined, 1] }],
];

describe('a request', () => {
  it.each(cases)('%s is taken as it is meant, without what is not known', (kind, value) => {
    expect(requests[kind]({ ...value, __proto__: null, more: 1 })).toEqual(value);
  });

  it.each(cases)('%s is refused with any field that is not right', (kind, value, wrong) => {
    for (const [field, values] of Object.entries(wrong)) {
      for (const bad of values) {
        if (bad === undefined && ['operator', 'since'].includes(field)) continue;
        expect(requests[kind]({ ...value, [field]: bad }), `${field} ${JSON.stringify(bad)}`).toBeUndefined();
      }
    }
    for (const nothing of [undefined, null, 'text', 1, []]) expect(requests[kind](nothing)).toBeUndefined();
  });

  it('reaches to its bounds', () => {
    expect(requests.create({ ...terms, capacity: 16, operator: 'x'.repeat(256) })).toBeDefined();
    expect(requests.recv({ upTo: 2 ** 48 - 1 })).toEqual({ upTo: 2 ** 48 - 1 });
    const since = { epoch: 'e'.repeat(64), seq: 2 ** 48 - 1 };
    expect(requests.join({ ...place, since })).toEqual({ ...place, since });
    for (const last of 'AQgw') expect(requests.join({ ...place, seat: `${'-_'.repeat(10)}a${last}` })).toBeDefined();
    for (const last of 'AEIMQUYcgkosw048') expect(requests.join({ ...place, token: `${'z9'.repeat(21)}${last}` })).toBeDefined();
    for (const kind of ['key-agreement-started', 'key-agreement-finished', 'key-agreement-aborted', 'key-destroyed'])
      expect(requests.report({ kind })).toEqual({ kind });
  });
});

describe("an operator's token", () => {
  const secret = 'a secret of the operator';
  const token = operatorToken(secret, 1000);

  it('is good before the second it names, under its own secret', () => {
    expect(isOperatorToken(secret, token, 999_999)).toBe(true);
    expect(isOperatorToken(secret, token, 1_000_000)).toBe(false);
    expect(isOperatorToken(`${secret}.`, token, 0)).toBe(false);
    expect(isOperatorToken(secret, operatorToken(secret, 999_999_999_999), 0)).toBe(true);
  });

  it.each([
    undefined,
    '',
    '1000',
    '1000.',
    `.${token.slice(5)}`,
    ` ${token}`,
    `${token}\n`,
    `${token}A`,
    token.slice(0, -1),
    token.replace('1000', '-1000'),
    token.replace('1000', '9'.repeat(13)),
    token.replace('1000.', '1000'),
  ])('is nothing else: %j', (text) => {
    expect(isOperatorToken(secret, text, 0)).toBe(false);
  });

  it('is the HMAC of what the documentation says', () => {
    expect(operatorToken('sixteen characters', 2_000_000_000)).toBe('2000000000.1bOTigJLYsCW9VF5xTkwN6Syzh6Fw8RqsCPoawSoCIY');
  });
});
