import pg from 'pg';

const CHANNEL = 'qsec2_relay';
const RETRY_MS = 500;

/** A connection that listens for news of other relays, and connects again when it breaks. */
export class Listener {
  readonly #config: pg.ClientConfig;
  readonly #heard: (payload: string) => void;
  readonly #again: () => void;
  readonly #failed: (error: unknown) => void;
  #client: pg.Client | undefined;
  #closed = false;
  #retry: NodeJS.Timeout | undefined;

  /** @param again called when listening starts again: news may have been missed. */
  constructor(config: pg.ClientConfig, heard: (payload: string) => void, again: () => void, failed: (error: unknown) => void) {
    this.#config = config;
    this.#heard = heard;
    this.#again = again;
    this.#failed = failed;
  }

  async start(): Promise<void> {
    const client = new pg.Client(this.#config);
    client.on('error', this.#failed);
    client.on('notification', ({ payload }) => this.#heard(payload ?? ''));
    client.once('end', () => this.#lost());
    await client.connect();
    await client.query(`LISTEN ${CHANNEL}`);
    this.#client = client;
  }

  /** The connection, for what must not wait; undefined while there is none. */
  get client(): pg.Client | undefined {
    return this.#client;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#client?.end();
  }

  #lost(): void {
    this.#client = undefined;
    // An attempt that fails ends its connection as well: both lead here, and only one may try again.
    if (this.#closed || this.#retry) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.start().then(this.#again, (error) => {
        this.#failed(error);
        this.#lost();
      });
    }, RETRY_MS);
    this.#retry.unref();
  }
}

/** Statement that tells every relay, this one included, once its transaction is committed. */
export const NOTIFY = `SELECT pg_notify('${CHANNEL}', payload) FROM unnest($1::text[]) AS payload`;
