import type { IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { QsecError } from '../../errors.ts';
import { failure } from './failure.ts';

/** PEM text or bytes. */
export type Pem = string | Uint8Array;

export interface MutualTls {
  /** This client's certificate chain: it tells the KME which application (SAE) asks. */
  cert: Pem;
  key: Pem;
  /** Of `key`, when it is encrypted. */
  passphrase?: string;
  /** The authority that signed the KME's certificate. Default: those that Node trusts. */
  ca?: Pem | readonly Pem[];
}

export interface Limits {
  /** For the whole exchange, from connecting to the last byte. */
  timeoutMs: number;
  maxResponseBytes: number;
}

export interface HttpAnswer {
  status: number;
  body: Uint8Array;
}

const asPem = (pem: Pem): string | Buffer => (typeof pem === 'string' ? pem : Buffer.from(pem));

/** Connections are not kept: keys are fetched rarely, and a KME may limit how many clients hold one. */
export function tlsAgent({ cert, key, passphrase, ca }: MutualTls): Agent {
  const authorities = ca === undefined ? [] : (Array.isArray(ca) ? ca : [ca]).map((one: Pem) => asPem(one));
  return new Agent({
    keepAlive: false,
    // ETSI GS QKD 014 V1.1.1, §5.1: TLS 1.2 or higher, authenticated on both sides.
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    cert: asPem(cert),
    key: asPem(key),
    ...(passphrase !== undefined && { passphrase }),
    ...(authorities.length > 0 && { ca: authorities }),
  });
}

/**
 * One request over mutual TLS. Redirects are not followed.
 *
 * @param body sent as JSON by POST; absent: GET.
 * @throws QsecError `KEY_SOURCE_FAILED` with reason `unreachable`, `tls`, `timeout` or `response-too-large`; `ABORTED`.
 */
export function exchange(
  url: URL,
  agent: Agent,
  body: string | undefined,
  { timeoutMs, maxResponseBytes }: Limits,
  signal?: AbortSignal,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(aborted(signal));
    const headers = {
      accept: 'application/json',
      ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    };
    const request = httpsRequest(url, { agent, method: body === undefined ? 'GET' : 'POST', headers });
    const timer = setTimeout(
      () => stop(failure('timeout', `The key management entity did not answer within ${timeoutMs} ms`, { timeoutMs })),
      timeoutMs,
    );
    const abort = (): void => stop(aborted(signal as AbortSignal));
    signal?.addEventListener('abort', abort, { once: true });
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    };
    const stop = (reason: QsecError): void => {
      settle();
      reject(reason);
      request.destroy();
    };
    request.on('error', (error) => stop(connectionFailure(error, url)));
    request.on('response', (response) => {
      read(response, maxResponseBytes).then((answer) => {
        settle();
        resolve(answer);
      }, stop);
    });
    request.end(body);
  });
}

function read(response: IncomingMessage, maxBytes: number): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    response.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes)
        reject(failure('response-too-large', `The key management entity sent more than ${maxBytes} bytes`, { maxBytes }));
      else chunks.push(chunk);
    });
    response.on('error', (error) =>
      reject(failure('unreachable', 'The connection to the key management entity broke', { code: codeOf(error) }, error)),
    );
    response.on('end', () => {
      const body = Buffer.concat(chunks);
      // The pieces held the key too.
      for (const chunk of chunks) chunk.fill(0);
      resolve({ status: response.statusCode ?? 0, body });
    });
  });
}

const aborted = (signal: AbortSignal): QsecError =>
  new QsecError('ABORTED', 'The request to the key management entity was cancelled', { cause: signal.reason });

const codeOf = (error: Error): string => ('code' in error ? String(error.code) : error.name);

/** OpenSSL's and Node's codes for certificates that were not accepted, by either side. */
const TLS_CODES = /^(ERR_SSL_|ERR_TLS_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO)/;

function connectionFailure(error: Error, url: URL): QsecError {
  const code = codeOf(error);
  const facts = { code, host: url.host };
  if (TLS_CODES.test(code))
    return failure(
      'tls',
      `No trusted connection to the key management entity at ${url.host}: ${error.message.trim()}`,
      facts,
      error,
    );
  return failure('unreachable', `The key management entity at ${url.host} cannot be reached: ${code}`, facts, error);
}
