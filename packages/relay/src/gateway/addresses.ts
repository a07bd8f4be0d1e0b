import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** Finds out whom a connection comes from, believing only proxies the operator named. */
export class ClientAddresses {
  readonly #trusted = new BlockList();
  readonly #anyTrusted: boolean;
  /** Requests that came with an X-Forwarded-For from a peer that is not trusted: a proxy that nobody named, or a client that lies. */
  notBelieved = 0;

  /** @param proxies addresses and networks such as `10.0.0.0/8` */
  constructor(proxies: readonly string[]) {
    this.#anyTrusted = proxies.length > 0;
    for (const proxy of proxies) {
      const [address = '', prefix] = proxy.split('/');
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      if (prefix === undefined) this.#trusted.addAddress(address, family);
      else this.#trusted.addSubnet(address, Number(prefix), family);
    }
  }

  /**
   * The address of the client. X-Forwarded-For is read from its end, over every trusted proxy, to the first address that is
   * not one of them: what stands further left was written by who knows whom.
   */
  of(request: IncomingMessage): string {
    let address = plain(request.socket.remoteAddress ?? '');
    if (request.headers['x-forwarded-for'] !== undefined && !this.#isTrusted(address)) this.notBelieved++;
    if (!this.#anyTrusted) return scope(address);
    const hops = String(request.headers['x-forwarded-for'] ?? '')
      .split(',')
      .map((hop) => plain(withoutPort(hop.trim())));
    while (this.#isTrusted(address)) {
      const hop = hops.pop();
      if (hop === undefined || isIP(hop) === 0) break;
      address = hop;
    }
    return scope(address);
  }

  /** Whether the client came over TLS, to this process or to a trusted proxy that says so. */
  isOverTls(request: IncomingMessage): boolean {
    if ((request.socket as Partial<TLSSocket>).encrypted) return true;
    if (!this.#isTrusted(plain(request.socket.remoteAddress ?? ''))) return false;
    // Of several proxies each adds its own at the end; the first is what the client spoke.
    return (
      String(request.headers['x-forwarded-proto'] ?? '')
        .split(',')[0]
        ?.trim()
        .toLowerCase() === 'https'
    );
  }

  /** The address at the other end of a TCP connection; undefined when it is a trusted proxy, behind which anyone may be. */
  ofPeer({ remoteAddress = '' }: Pick<Socket, 'remoteAddress'>): string | undefined {
    const address = plain(remoteAddress);
    return this.#isTrusted(address) ? undefined : scope(address);
  }

  #isTrusted(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#trusted.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }
}

/** Some proxies write a port behind the address: `192.0.2.1:4711`, `[2001:db8::1]:4711` (RFC 7239 §6), which is another one each time. */
function withoutPort(hop: string): string {
  const [, bracketed, dotted] = /^(?:\[([\da-f:.]+)\](?::\d+)?|([\d.]+):\d+)$/i.exec(hop) ?? [];
  return bracketed ?? dotted ?? hop;
}

/** An IPv4 address that came in over an IPv6 socket is an IPv4 address. */
function plain(address: string): string {
  return address.toLowerCase().startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/** What limits and blocks go by for an address as a person writes it; undefined when it is none. */
export function addressScope(text: string): string | undefined {
  const address = plain(text.trim());
  return isIP(address) === 0 ? undefined : scope(address);
}

/** One customer holds a whole /64 of IPv6 addresses: limits count those as one. */
function scope(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.toLowerCase().split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail ? tail.split(':') : [];
  const groups =
    tail === undefined ? left : [...left, ...new Array(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
  return `${groups.slice(0, 4).join(':')}::/64`;
}
