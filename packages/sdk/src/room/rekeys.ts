import { QsecError } from '../errors.ts';
import type { KeySource } from '../key-source/types.ts';
import type { AgreementStage } from '../protocol/agreement.ts';
import { encodePairContent } from '../protocol/content.ts';
import type { AgreementPolicy } from '../protocol/policy.ts';
import { beginsRekeying, Rekeying, type RekeyingOptions, type RekeyingStep } from '../protocol/rekeying.ts';
import type { Bytes } from '../wire/index.ts';
import type { Peer } from './peer.ts';
import { Renewals, type RenewalsOptions } from './renewals.ts';

/** A rekeying that does not end by then is given up; {@link Renewals} tries again. */
const LIMIT_MS = 15_000;

export interface RekeysOptions extends Omit<RenewalsOptions, 'ask' | 'giveUp'> {
  agreement: AgreementPolicy;
  keySource: KeySource;
  sendToPeer(peer: Peer, content: Bytes): Promise<void>;
  onStage(peer: Peer, stage: AgreementStage): void;
  /** The pair has a new root; `refusal` tells why a full rekeying did without its key agreement. */
  onRekeyed(peer: Peer, refusal: QsecError | undefined): void;
}

interface Running {
  rekeying: Rekeying;
  timer: ReturnType<typeof setTimeout>;
}

/** Rekeying of the pairs of a room. Who shook hands first begins; the other asks for it. */
export class Rekeys {
  readonly #options: RekeysOptions;
  readonly #running = new Map<Peer, Running>();
  readonly renewals: Renewals;

  constructor(options: RekeysOptions) {
    this.#options = options;
    this.renewals = new Renewals({
      ...options,
      ask: (peer, full) => this.#ask(peer, full),
      giveUp: (peer) => this.#end(peer),
    });
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

  /** A member is gone, or has a new session: nobody waits for the old one. */
  forget(peer: Peer): void {
    this.#end(peer);
    this.renewals.forget(peer);
  }

  close(): void {
    for (const peer of [...this.#running.keys()]) this.#end(peer);
    this.renewals.close();
  }

  #ask(peer: Peer, full: boolean): Promise<void> {
    if (peer.channel.role === 'a') return this.#initiate(peer, full);
    return this.#options.sendToPeer(peer, encodePairContent({ kind: 'rekey-request', full }));
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
    await this.renewals.renewed(peer);
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
