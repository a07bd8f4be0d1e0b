import type { Edit, Mutant } from '../child-relay.ts';

/** The relay as it is, with its times made short: what a slow client does ends in a moment. */
export const hasty: Mutant = {
  name: 'short times',
  edits: [
    { file: 'http/bounded-server.ts', from: 'requestTimeout: 10_000', to: 'requestTimeout: 300' },
    { file: 'http/bounded-server.ts', from: 'headersTimeout: 10_000', to: 'headersTimeout: 300' },
    { file: 'http/bounded-server.ts', from: 'connectionsCheckingInterval: 5000', to: 'connectionsCheckingInterval: 50' },
    { file: 'http/bounded-server.ts', from: 'IDLE_MS = 30_000', to: 'IDLE_MS = 600' },
    { file: 'gateway/gateway.ts', from: 'CONNECT_TIMEOUT_MS = 10_000', to: 'CONNECT_TIMEOUT_MS = 300' },
    { file: 'gateway/session.ts', from: 'SEAT_WITHIN_MS = 30_000', to: 'SEAT_WITHIN_MS = 300' },
  ],
};

const without = (file: string, from: string, to: string): Edit => ({ file, from, to });

const SWITCH = 'switch (event as keyof ClientToRelay) {';

/** The relay that decodes a text packet of any length. */
export const unboundedText: Mutant = {
  name: 'text of any length',
  edits: [without('gateway/packets.ts', 'MAX_TEXT = 8192', 'MAX_TEXT = 1e9')],
};

/** The relay with every defence taken out: each attack has to succeed here, or it is none. */
export const undefended: Mutant = {
  name: 'no defences',
  edits: [
    without('http/bounded-server.ts', 'requestTimeout: 10_000', 'requestTimeout: 0'),
    without('http/bounded-server.ts', 'headersTimeout: 10_000', 'headersTimeout: 0'),
    without('http/bounded-server.ts', 'maxHeaderSize: 16_384', 'maxHeaderSize: 1e6'),
    without('http/bounded-server.ts', 'server.timeout = IDLE_MS', 'server.timeout = 0'),
    without('http/bounded-server.ts', 'count > settings.maxPerAddress * PER_WEB_SOCKET', 'false'),
    without('http/bounded-server.ts', '!upgrades(url)', 'false'),
    without('http/fair-requests.ts', 'add(socket, 1) > PIPELINED', 'false'),
    without('gateway/gateway.ts', 'CONNECT_TIMEOUT_MS = 10_000', 'CONNECT_TIMEOUT_MS = 2 ** 31 - 1'),
    without('gateway/gateway.ts', 'MAX_FRAGMENTS = 64', 'MAX_FRAGMENTS = 1e9'),
    without('gateway/gateway.ts', 'limits.inFlightBytes + limits.frameBytes + PUSH_OVERHEAD_BYTES', '1e9'),
    without('gateway/gateway.ts', "!new URL(request.url ?? '', 'http://localhost').searchParams.has('sid')", '!!request'),
    without('gateway/gateway.ts', 'if (address === undefined || intake === undefined) {', 'if (intake === undefined) {'),
    without(
      'gateway/gateway.ts',
      'new Session(socket, link, intake, address, ',
      "new Session(socket, link, intake, address ?? '', ",
    ),
    ...unboundedText.edits,
    without('gateway/packets.ts', '|| namesNamespace(packet)', ''),
    without('gateway/session.ts', 'SEAT_WITHIN_MS = 30_000', 'SEAT_WITHIN_MS = 2 ** 31 - 1'),
    without('gateway/session.ts', 'link.checkIsRead();', ''),
    without('gateway/operator-token.ts', ' && Number(expires) * 1000 > now', ''),
    without('hub/hub.ts', '!record || !sameHash(record.tokenHash, tokenHash)', '!record || !tokenHash'),
    without('hub/rooms.ts', '!record || !sameHash(record.endTokenHash, endTokenHash)', '!record || !endTokenHash'),
    without('store/local/local-store.ts', 'known && !sameHash(known.secretHash, secretHash)', '!secretHash'),
    without('store/local/local-store.ts', 'if (known !== undefined) return known;', ''),
    without('store/local/local-store.ts', 'if (twin) return twin.seq;', ''),
    without('gateway/session.ts', SWITCH, `console.log('heard', event, first); ${SWITCH}`),
  ],
};
