import type { Kysely } from 'kysely';
import type { Schema } from '../database/schema.ts';

/**
 * What an operator asks of relays that are running, left for them in the database: rooms to end, addresses to refuse. Written
 * by the commands, read by every relay on that database about once a second.
 */
export class Orders {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  /** @param room keyed hash of its id */
  async endRoom(room: string, now: number): Promise<void> {
    await this.#db.insertInto('operator_order').values({ ts: now, kind: 'end-room', target: room }).execute();
  }

  /** Rooms to end. Each is handed out once. */
  async takeRoomsToEnd(): Promise<string[]> {
    const orders = await this.#db.selectFrom('operator_order').select(['id', 'target']).where('kind', '=', 'end-room').execute();
    if (orders.length === 0) return [];
    const ids = orders.map(({ id }) => id);
    await this.#db.deleteFrom('operator_order').where('id', 'in', ids).execute();
    return orders.map(({ target }) => target);
  }

  /** @param network what a block is kept under ({@link Blocks.keyOf}); @param until milliseconds since 1970 */
  async block(network: string, until: number): Promise<void> {
    await this.#db
      .insertInto('blocked')
      .values({ address_hash: network, until })
      .onConflict((conflict) => conflict.column('address_hash').doUpdateSet({ until }))
      .execute();
  }

  async unblock(network: string): Promise<boolean> {
    const result = await this.#db.deleteFrom('blocked').where('address_hash', '=', network).executeTakeFirst();
    return result.numDeletedRows > 0n;
  }

  /** What is refused at `now`; that whose time is over is forgotten. */
  async blocked(now: number): Promise<string[]> {
    await this.#db.deleteFrom('blocked').where('until', '<=', now).execute();
    const rows = await this.#db.selectFrom('blocked').select('address_hash').execute();
    return rows.map(({ address_hash }) => address_hash);
  }
}
