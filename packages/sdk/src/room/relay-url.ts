import { QsecError } from '../errors.ts';
import { Invite } from '../protocol/invite.ts';

/** A name, IPv4 or IPv6 address in the place where a scheme has to be, with a port or without. */
const HOST = /^(?:\[[\da-f:.]+\]|localhost|[\w-]+(?:\.[\w-]+)+|[\w-]+(?=:\d))(?::\d+)?(?:[/?#]|$)/i;
/** Hosts that a developer's machine has, where nobody has a certificate. */
const LOCAL = /^(?:localhost|127\.|\[::1\]|10\.|192\.168\.|[\w-]+(?:[:/]|$))/i;

/**
 * The address of a relay. On a page it may be relative to the page.
 *
 * @throws {QsecError} `INVALID_ARGUMENT`, with what to write instead where that can be told
 */
export function relayUrl(relay: string | URL): URL {
  if (typeof relay !== 'string' && !(relay instanceof URL)) throw wrong(`got ${relay === null ? 'null' : typeof relay}`);
  const given = String(relay).trim();
  // Its secret would be in the message.
  if (Invite.isIn(given)) throw wrong('got an invite link, which belongs in "invite"');
  const meant = meantBy(given);
  if (meant !== undefined) throw wrong(`got "${given}". Write "${meant}".`);
  const page = typeof location === 'undefined' ? undefined : location.href;
  if (!URL.canParse(given, page)) throw wrong(`got "${given}"`);
  const url = new URL(given, page);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw wrong(`got "${given}"`);
  return url;
}

/** What to write instead of an address that looks like one and is none: `localhost:5000`, `wss://relay.example`, `//relay.example`. */
function meantBy(given: string): string | undefined {
  const webSocket = /^ws(s?):\/\/(.+)/i.exec(given);
  if (webSocket) return `http${webSocket[1]?.toLowerCase()}://${webSocket[2]}`;
  const mangled = /^(https?)(?::\/?|\/\/)(?![/:])(.+)/i.exec(given);
  if (mangled) return `${mangled[1]?.toLowerCase()}://${mangled[2]}`;
  const host = given.replace(/^\/\//, '');
  if (!HOST.test(host)) return undefined;
  return `${LOCAL.test(host) ? 'http' : 'https'}://${host}`;
}

const wrong = (what: string) =>
  new QsecError('INVALID_ARGUMENT', `"relay" expected an address such as https://relay.example, ${what}`, {
    details: { argument: 'relay' },
  });
