import type { Generated, Selectable } from 'kysely';

/** The tables, the same in SQLite and PostgreSQL. Times are milliseconds since 1970. */
export interface Schema {
  room: RoomTable;
  member: MemberTable;
  segment: SegmentTable;
  event: EventTable;
  identity: IdentityTable;
  transient: TransientTable;
  node: NodeTable;
  operator_order: OrderTable;
  blocked: BlockedTable;
}

interface RoomTable {
  id: Generated<number>;
  /** Keyed hash of the room's id. */
  room_hash: string;
  epoch: string;
  token_hash: Uint8Array;
  end_token_hash: Uint8Array;
  capacity: number;
  created: number;
  /** The head when the room's log was last trimmed: what is kept may end later, never earlier. */
  head_seq: number;
  floor_seq: number;
  /** Since when nobody has a seat. */
  empty_since: number;
  /** When the room has to be looked at though nobody is connected. */
  due: number;
  /** Since which crash of a PostgreSQL that does not wait for the disk the epoch holds. */
  incarnation: Generated<string | null>;
}

interface MemberTable {
  room: number;
  /** Random, chosen by the member; names nobody. */
  seat: string;
  secret_hash: Uint8Array;
  /** The connection that has the seat, where several relays share the database. */
  holder: string | null;
  /** 0 while a connection has the seat. */
  away_since: number;
  recv_seq: number;
}

interface SegmentTable {
  room: number;
  first_seq: number;
  last_seq: number;
  ts: number;
  /** Frames as the batch layout holds them, one behind the other. Their bodies are sealed by the members. */
  items: Uint8Array;
}

interface EventTable {
  id: Generated<number>;
  ts: number;
  kind: string;
  room_hash: string | null;
  actor_hash: string | null;
  /** Frames, or members, the event is about. */
  n: number | null;
  bytes: number | null;
  first_seq: number | null;
  last_seq: number | null;
  detail: string | null;
}

export type EventRow = Selectable<EventTable>;

/** Pushes that were taken, where several relays share the database: (sender, client id) to place. */
interface IdentityTable {
  room: number;
  id: Uint8Array;
  seq: number;
}

/** Transient frames too large for a notification, for the moment until the other relays fetched them. */
interface TransientTable {
  id: Generated<number>;
  ts: number;
  items: Uint8Array;
}

/** Relays that share the database, and when each was last seen. */
interface NodeTable {
  name: string;
  seen: number;
}

/** What an operator asks of the relays that are running. */
interface OrderTable {
  id: Generated<number>;
  ts: number;
  kind: string;
  target: string;
}

/** Networks that may not connect. */
interface BlockedTable {
  /** Keyed hash of the network's name, behind the size of the network. */
  address_hash: string;
  until: number;
}
