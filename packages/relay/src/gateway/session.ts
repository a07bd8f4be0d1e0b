import type { RelayError, Reply } from '@qsec2/sdk/wire';
import type { EventRecorder } from '../events/recorder.ts';
import { parsePushes } from '../frames/parse-pushes.ts';
import { refusals } from '../hub/errors.ts';
import type { Hub } from '../hub/hub.ts';
import type { Member } from '../hub/member.ts';
import type { Rooms } from '../hub/rooms.ts';
import { requests } from './requests.ts';
import type { RelaySocket, SocketLink } from './socket-link.ts';

export interface SessionOptions {
  hub: Hub;
  rooms: Rooms;
  events: EventRecorder;
  /** The relay is stopping: nobody new. */
  draining(): boolean;
  onError(error: unknown): void;
}

type AnyReply = (reply: Reply<unknown>) => void;

/** One connection: checks what the client sends and passes it on. */
export class Session {
  readonly #socket: RelaySocket;
  readonly #link: SocketLink;
  readonly #options: SessionOptions;
  #member: Member | undefined;
  /** A request is being worked on: the next one waits for its reply. */
  #busy = false;

  constructor(socket: RelaySocket, link: SocketLink, options: SessionOptions) {
    this.#socket = socket;
    this.#link = link;
    this.#options = options;
    socket.on('create', (request, reply) => this.#request(reply, () => this.#create(request)));
    socket.on('join', (request, reply) => this.#request(reply, () => this.#join(request)));
    socket.on('leave', (reply) => this.#request(reply, () => this.#leave()));
    socket.on('end', (request, reply) => this.#request(reply, () => this.#end(request)));
    socket.on('push', (frames) => this.#push(frames));
    socket.on('recv', (request) => this.#received(request));
    socket.on('report', (request) => this.#report(request));
    socket.on('disconnect', () => this.#disconnected());
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
    const request = requests.create(value);
    return { reply: request ? await this.#options.rooms.create(request) : refuse(refusals.badRequest) };
  }

  async #join(value: unknown) {
    const request = requests.join(value);
    if (!request) return { reply: refuse(refusals.badRequest) };
    if (this.#joined) return { reply: refuse(refusals.joinedAlready) };
    const result = await this.#options.hub.join(this.#link, request);
    if ('code' in result) return { reply: refuse(result) };
    const { member, joined } = result;
    if (this.#socket.disconnected) {
      this.#options.hub.disconnected(member);
      return { reply: refuse(refusals.unavailable) };
    }
    this.#member = member;
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
    return { reply: request ? await this.#options.rooms.end(request) : refuse(refusals.badRequest) };
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

  #disconnected(): void {
    const member = this.#member;
    this.#member = undefined;
    if (member) this.#options.hub.disconnected(member);
  }

  /** The seat this connection has; none any more once the room ended. */
  get #joined(): Member | undefined {
    return this.#member?.closed ? undefined : this.#member;
  }

  #misbehaved(error: RelayError): void {
    this.#socket.emit('error', error);
    this.#socket.disconnect(true);
  }
}

const refuse = (error: RelayError): Reply<never> => ({ error });
