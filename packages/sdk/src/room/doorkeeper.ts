import { QsecError } from '../errors.ts';
import type { Logger } from '../options.ts';
import { encodePairContent } from '../protocol/content.ts';
import { decodeFrame, encodeFrame, FRAME_TYPE } from '../protocol/frame.ts';
import type { Removal } from '../protocol/orders.ts';
import { PairChannel } from '../protocol/pair-channel.ts';
import type { PairSecrets } from '../protocol/pairing.ts';
import { decodeMemberPolicy } from '../protocol/policy.ts';
import { type Bytes, type Delivery, equalBytes, fromBase64url, toBase64url } from '../wire/index.ts';
import { Doubts } from './doubts.ts';
import type { Introductions } from './introductions.ts';
import type { Membership } from './membership.ts';
import type { Peer } from './peer.ts';
import type { Place } from './place.ts';

const NOTHING: Bytes = new Uint8Array(0);

/** What a word about a seat takes while it waits, about. */
export const NOTICE_BYTES = 256;

/** Where a removal leads: the order, and the secret of the link that it made. */
export interface Step {
  removal: Removal;
  secret: Bytes;
}

export interface DoorkeeperOptions {
  membership: Membership;
  logger: Logger;
  enqueue(task: () => Promise<void>, bytes?: number): void;
  /** What leads on from the place, in order. */
  steps(): readonly Step[];
  /** Whether an identity, which shows somebody's word for it or nothing, belongs to the room that the place led on to. */
  isMember(identity: Bytes, admission: Bytes): Promise<boolean>;
  /** A frame that is not for the doorkeeper: of a member who had not followed when it was sent. */
  receive(delivery: Delivery): Promise<boolean | undefined>;
  /** The relay closed the place. */
  onEnded(): void;
}

/**
 * Stays at a place that the room left. Members who were away find there where it went on; who was removed is told so; and who comes by
 * the old link, that it is one.
 */
export class Doorkeeper {
  readonly #place: Place;
  readonly #options: DoorkeeperOptions;
  readonly #introductions: Introductions;
  readonly #doubts: Doubts;

  constructor(place: Place, options: DoorkeeperOptions) {
    this.#place = place;
    this.#options = options;
    this.#introductions = options.membership.introduce(place, {
      send: (to, frame) => this.#push(frame, to),
      // Whoever it is: what is said here depends on it.
      accept: async () => undefined,
      onSecured: (from, secrets) => this.#secured(from, secrets),
      onFailed: (_, error) => options.logger('info', `a handshake under an old link failed: ${error.message}`),
      onSilent: () => undefined,
      // Nobody here waits for who comes by an old link.
      onUnanswered: () => undefined,
      onUnfinished: (seat) => options.enqueue(() => this.#introductions.initiate(seat)),
      // Who came by the old link is told that it is one, also when it comes back later.
      isPresent: () => true,
    });
    this.#doubts = new Doubts((seat) => {
      options.enqueue(async () => {
        if (!options.membership.isHere(seat)) await this.#introductions.initiate(fromBase64url(seat));
      });
    });
    const { session } = place;
    session.on('frame', (delivery) => options.enqueue(() => this.#receive(delivery), NOTICE_BYTES + delivery.body.length));
    session.on('presence', ({ seat, presence }) => {
      if (presence === 'present') options.enqueue(() => this.#call(seat), NOTICE_BYTES);
    });
    session.on('up', ({ members }) => {
      for (const { seat, presence } of members) {
        if (presence === 'present') options.enqueue(() => this.#call(seat), NOTICE_BYTES);
      }
    });
    session.on('ended', () => options.onEnded());
    session.on('refused', () => options.onEnded());
    session.on('fault', (error) => options.logger('info', error.message, { code: error.code }));
  }

  /** @param forGood gives the seat up, too */
  async close(forGood: boolean): Promise<void> {
    this.#introductions.close();
    this.#doubts.close();
    const { session } = this.#place;
    try {
      if (forGood) await session.leave();
    } catch (error) {
      this.#options.logger('info', 'a seat at a former place ends by itself', { error: String(error) });
    }
    session.close();
  }

  async #receive(delivery: Delivery): Promise<void> {
    const { type, content } = decodeFrame(delivery.body);
    const seat = toBase64url(delivery.from);
    if (type !== FRAME_TYPE.handshake) {
      // Whoever beats here does not know that the room is elsewhere.
      if (delivery.transient) await this.#call(seat);
      const known = await this.#options.receive(delivery);
      if (known) this.#doubts.settle(seat);
      else if (known === false) this.#doubts.raise(seat);
      return;
    }
    try {
      if (!this.#options.membership.isOwn(seat)) await this.#introductions.receive(delivery.from, content);
    } finally {
      this.#place.session.markRead(delivery.seq);
    }
  }

  /** Somebody is here: a member who has not followed is told again, should what it was told have been lost. */
  async #call(seat: string): Promise<void> {
    const { membership } = this.#options;
    const peer = membership.peerAt(seat);
    if (peer?.presence === 'away') await this.#lead(peer, peer.trusted);
    // Who shared keys with us before a reload of ours does not know that they are gone, nor who was removed that it was.
    if (!peer && !membership.isOwn(seat)) this.#doubts.raise(seat);
  }

  async #secured(seat: Bytes, secrets: PairSecrets): Promise<void> {
    this.#doubts.settle(toBase64url(seat));
    const { membership, isMember } = this.#options;
    const { identity, policy } = secrets.peer;
    if (!(await isMember(identity, decodeMemberPolicy(policy).admission))) {
      const stranger = { seat, identityKey: identity, channel: new PairChannel(this.#place.invite.roomId, secrets) };
      await this.#lead(stranger, false);
      stranger.channel.destroy();
      return;
    }
    await membership.securedBehind(seat, secrets);
    const peer = membership.peerAt(toBase64url(seat));
    if (peer) await this.#lead(peer, true);
  }

  /** Tells somebody what happened since, and where the room is if it `stays` in it. */
  async #lead(to: Pick<Peer, 'seat' | 'identityKey' | 'channel'>, stays: boolean): Promise<void> {
    const steps = this.#options.steps();
    const about = steps.filter(({ removal }) => equalBytes(removal.removed, to.identityKey));
    for (const { removal, secret } of stays ? steps : about.length > 0 ? about : steps.slice(0, 1)) {
      const content = { order: removal.encoded, secret: stays ? secret : NOTHING, admission: NOTHING };
      const sealed = await to.channel.seal(encodePairContent({ kind: 'removal', ...content }));
      this.#push(encodeFrame(FRAME_TYPE.pair, sealed), to.seat);
    }
  }

  #push(frame: Bytes, to: Bytes): void {
    this.#place.session.push(frame, { to: [to] }).catch((error: unknown) => {
      if (QsecError.is(error, 'CLOSED')) return;
      this.#options.logger('info', 'a frame for who stayed behind was lost', { error: String(error) });
    });
  }
}
