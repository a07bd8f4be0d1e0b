import type { Created, CreateRequest, EndRequest, RelayError, Reply, ReportRequest } from '@qsec2/sdk/wire';
import type { EventRecorder } from '../events/recorder.ts';
import { type Hasher, sameHash } from '../hashes.ts';
import type { Store } from '../store/store.ts';
import { refusals } from './errors.ts';
import type { Member } from './member.ts';

/** Making and ending rooms. */
export class Rooms {
  readonly #store: Store;
  readonly #hasher: Hasher;
  readonly #events: EventRecorder;

  constructor(store: Store, hasher: Hasher, events: EventRecorder) {
    this.#store = store;
    this.#hasher = hasher;
    this.#events = events;
  }

  async create(request: CreateRequest): Promise<Reply<Created>> {
    const key = this.#hasher.name('room', request.room);
    const existed = (await this.#store.find(key)) !== undefined;
    const result = await this.#store.create(key, {
      tokenHash: this.#hasher.secret('token', request.token),
      endTokenHash: this.#hasher.secret('end token', request.endToken),
      capacity: request.capacity,
    });
    if (result === 'conflict') return { error: refusals.noRoom };
    if (result === 'full') return { error: refusals.tooManyRooms };
    if (!existed) this.#events.record({ kind: 'room-created', room: key, n: request.capacity });
    return { ok: result };
  }

  async end(request: EndRequest): Promise<Reply<true>> {
    const key = this.#hasher.name('room', request.room);
    const endTokenHash = this.#hasher.secret('end token', request.endToken);
    const record = await this.#store.find(key);
    if (!record || !sameHash(record.endTokenHash, endTokenHash)) return { error: refusals.noRoom as RelayError };
    await this.#store.end(key);
    return { ok: true };
  }

  /** What a member tells about its key agreement, for the event log. */
  report({ room, seat }: Member, { kind }: ReportRequest): void {
    this.#events.record({ kind, room: room.key, actor: this.#hasher.name('actor', seat) });
  }
}
