import { QsecError } from '../errors.ts';
import type { KeySource } from '../key-source/types.ts';
import type { AgreementStage } from '../protocol/agreement.ts';
import { encodeFrame, FRAME_TYPE } from '../protocol/frame.ts';
import { type Peer as ProvenPeer, SID_BYTES, sidOfM1 } from '../protocol/handshake.ts';
import type { SigningKey } from '../protocol/identity.ts';
import type { Invite } from '../protocol/invite.ts';
import { firstM1, Pairing, type PairingOptions, type PairSecrets } from '../protocol/pairing.ts';
import type { AgreementPolicy } from '../protocol/policy.ts';
import { generateKeyPair, type KeyPair } from '../protocol/x-wing.ts';
import { type Bytes, compareBytes, equalBytes, MAX_CAPACITY, Reader, toBase64url, Writer } from '../wire/index.ts';
import { forgetOldest } from './forget-oldest.ts';

/**
 * Handshakes with the seats of a room: with each at most one that we began and one that we answered. Who joins begins. When both begin, the
 * lower seat goes on with its own; the higher one answers and keeps its own, since an M1 may be an old one, and drops either when the other
 * one gets on. What takes too long is tried again after a growing pause.
 */

const HANDSHAKE_LIMIT_MS = 15_000;
const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;
/** For how long no handshake with a connected seat ends before somebody is told. */
const UNANSWERED_MS = 300_000;
/** Sessions remembered as answered, so that an M1 that is played again begins nothing. */
const MAX_ANSWERED = 256;
/** Handshakes that others begin, at a time: twice a full room. */
const MAX_ANSWERING = 2 * MAX_CAPACITY;

export interface IntroductionsOptions {
  invite: Invite;
  psk: Bytes;
  identity: SigningKey;
  seat: Bytes;
  agreement: AgreementPolicy;
  keySource: KeySource;
  /** What we tell the peer about ourselves at this moment, encoded. */
  demands(): Bytes;
  send(seat: Bytes, frame: Bytes): void;
  /** Runs a task when no other one changes the room. */
  enqueue(task: () => Promise<void>): void;
  /** Throws to refuse a peer who proved its identity. */
  accept(seat: Bytes, peer: ProvenPeer): Promise<void>;
  onStage(seat: Bytes, stage: AgreementStage): void;
  /** Both sides confirmed. */
  onSecured(seat: Bytes, secrets: PairSecrets): Promise<void>;
  /** Given up; `initiate` starts again. */
  onFailed(seat: Bytes, error: QsecError): void;
  /** Who began stopped in the middle. */
  onSilent(seat: Bytes): void;
  /** No handshake ended for a long time; it goes on being tried. */
  onUnanswered(seat: Bytes): void;
  /** Who began proved itself, and may have got our confirmation without our getting its own: it may have keys that we have not. */
  onUnfinished(seat: Bytes): void;
  /** Whether the owner of a seat is connected: to who is not, nothing is sent again. */
  isPresent(seat: Bytes): boolean;
  /** A handshake began, ended, or was put off. */
  onChange(): void;
}

