import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SettingError } from '../config/settings.ts';

/** What the system says of an address that is not this machine's, or of a name that stands for none. */
const NO_SUCH_HOST: ReadonlySet<unknown> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'ENOTFOUND', 'EAI_AGAIN', 'EINVAL']);
/** Below it ports are for root, unless the system says otherwise. */
const FIRST_FREE_PORT = 1024;

interface Address {
  port: number;
  host: string;
  /** The variable the port comes from. */
  env: 'PORT' | 'RELAY_OPS_PORT';
}

/** @throws {SettingError} naming the variable, and what to do, when the address cannot be listened on. */
export async function listening(server: HttpServer, address: Address): Promise<void> {
  try {
    server.listen(address.port, address.host);
    await once(server, 'listening');
  } catch (cause) {
    throw listenFault(address, cause);
  }
}

export function listenFault({ port, host, env }: Address, cause: unknown): SettingError {
  const { code } = cause as NodeJS.ErrnoException;
  if (NO_SUCH_HOST.has(code)) {
    const expects = `an address of this machine, such as 0.0.0.0, :: or 127.0.0.1; ${host} is none (${code})`;
    return new SettingError('RELAY_HOST', expects, { cause });
  }
  if (code === 'EADDRINUSE') {
    return new SettingError(env, `a free port; ${port} at ${host} is taken by another program (${code})`, { cause });
  }
  const why =
    port < FIRST_FREE_PORT && code === 'EACCES' ? `${port} needs rights, as all below ${FIRST_FREE_PORT} do` : `not ${port}`;
  return new SettingError(env, `a port of ${host} that this user can listen on; ${why} (${code})`, { cause });
}

export function addressOf(server: HttpServer): string {
  const { address, port } = server.address() as AddressInfo;
  const host = address === '0.0.0.0' || address === '::' ? 'localhost' : address.includes(':') ? `[${address}]` : address;
  return `http://${host}:${port}`;
}
