import { type ClientToRelay, type RelayError, type Reply, WIRE_VERSION } from '@qsec2/sdk/wire';
import type { BlobSession } from '../blobs/blob-session.ts';
import type { Blobs } from '../blobs/blobs.ts';
import type { Clock } from '../clock.ts';
import type { RelaySettings } from '../config/settings.ts';
import { parsePushes } from '../frames/parse-pushes.ts';
import { refusals } from '../hub/errors.ts';
import type { Hub } from '../hub/hub.ts';
import type { Member } from '../hub/member.ts';
import type { Rooms } from '../hub/rooms.ts';
import type { Metrics } from '../metrics.ts';
import type { Admission } from './admission.ts';
import type { Intake } from './intake.ts';
import { isOperatorToken } from './operator-token.ts';
import { requests } from './requests.ts';
import type { RelaySocket, SocketLink } from './socket-link.ts';

/** A connection that has taken no seat by then is closed. */
const SEAT_WITHIN_MS = 30_000;
/** A pause worth telling the client about. */
const TELL_FROM_MS = 50;

export interface SessionOptions {
  settings: RelaySettings;
  admission: Admission;
  clock: Clock;
  metrics: Metrics;
  hub: Hub;
  rooms: Rooms;
  blobs: Blobs;
  /** The relay is stopping: nobody new. */
  draining(): boolean;
  onError(error: unknown): void;
}

/** Whoever does not say speaks the first version. Asked before anything else: another version may have other shapes. */
const isOurVersion = (value: unknown): boolean => ((value as { version?: unknown } | null)?.version ?? 1) === WIRE_VERSION;

type AnyReply = (reply: Reply<unknown>) => void;

/** One connection: checks what the client sends and passes it on. */
export class Session {
  readonly #socket: RelaySocket;
  readonly #link: SocketLink;
  readonly #options: SessionOptions;
  #member: Member | undefined;
  /** A request is being worked on: the next one waits for its reply. */
  #busy = false;

  readonly #address: string;
  readonly #intake: Intake;
  /** Made when the first request about a file comes. */
  #blobs: BlobSession | undefined;
  #seatTimer: NodeJS.Timeout | undefined;

  constructor(socket: RelaySocket, link: SocketLink, intake: Intake, address: string, options: SessionOptions) {
    this.#socket = socket;
    this.#link = link;
    this.#intake = intake;
    this.#address = address;
    this.#options = options;
    this.#seatTimer = setTimeout(() => link.close(), SEAT_WITHIN_MS);
    intake.onPacket = (pauseMs) => {
      this.#tell(pauseMs);
      link.checkIsRead();
    };
    // One listener instead of one for each event: an idle connection is small.
    socket.onAny((event: unknown, ...payload: unknown[]) => {
      try {
        this.#heard(event, payload);
      } catch (error) {
        // Socket.IO calls from a turn of its own, where an exception would end the relay. A fault of ours costs this connection.
        options.onError(error);
        link.close();
      }
    });
  }

  /** The connection is gone. */
  disconnected(): void {
    clearTimeout(this.#seatTimer);
    this.#link.close();
    const member = this.#member;
    this.#member = undefined;
    if (member) this.#options.hub.disconnected(member);
  }

  /** Events that are not part of the contract are not answered; they count to the rate. */
  #heard(event: unknown, [first, second, third]: readonly unknown[]): void {
    switch (event as keyof ClientToRelay) {
      case 'push':
        this.#push(first);
        break;
      case 'recv':
        this.#received(first);
        break;
      case 'report':
        this.#report(first);
        break;
      case 'create':
        void this.#request(second, () => this.#create(first));
        break;
      case 'join':
        void this.#request(second, () => this.#join(first));
        break;
      case 'leave':
        void this.#request(first, () => this.#leave());
        break;
      case 'end':
        void this.#request(second, () => this.#end(first));
        break;
      case 'blob:put':
        this.#blobSession().put(first, second, third);
        break;
      case 'blob:get':
        this.#blobSession().get(first, second);
        break;
      case 'blob:drop':
        this.#blobSession().drop(first, second);
        break;
    }
  }

