import { expect, it } from 'vitest';
import { nameOf, relayError, unreachable } from './relay-error.ts';

const URL_OF_RELAY = new URL('https://ana:word@relay.example/chat/?token=1#x');

it('a relay is named without what might be secret in its address', () => {
  expect(nameOf(URL_OF_RELAY)).toBe('https://relay.example/chat');
  expect(nameOf(new URL('http://localhost:5000'))).toBe('http://localhost:5000');
});

it('a relay that cannot be reached, or serves nothing now, is named in what is said and in what to do', () => {
  const cause = new Error('websocket error');
  expect(unreachable(URL_OF_RELAY, cause)).toMatchObject({
    code: 'RELAY_UNREACHABLE',
    cause,
    message: 'The relay at https://relay.example/chat cannot be reached.',
    remediation: 'Check the network, and that a relay answers at https://relay.example/chat. Then try again.',
  });
  const busy = relayError(URL_OF_RELAY, { code: 'UNAVAILABLE', message: '' });
  expect(busy).toMatchObject({ code: 'RELAY_UNREACHABLE', message: expect.stringContaining('https://relay.example/chat') });
});
