import { describe, expect, it } from 'vitest';
import { listenFault } from './listening.ts';

const fault = (code: string, port = 5000, host = '0.0.0.0') =>
  listenFault({ port, host, env: 'PORT' }, Object.assign(new Error('x'), { code })).message;

describe('an address that cannot be listened on', () => {
  it.each([
    ['EADDRINUSE', 5000, 'PORT: expected a free port; 5000 at 0.0.0.0 is taken by another program (EADDRINUSE)'],
    [
      'EACCES',
      80,
      'PORT: expected a port of 0.0.0.0 that this user can listen on; 80 needs rights, as all below 1024 do (EACCES)',
    ],
    [
      'EACCES',
      1023,
      'PORT: expected a port of 0.0.0.0 that this user can listen on; 1023 needs rights, as all below 1024 do (EACCES)',
    ],
    ['EACCES', 1024, 'PORT: expected a port of 0.0.0.0 that this user can listen on; not 1024 (EACCES)'],
    ['EPERM', 80, 'PORT: expected a port of 0.0.0.0 that this user can listen on; not 80 (EPERM)'],
  ])('is told of with its port: %s %i', (code, port, message) => {
    expect(fault(code, port)).toBe(message);
  });

  it.each(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'ENOTFOUND', 'EAI_AGAIN', 'EINVAL'])('is told of with its host: %s', (code) => {
    const message = `RELAY_HOST: expected an address of this machine, such as 0.0.0.0, :: or 127.0.0.1; 192.0.2.1 is none (${code})`;
    expect(fault(code, 5000, '192.0.2.1')).toBe(message);
  });
});