  #blobSession(): BlobSession {
    this.#blobs ??= this.#options.blobs.session(this.#socket, {
      member: () => this.#joined && { room: this.#joined.room.key, seat: this.#joined.seat },
      draining: () => this.#options.draining(),
    });
    return this.#blobs;
  }

  /** Runs a request and answers it. The value of `start` is called once the reply is on its way. */
  async #request(reply: unknown, work: () => Promise<{ reply: Reply<unknown>; start?: () => void }>): Promise<void> {
    if (typeof reply !== 'function') {
      this.#misbehaved(refusals.badRequest);
      return;
    }
    const answer = reply as AnyReply;
    if (this.#busy) {
      answer({ error: refusals.badRequest });
      return;
    }
    if (!this.#options.admission.mayAsk(this.#address)) {
      answer({ error: refusals.rateLimited });
      return;
    }
    if (this.#options.draining()) {
      answer({ error: refusals.draining });
      return;
    }
    this.#busy = true;
    try {
      const done = await work();
      answer(done.reply);
      done.start?.();
    } catch (error) {
      this.#options.onError(error);
      answer({ error: refusals.unavailable });
    } finally {
      this.#busy = false;
    }
  }

  async #create(value: unknown) {
    if (!isOurVersion(value)) return { reply: refuse(refusals.version) };
    const request = requests.create(value);
    if (!request) return { reply: refuse(refusals.badRequest) };
    const { settings, clock, rooms } = this.#options;
    const { operatorSecret } = settings;
    if (operatorSecret !== undefined && !isOperatorToken(operatorSecret, request.operator, clock.now())) {
      return { reply: refuse(refusals.operator) };
    }
    const reply = await rooms.create(request);
    if (reply.ok) this.#options.metrics.roomsCreated++;
    return { reply: this.#notGuessed(reply) };
  }

  async #join(value: unknown) {
    if (!isOurVersion(value)) return { reply: refuse(refusals.version) };
    const request = requests.join(value);
    if (!request) return { reply: refuse(refusals.badRequest) };
    if (this.#joined) return { reply: refuse(refusals.joinedAlready) };
    const result = await this.#options.hub.join(this.#link, request);
    if ('code' in result) {
      this.#options.metrics.joinsRefused++;
      return { reply: this.#notGuessed(refuse(result)) };
    }
    this.#options.metrics.joins++;
    const { member, joined } = result;
    if (this.#socket.disconnected) {
      this.#options.hub.disconnected(member);
      return { reply: refuse(refusals.unavailable) };
    }
    this.#member = member;
    clearTimeout(this.#seatTimer);
    this.#seatTimer = undefined;
    return { reply: { ok: joined }, start: () => void member.start() };
  }

  async #leave() {
    const member = this.#joined;
    if (!member) return { reply: refuse(refusals.notJoined) };
    await this.#options.hub.settle();
    await this.#options.hub.leave(member);
    this.#member = undefined;
    return { reply: { ok: true } };
  }

  async #end(value: unknown) {
    const request = requests.end(value);
    return { reply: request ? this.#notGuessed(await this.#options.rooms.end(request)) : refuse(refusals.badRequest) };
  }

  #push(frames: unknown): void {
    const member = this.#joined;
    if (!member) {
      this.#misbehaved(refusals.notJoined);
      return;
    }
    const views = Buffer.isBuffer(frames) ? parsePushes(frames) : undefined;
    // Acknowledgements count frames. What cannot be counted cannot be answered, so the connection ends here.
    if (!views) {
      this.#misbehaved(refusals.badRequest);
      return;
    }
    // One was counted when the packet came.
    this.#tell(this.#intake.count(views.length - 1, 0));
    this.#options.hub.push(member, frames as Buffer, views);
  }

  #received(value: unknown): void {
    const request = requests.recv(value);
    if (!request) {
      this.#misbehaved(refusals.badRequest);
      return;
    }
    if (this.#joined) this.#options.hub.received(this.#joined, request.upTo);
  }

  #report(value: unknown): void {
    const request = requests.report(value);
    if (!request) {
      this.#misbehaved(refusals.badRequest);
      return;
    }
    const member = this.#joined;
    if (!member) {
      this.#misbehaved(refusals.notJoined);
      return;
    }
    this.#options.rooms.report(member, request);
  }

  /** The seat this connection has; none any more once the room ended. */
  get #joined(): Member | undefined {
    return this.#member?.closed ? undefined : this.#member;
  }

  /** Says for how long nothing is read. */
  #tell(pauseMs: number): void {
    if (pauseMs >= TELL_FROM_MS) this.#link.send('slow', { pauseMs });
  }

  /** Naming rooms, tokens and seats that are not right is what guessing looks like: it makes the next request wait longer. */
  #notGuessed<T>(reply: Reply<T>): Reply<T> {
    const { code } = reply.error ?? {};
    if (code === 'NO_ROOM' || code === 'SEAT_TAKEN') this.#options.admission.guessed(this.#address);
    return reply;
  }

  #misbehaved(error: RelayError): void {
    this.#options.metrics.misbehaved++;
    this.#socket.emit('error', error);
    this.#socket.disconnect(true);
  }
}

const refuse = (error: RelayError): Reply<never> => ({ error });
