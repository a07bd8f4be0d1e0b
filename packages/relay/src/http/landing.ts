import { createHash } from 'node:crypto';
import type { Context, Middleware } from 'koa';

/** What the relay says of itself at `/`, where the operator has put no page of their own. */

const STYLE = `:root{color-scheme:light dark;font:16px/1.6 system-ui,sans-serif}
body{max-width:44rem;margin:12vh auto;padding:0 1.25rem}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 1rem}
pre{overflow-x:auto;padding:1rem;border:1px solid color-mix(in srgb,currentColor 20%,transparent);border-radius:8px;font:.875rem/1.6 ui-monospace,monospace}
footer{margin-top:2.5rem;font-size:.875rem;opacity:.7}`;

/** Its own style alone. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** A name or an address, and a port (RFC 3986 §3.2.2, without what no host has). */
const HOST = /^([a-z\d.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i;

const ABOUT = 'It passes on sealed messages between the members of a chat room. It cannot read them.';

/** @param version of the relay, which is that of the widget it serves */
export function landing(version: string): Middleware {
  return async (ctx, next) => {
    if (ctx.path !== '/' || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return next();
    const address = addressOf(ctx);
    // Whoever asks by another name is told another address.
    ctx.set('Cache-Control', 'no-store');
    ctx.vary('Accept');
    switch (ctx.accepts('text/plain', 'application/json', 'text/html')) {
      case 'text/html':
        ctx.set('Content-Security-Policy', POLICY);
        ctx.type = 'html';
        ctx.body = page(twoLines(address), version);
        return;
      case 'application/json':
        ctx.body = { name: 'QSEC2 relay', version, relay: address, widget: `${address}/qsec2-chat.js` };
        return;
      default:
        ctx.type = 'text';
        ctx.body = `QSEC2 relay ${version}\n${ABOUT}\n\nTo put a chat on a page:\n\n${twoLines(address)}\n`;
    }
  };
}

const twoLines = (address: string): string =>
  `<script type="module" src="${address}/qsec2-chat.js"></script>\n<qsec2-chat relay="${address}"></qsec2-chat>`;

/**
 * The address the client reached the relay by. What a proxy says of it is believed without asking who the proxy is: it is
 * told to nobody but the client itself.
 */
function addressOf(ctx: Context): string {
  const first = (header: string) => ctx.get(header).split(',')[0]?.trim() ?? '';
  const scheme = first('X-Forwarded-Proto') === 'https' ? 'https' : ctx.protocol;
  const hosts = [first('X-Forwarded-Host'), ctx.get('Host')].filter((name) => HOST.test(name));
  const named = hosts.map((host) => `${scheme}://${host}`).find((url) => URL.canParse(url));
  return named === undefined ? 'https://relay.example' : new URL(named).origin;
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function page(lines: string, version: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>QSEC2 relay</title><link rel="icon" href="data:,"><style>${STYLE}</style></head>
<body><main><h1>This is a QSEC2 relay</h1><p>${ABOUT} Keys are agreed between the members, and only they have them.</p>
<p>These two lines put a private chat on a page:</p><pre><code>${escaped(lines)}</code></pre></main>
<footer>Version ${escaped(version)}</footer></body></html>`;
}
