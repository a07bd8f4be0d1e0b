import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Credentials } from './certificates.ts';

/** A key between two applications, until it is delivered to the second one. */
interface StoredKey {
  bytes: Buffer;
  master: string;
  /** Who may still fetch it. */
  slaves: Set<string>;
}

/** The quantum link between the two entities: what one stores the other one finds. */
export type QuantumLink = Map<string, StoredKey>;

/** What the next requests are to meet instead of an answer. */
export interface Fault {
  /** This status with this body. */
  status?: number;
  body?: string | Uint8Array;
  /** Never answers. */
  silent?: boolean;
  /** Cuts the connection. */
  hangUp?: boolean;
}

/** What a request carried, for tests of the wire format. */
export interface SeenRequest {
  sae: string;
  method: string;
  path: string;
  body: unknown;
}

export interface MockKmeOptions {
  id: string;
  peerId: string;
  credentials: Credentials;
  /** The authority that signed the applications' certificates. */
  clientCa: string;
  link: QuantumLink;
}

const KEY_SIZE = 256;
const MOST_BITS = 4096;
const MOST_KEYS = 16;
const MOST_SAES = 2;

class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A key management entity for tests: ETSI GS QKD 014 over real mutual TLS, with keys from the system's generator. */
export class MockKme {
  readonly seen: SeenRequest[] = [];
  fault: Fault | undefined;
  readonly #options: MockKmeOptions;
  readonly #server: Server;

  constructor(options: MockKmeOptions) {
    this.#options = options;
    const { credentials, clientCa } = options;
    this.#server = createServer(
      { ...credentials, ca: clientCa, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2' },
      (request, response) => {
        this.#handle(request, response).catch(() => response.destroy());
      },
    );
  }

  /** Its address, after {@link listen}. */
  get url(): string {
    return `https://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, 'localhost', resolve));
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const sae = (request.socket as TLSSocket).getPeerCertificate().subject.CN as string;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const url = new URL(request.url ?? '/', this.url);
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    this.seen.push({ sae, method: request.method ?? '', path: url.pathname + url.search, body });
    const fault = this.fault;
    if (fault?.silent) return;
    if (fault?.hangUp) return void response.destroy();
    const { status, json } = fault ? { status: fault.status ?? 200, json: fault.body ?? '' } : this.#answer(sae, url, body);
    response.writeHead(status, { 'content-type': 'application/json' }).end(json);
  }

  #answer(sae: string, url: URL, body: unknown): { status: number; json: string | Uint8Array } {
    try {
      return { status: 200, json: JSON.stringify(this.#route(sae, url, (body ?? {}) as Record<string, unknown>)) };
    } catch (error) {
      if (error instanceof Refusal) return { status: error.status, json: JSON.stringify({ message: error.message }) };
      throw error;
    }
  }

  #route(sae: string, url: URL, body: Record<string, unknown>): unknown {
    const [, other = '', what] = /^\/api\/v1\/keys\/([^/]+)\/(status|enc_keys|dec_keys)$/.exec(url.pathname) ?? [];
    const peer = decodeURIComponent(other);
    const query = url.searchParams;
    if (what === 'status') return this.#status(sae, peer);
    if (what === 'enc_keys') return this.#enc(sae, peer, { ...body, ...numbersOf(query) });
    if (what === 'dec_keys') return this.#dec(sae, peer, query.has('key_ID') ? [query.get('key_ID') as string] : idsOf(body));
    throw new Refusal(404, 'not found');
  }

  #status(sae: string, peer: string): unknown {
    const { id, peerId, link } = this.#options;
    return {
      source_KME_ID: id,
      target_KME_ID: peerId,
      master_SAE_ID: sae,
      slave_SAE_ID: peer,
      key_size: KEY_SIZE,
      stored_key_count: 25_000 - link.size,
      max_key_count: 100_000,
      max_key_per_request: MOST_KEYS,
      max_key_size: MOST_BITS,
      min_key_size: 64,
      max_SAE_ID_count: MOST_SAES,
    };
  }

  #enc(sae: string, peer: string, request: Record<string, unknown>): unknown {
    const { number = 1, size = KEY_SIZE, additional_slave_SAE_IDs: more = [], extension_mandatory: mandatory = [] } = request;
    if (typeof size !== 'number' || size % 8 !== 0) throw new Refusal(400, 'size shall be a multiple of 8');
    if (typeof number !== 'number' || number > MOST_KEYS || size > MOST_BITS)
      throw new Refusal(400, 'more than max_key_per_request or max_key_size');
    if ((mandatory as unknown[]).length > 0) throw new Refusal(400, 'not all extension_mandatory parameters are supported');
    const keys = Array.from({ length: number }, () => {
      const id = randomUUID();
      const bytes = randomBytes(size / 8);
      this.#options.link.set(id, { bytes, master: sae, slaves: new Set([peer, ...(more as string[])]) });
      return { key_ID: id, key: bytes.toString('base64') };
    });
    return { keys };
  }

  #dec(sae: string, master: string, ids: readonly string[]): unknown {
    const { link } = this.#options;
    const found = ids.map((id) => [id, link.get(id)] as const);
    if (found.some(([, key]) => key && !key.slaves.has(sae))) throw new Refusal(401, 'Unauthorized');
    if (found.some(([, key]) => key?.master !== master))
      throw new Refusal(400, 'one or more keys specified are not found on KME');
    const keys = found.map(([id, key]) => ({ key_ID: id, key: (key as StoredKey).bytes.toString('base64') }));
    for (const [id, key] of found) {
      key?.slaves.delete(sae);
      if (key?.slaves.size === 0) link.delete(id);
    }
    return { keys };
  }
}

const numbersOf = (query: URLSearchParams): Record<string, number> =>
  Object.fromEntries(['number', 'size'].flatMap((name) => (query.has(name) ? [[name, Number(query.get(name))]] : [])));

const idsOf = (body: Record<string, unknown>): string[] =>
  ((body.key_IDs as { key_ID: string }[] | undefined) ?? []).map(({ key_ID }) => key_ID);
