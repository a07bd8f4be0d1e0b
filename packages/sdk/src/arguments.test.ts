import { describe, expect, it } from 'vitest';
import { check, checkEvent, checkOptions, either, type Kinds, oneOf, SIGNAL, TEXT, wholeNumber } from './arguments.ts';

const KINDS: Kinds<{ capacity?: number; name?: string; signal?: AbortSignal }> = {
  capacity: wholeNumber(2, 16),
  name: TEXT,
  signal: SIGNAL,
};
const given = (options: unknown) => () => checkOptions('options', options as object, KINDS as Kinds<object>);

describe('options', () => {
  it.each([{}, { name: '' }, { name: undefined }, { capacity: 2 }, { signal: new AbortController().signal }])(
    '%j are taken',
    (options) => expect(given(options)).not.toThrow(),
  );

  it.each<[unknown, string]>([
    [undefined, '"options" expected an object of options, got undefined'],
    [null, '"options" expected an object of options, got null'],
    ['name', '"options" expected an object of options, got "name"'],
    [[], '"options" expected an object of options, got an array'],
    [{ name: 7 }, '"name" expected a string, got 7'],
    [{ name: null }, '"name" expected a string, got null'],
    [{ name: ['Ana'] }, '"name" expected a string, got an array'],
    [{ name: { first: 'Ana' } }, '"name" expected a string, got an object'],
    [{ name: () => 'Ana' }, '"name" expected a string, got a function'],
    [{ name: Symbol('Ana') }, '"name" expected a string, got Symbol(Ana)'],
    [{ capacity: '4' }, '"capacity" expected a whole number from 2 to 16, got "4"'],
    [{ capacity: Number.NaN }, '"capacity" expected a whole number from 2 to 16, got NaN'],
    [{ capacity: 17 }, '"capacity" expected a whole number from 2 to 16, got 17'],
    [{ signal: {} }, '"signal" expected an AbortSignal, got an object'],
    [{ nmae: 'Ana' }, '"nmae" is no option here. Did you mean "name"?'],
    [{ Name: 'Ana' }, '"Name" is no option here. Did you mean "name"?'],
    [{ capasity: 3 }, '"capasity" is no option here. Did you mean "capacity"?'],
    [{ colour: 'red' }, '"colour" is no option here. There are capacity, name, signal.'],
    [{ toString: 'x' }, '"toString" is no option here. There are capacity, name, signal.'],
    [{ ['n'.repeat(61)]: 1 }, `"${'n'.repeat(60)}…" is no option here. There are capacity, name, signal.`],
  ])('%o are refused, by name', (options, message) => {
    expect(given(options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', message }));
  });

  it('of an option are named with it', () => {
    const nested = () => checkOptions('files', { fetchUpto: 1 } as object, { fetchUpTo: TEXT } as Kinds<object>);
    expect(nested).toThrow('"files.fetchUpto" is no option here. Did you mean "fetchUpTo"?');
  });

  it('that have to be there are missed', () => {
    expect(() => checkOptions('options', {} as { name?: string }, { name: TEXT }, ['name'])).toThrow('"name" expected a string');
  });
});

it('a value may be of one of several kinds', () => {
  const kind = either(oneOf('a', 'b'), TEXT);
  expect(kind.expected).toBe("'a' or 'b' or a string");
  expect(() => check('x', 'c', oneOf('a', 'b', 'c'))).not.toThrow();
  expect(() => check('x', 'd', oneOf('a', 'b', 'c'))).toThrow(`"x" expected 'a', 'b' or 'c', got "d"`);
});

it('an event that there is not is refused with the one that was probably meant', () => {
  const names = ['message', 'members', 'keyAgreement'];
  expect(() => checkEvent('message', names)).not.toThrow();
  expect(() => checkEvent('mesage', names)).toThrow('"mesage" is no event here. Did you mean "message"?');
  expect(() => checkEvent('keyagreement', names)).toThrow('Did you mean "keyAgreement"?');
  expect(() => checkEvent('memebrs', names)).toThrow('Did you mean "members"?');
  expect(() => checkEvent(7, names)).toThrow('7 is no event here. There are message, members, keyAgreement.');
});
