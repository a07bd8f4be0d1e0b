import { QsecError } from '../errors.ts';
import type { KeySource } from '../key-source/types.ts';
import type { AgreementStage } from '../protocol/agreement.ts';
import { encodePairContent } from '../protocol/content.ts';
import type { AgreementPolicy } from '../protocol/policy.ts';
import { beginsRekeying, Rekeying, type RekeyingOptions, type RekeyingStep } from '../protocol/rekeying.ts';
import type { Bytes } from '../wire/index.ts';
import type { Peer } from './peer.ts';

/** A rekeying that does not end by then is given up; the next sweep tries again. */
const LIMIT_MS = 15_000;

export interface RekeysOptions {
  agreement: AgreementPolicy;
  keySource: KeySource;
  /** Members with confirmed keys. */
  peers(): readonly Peer[];
  sendToPeer(peer: Peer, content: Bytes): Promise<void>;
  enqueue(task: () => Promise<void>): void;
  onStage(peer: Peer, stage: AgreementStage): void;
  /** The pair has a new root; `refusal` tells why a full rekeying did without its key agreement. */
  onRekeyed(peer: Peer, refusal: QsecError | undefined): void;
  /** Every present pair has a new root since our sender key was made. */
  onSwept(): Promise<void>;
}

interface Running {
  rekeying: Rekeying;
  timer: ReturnType<typeof setTimeout>;
}

/** Rekeying of the pairs of a room. Who shook hands first begins; the other asks for it. */
export class Rekeys {
  readonly #options: RekeysOptions;
  readonly #running = new Map<Peer, Running>();
  /** Peers of a sweep of ours whose pairs have not got their new roots yet, and when each is given up. */
  readonly #sweep = new Map<Peer, ReturnType<typeof setTimeout>>();
  readonly #waiters: (() => void)[] = [];
  /** Peers whose pair got a new root since our last sender key. */
  #fresh = new WeakSet<Peer>();

  constructor(options: RekeysOptions) {
    this.#options = options;
  }

  /** Rekeys every pair whose other member is present. The promise resolves when that is done, also where it was given up. */
  async sweep(full: boolean): Promise<{ done: Promise<void> }> {
    const present = this.#options.peers().filter(({ presence }) => presence === 'present');
    for (const peer of present) {
      clearTimeout(this.#sweep.get(peer));
      this.#sweep.set(
        peer,
        setTimeout(() => this.#settle(peer), LIMIT_MS),
      );
    }
    const done = new Promise<void>((resolve) => this.#waiters.push(resolve));
    for (const peer of present) {
      if (peer.channel.role === 'a') await this.#initiate(peer, full);
      else await this.#options.sendToPeer(peer, encodePairContent({ kind: 'rekey-request', full }));
    }
    this.#conclude();
    return { done };
  }

  /** The other side asks us, who shook hands first, to begin. */
  async receiveRequest(peer: Peer, full: boolean): Promise<void> {
    if (peer.channel.role === 'a') await this.#initiate(peer, full);
  }

  async receive(peer: Peer, payload: Bytes): Promise<void> {
    if (beginsRekeying(payload)) {
      if (peer.channel.role === 'a')
        throw new QsecError('HANDSHAKE_FAILED', 'The other side may not begin a rekeying of this pair.');
      const { rekeying, step } = await Rekeying.respond(this.#rekeyingOptions(peer), payload);
      this.#begin(peer, rekeying);
      await this.#take(peer, step);
      return;
    }
    const running = this.#running.get(peer);
    if (running) await this.#take(peer, await running.rekeying.receive(payload));
  }

  /** A member is gone: nobody waits for it. */
  forget(peer: Peer): void {
    this.#end(peer);
    this.#fresh.delete(peer);
    this.#settle(peer);
  }

  close(): void {
    for (const peer of [...this.#running.keys()]) this.#end(peer);
    for (const timer of this.#sweep.values()) clearTimeout(timer);
    this.#sweep.clear();
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  async #initiate(peer: Peer, full: boolean): Promise<void> {
    if (this.#running.has(peer)) return;
    const { rekeying, payload } = await Rekeying.initiate(this.#rekeyingOptions(peer), full);
    this.#begin(peer, rekeying);
    await this.#options.sendToPeer(peer, encodePairContent({ kind: 'rekey', payload }));
  }

  #begin(peer: Peer, rekeying: Rekeying): void {
    this.#end(peer);
    this.#running.set(peer, { rekeying, timer: setTimeout(() => this.#end(peer), LIMIT_MS) });
  }

  #end(peer: Peer): void {
    const running = this.#running.get(peer);
    if (!running) return;
    clearTimeout(running.timer);
    running.rekeying.destroy();
    this.#running.delete(peer);
  }

  /** Sends what a step has to say under the old root, and moves to the new one when the other side has proved that it has it. */
  async #take(peer: Peer, { payload, result, confirmed }: RekeyingStep): Promise<void> {
    if (result) {
      peer.channel.prepare(result.epoch, result.root, result.transcript);
      if (result.report) peer.report = result.report;
      peer.rekeyRefusal = result.refusal;
    }
    if (payload) await this.#options.sendToPeer(peer, encodePairContent({ kind: 'rekey', payload }));
    if (!confirmed) return;
    peer.channel.advance();
    this.#end(peer);
    this.#options.onRekeyed(peer, peer.rekeyRefusal);
    this.#fresh.add(peer);
    if (this.#sweep.has(peer)) this.#settle(peer);
    else await this.#rotateIfSwept();
  }

  #settle(peer: Peer): void {
    clearTimeout(this.#sweep.get(peer));
    if (this.#sweep.delete(peer)) this.#conclude();
  }

  /** After the last pair of a sweep our sender key is made anew: one sent before would still have reached others over old roots. */
  #conclude(): void {
    if (this.#sweep.size > 0) return;
    const waiters = this.#waiters.splice(0);
    if (waiters.length === 0) return;
    this.#options.enqueue(async () => {
      await this.#options.onSwept();
      this.#fresh = new WeakSet();
      for (const resolve of waiters) resolve();
    });
  }

  /** The others' sweeps renew our pairs, too: once all of them are new, so may our sender key be. */
  async #rotateIfSwept(): Promise<void> {
    if (this.#sweep.size > 0 || !this.#options.peers().every((peer) => this.#fresh.has(peer))) return;
    this.#fresh = new WeakSet();
    await this.#options.onSwept();
  }

  #rekeyingOptions(peer: Peer): RekeyingOptions {
    const { agreement, keySource, onStage } = this.#options;
    return {
      role: peer.channel.role,
      epoch: peer.channel.epoch + 1,
      secret: peer.channel.rekeySecret,
      agreement: { own: agreement, theirs: peer.agreement },
      keySource,
      onStage: (stage) => onStage(peer, stage),
    };
  }
}