interface Pending {
  seat: Bytes;
  pairing: Pairing | undefined;
  initiator: boolean;
  tries: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class Introductions {
  readonly #options: IntroductionsOptions;
  /** By seat: those we began, and those we answered. */
  readonly #begun = new Map<string, Pending>();
  readonly #answering = new Map<string, Pending>();
  readonly #answered = new Set<string>();
  /** Since when no handshake ended, by seat; infinite once that was told. */
  readonly #late = new Map<string, number>();
  /** For the next handshake that we begin. */
  #ahead: Promise<KeyPair> | undefined;

  constructor(options: IntroductionsOptions) {
    this.#options = options;
  }

  /** Handshakes that are under way or waiting for their next try. */
  get count(): number {
    return this.#begun.size + this.#answering.size;
  }

  /** Identities that are proven and will be members once both sides confirm. */
  get proving(): Bytes[] {
    const pending = [...this.#begun.values(), ...this.#answering.values()];
    return pending.map(({ pairing }) => pairing?.proving).filter((identity) => identity !== undefined);
  }

  isPending(seat: Bytes): boolean {
    return this.#with(seat).length > 0;
  }

  /** Makes the keys of the first handshake while it is being found out with whom: that takes as long as joining. */
  prepare(): void {
    this.#ahead ??= generateKeyPair();
    // Told to who begins the handshake.
    this.#ahead.catch(() => undefined);
  }

  /** Sends M1, unless a handshake with this seat is pending. */
  async initiate(seat: Bytes, tries = 0): Promise<void> {
    if (this.isPending(seat)) return;
    const pending = this.#begin(seat, true, tries);
    const keyPair = this.#ahead;
    this.#ahead = undefined;
    const { pairing, payload } = await Pairing.initiate({ ...this.#pairingOptions(seat), ...(keyPair && { keyPair }) });
    if (!this.#isCurrent(pending)) return pairing.destroy();
    pending.pairing = pairing;
    this.#send(seat, pairing.sid, payload);
  }

  /** Takes the content of a handshake frame. */
  async receive(seat: Bytes, content: Bytes): Promise<void> {
    const reader = new Reader(content);
    const sid = reader.fixed(SID_BYTES);
    const payload = reader.rest();
    const m1 = firstM1(payload);
    if (m1) {
      if (equalBytes(sidOfM1(m1), sid)) await this.#respond(seat, sid, payload);
      return;
    }
    // A frame of a handshake that was given up or replaced says nothing about the present ones.
    const pending = this.#with(seat).find(({ pairing }) => pairing && equalBytes(pairing.sid, sid));
    if (pending?.pairing) await this.#advance(pending, pending.pairing, payload);
  }

  /** Gives up what is pending with a seat, without a word. */
  drop(seat: Bytes): void {
    this.#late.delete(toBase64url(seat));
    for (const pending of this.#with(seat)) this.#end(pending);
  }

  close(): void {
    for (const pending of [...this.#begun.values(), ...this.#answering.values()]) this.#end(pending);
    this.#ahead?.then(
      (keyPair) => keyPair.destroy(),
      () => undefined,
    );
    this.#ahead = undefined;
  }

  async #respond(seat: Bytes, sid: Bytes, payload: Bytes): Promise<void> {
    const crossed = this.#begun.get(toBase64url(seat));
    if (crossed?.pairing && compareBytes(this.#options.seat, seat) < 0) return;
    if (this.#answered.has(toBase64url(sid))) return;
    // Who has the link, and a relay that names seats without end, make us compute and keep no more than this; M1 comes again.
    if (this.#answering.size >= MAX_ANSWERING && !this.#answering.has(toBase64url(seat))) return;
    // Answered before the old one is given up: an M1 that proves nothing must not cost us a handshake that is under way.
    const { pairing, payload: answer } = await Pairing.respond(this.#pairingOptions(seat), payload);
    this.#rememberAnswered(pairing.sid);
    const earlier = this.#answering.get(toBase64url(seat));
    const unfinished = earlier?.pairing?.proven;
    if (earlier) this.#end(earlier);
    const pending = this.#begin(seat, false, 0);
    pending.pairing = pairing;
    this.#send(seat, pairing.sid, answer);
    if (unfinished) this.#options.onUnfinished(seat);
  }

  async #advance(pending: Pending, pairing: Pairing, payload: Bytes): Promise<void> {
    const { seat } = pending;
    try {
      const answer = await pairing.receive(payload);
      if (!this.#isCurrent(pending)) return;
      if (pairing.proven) for (const other of this.#with(seat)) if (other !== pending) this.#end(other);
      if (answer) this.#send(seat, pairing.sid, answer);
      if (!pairing.result) return;
      // Ended only when the member is there: in between, the room would look empty.
      clearTimeout(pending.timer);
      this.#late.delete(toBase64url(seat));
      await this.#options.onSecured(seat, pairing.result);
      this.#end(pending);
    } catch (cause) {
      // What only claimed to be the peer's changed nothing: the genuine message may still come.
      if (!this.#isCurrent(pending) || !pairing.over) throw cause;
      const error = asHandshakeError(cause);
      const { lastWords } = QsecError.is(cause) ? cause.details : {};
      if (lastWords instanceof Uint8Array) this.#send(seat, pairing.sid, lastWords as Bytes);
      // A crossed handshake with the same peer would only fail the same way.
      this.drop(seat);
      this.#options.onFailed(seat, error);
    }
  }

  #begin(seat: Bytes, initiator: boolean, tries: number): Pending {
    const pending: Pending = { seat, pairing: undefined, initiator, tries, timer: undefined };
    pending.timer = setTimeout(() => this.#expired(pending), HANDSHAKE_LIMIT_MS);
    this.#of(pending).set(toBase64url(seat), pending);
    this.#options.onChange();
    return pending;
  }

  #end(pending: Pending): void {
    clearTimeout(pending.timer);
    pending.pairing?.destroy();
    if (this.#isCurrent(pending)) this.#of(pending).delete(toBase64url(pending.seat));
    this.#options.onChange();
  }

  /** No answer in time. Who began tries again later; the entry stays, so that the room is not shown as idle meanwhile. */
  #expired(pending: Pending): void {
    const unfinished = !pending.initiator && pending.pairing?.proven;
    pending.pairing?.destroy();
    pending.pairing = undefined;
    if (this.#options.isPresent(pending.seat)) this.#countLate(pending.seat);
    if (!pending.initiator || !this.#options.isPresent(pending.seat)) {
      // What follows is begun before this is over: in between, the room would look as if nobody came.
      const other = this.#with(pending.seat).some((each) => each !== pending);
      if (unfinished) this.#options.onUnfinished(pending.seat);
      else if (!other) this.#options.onSilent(pending.seat);
      this.#end(pending);
      return;
    }
    const backoff = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** pending.tries) * (0.75 + Math.random() / 2);
    pending.timer = setTimeout(() => {
      this.#options.enqueue(async () => {
        if (!this.#isCurrent(pending)) return;
        // Without a word in between: the room would look as if nobody was there.
        this.#of(pending).delete(toBase64url(pending.seat));
        await this.initiate(pending.seat, pending.tries + 1);
        this.#options.onChange();
      });
    }, backoff);
  }

  #countLate(seat: Bytes): void {
    const key = toBase64url(seat);
    const since = this.#late.get(key) ?? Date.now() - HANDSHAKE_LIMIT_MS;
    const due = Date.now() - since >= UNANSWERED_MS;
    this.#late.set(key, due ? Number.POSITIVE_INFINITY : since);
    forgetOldest(this.#late, MAX_ANSWERING);
    if (due) this.#options.onUnanswered(seat);
  }

  #rememberAnswered(sid: Bytes): void {
    this.#answered.add(toBase64url(sid));
    forgetOldest(this.#answered, MAX_ANSWERED);
  }

  #isCurrent(pending: Pending): boolean {
    return this.#of(pending).get(toBase64url(pending.seat)) === pending;
  }

  #of({ initiator }: Pick<Pending, 'initiator'>): Map<string, Pending> {
    return initiator ? this.#begun : this.#answering;
  }

  #with(seat: Bytes): Pending[] {
    const key = toBase64url(seat);
    return [this.#begun.get(key), this.#answering.get(key)].filter((pending) => pending !== undefined);
  }

  #send(seat: Bytes, sid: Bytes, payload: Bytes): void {
    this.#options.send(seat, encodeFrame(FRAME_TYPE.handshake, new Writer().fixed(sid).fixed(payload).bytes()));
  }

  #pairingOptions(peerSeat: Bytes): PairingOptions {
    const { invite, psk, identity, seat, agreement, keySource, demands, accept, onStage } = this.#options;
    return {
      psk,
      roomId: invite.roomId,
      generation: invite.generation,
      identity,
      seat,
      peerSeat,
      policy: demands(),
      agreement,
      keySource,
      accept: (peer) => accept(peerSeat, peer),
      onStage: (stage) => onStage(peerSeat, stage),
    };
  }
}

/** What does not decode is a handshake that failed, not a mistake of the caller. */
function asHandshakeError(cause: unknown): QsecError {
  if (QsecError.is(cause) && cause.code !== 'INVALID_ARGUMENT') return cause;
  return new QsecError('HANDSHAKE_FAILED', 'The other side sent a handshake message that does not decode.', { cause });
}
