import { QsecError } from '../errors.ts';
import type { Peer } from './peer.ts';

/** A pair whose keys are not renewed by then has failed, for this time. */
const LIMIT_MS = 15_000;
/** Before it is tried again, growing, a random quarter more or less. */
const FIRST_BACKOFF_MS = 5_000;
const MAX_BACKOFF_MS = 300_000;

export interface RenewalsOptions {
  /** Members with confirmed keys who get what we send. */
  peers(): readonly Peer[];
  /** Begins to rekey a pair, or asks the other side to. */
  ask(peer: Peer, full: boolean): Promise<void>;
  /** An attempt took too long. */
  giveUp(peer: Peer): void;
  enqueue(task: () => Promise<void>): void;
  /** The keys with a member could not be renewed, for the first time since they were due. `asked`: somebody who asked for it is told by that. */
  onFailed(peer: Peer, error: QsecError, asked: boolean): void;
  /** Every pair has a new root since our sender key was made. */
  onSwept(): Promise<void>;
}

interface Due {
  full: boolean;
  /** Pair epoch that is to be left. */
  epoch: number;
  since: number;
  tries: number;
  told: boolean;
  /** An attempt is under way; else the next one waits for its time. */
  trying: boolean;
  /** The member came back during an attempt, which may have gone to nobody: the first time, its end is no sign of a fault. */
  returned: 'no' | 'during this attempt' | 'before';
  timer: ReturnType<typeof setTimeout> | undefined;
}

interface Call {
  failed: Set<Peer>;
  resolve(): void;
  reject(error: QsecError): void;
}

/**
 * Which pairs are due for a new root. Our sender key is made anew only when none is due any more: whoever holds the state of a pair whose root
 * stayed reads everything that is said under a key announced there. What fails is tried again, however often, and told of once.
 */
export class Renewals {
  readonly #options: RenewalsOptions;
  readonly #due = new Map<Peer, Due>();
  readonly #calls = new Set<Call>();
  /** A sweep is under way whose end is a new sender key. */
  #owed = false;
  /** Peers whose pair got a new root since our last sender key. */
  #fresh = new WeakSet<Peer>();

  constructor(options: RenewalsOptions) {
    this.#options = options;
  }

  /** Rekeys every pair by ourselves. What waits for its next try goes on waiting. */
  async sweep(full: boolean): Promise<void> {
    this.#owed = true;
    for (const peer of this.#options.peers()) if (!this.#due.has(peer)) await this.#begin(peer, full);
    this.#conclude();
  }

  /**
   * Rekeys every pair now, as somebody asked.
   * @returns `done` resolves once all of them and our sender key are new; rejects with `REKEY_FAILED`, its details naming the `members` with whom
   *   the keys are what they were. It goes on by itself then.
   */
  async call(full: boolean): Promise<{ done: Promise<void> }> {
    this.#owed = true;
    const done = new Promise<void>((resolve, reject) => this.#calls.add({ failed: new Set(), resolve, reject }));
    // Told to who waits for it, which may be later.
    done.catch(() => undefined);
    for (const peer of this.#options.peers()) await this.#begin(peer, full);
    this.#conclude();
    return { done };
  }

  /** A pair got a new root, whoever began. */
  async renewed(peer: Peer): Promise<void> {
    this.#fresh.add(peer);
    this.#remove(peer);
    if (this.#owed) this.#conclude();
    else await this.#rotateIfSwept();
  }

  /** A member is here again: what its absence held up is tried at once. */
  present(peer: Peer): void {
    const due = this.#due.get(peer);
    if (!due) return;
    if (!due.trying) this.#options.enqueue(() => this.#begin(peer, due.full));
    // Once: a relay that calls somebody away again and again hides nothing by it.
    else if (due.returned === 'no') due.returned = 'during this attempt';
  }

  /** A member is gone, or has a new session: nobody waits for the old one. */
  forget(peer: Peer): void {
    this.#fresh.delete(peer);
    if (this.#remove(peer)) this.#conclude();
  }

  close(): void {
    for (const { timer } of this.#due.values()) clearTimeout(timer);
    this.#due.clear();
    for (const { reject } of this.#calls) reject(new QsecError('CLOSED', 'The room was left before its keys were renewed.'));
    this.#calls.clear();
  }

  async #begin(peer: Peer, full: boolean): Promise<void> {
    const due: Due = this.#due.get(peer) ?? {
      full,
      epoch: peer.channel.epoch,
      since: Date.now(),
      tries: 0,
      told: false,
      trying: false,
      returned: 'no',
      timer: undefined,
    };
    this.#due.set(peer, due);
    due.full ||= full;
    if (due.trying) return;
    due.trying = true;
    clearTimeout(due.timer);
    due.timer = setTimeout(() => this.#late(peer, due), LIMIT_MS);
    await this.#options.ask(peer, due.full);
  }

  #late(peer: Peer, due: Due): void {
    // The last word of the other side was lost, and it uses the new root all the same.
    if (peer.channel.epoch > due.epoch) {
      this.#options.enqueue(() => this.renewed(peer));
      return;
    }
    this.#options.giveUp(peer);
    due.trying = false;
    if (due.returned === 'during this attempt') {
      due.returned = 'before';
      this.#options.enqueue(() => this.#again(peer, due));
      return;
    }
    const backoff = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** due.tries++) * (0.75 + Math.random() / 2);
    due.timer = setTimeout(() => this.#options.enqueue(() => this.#again(peer, due)), backoff);
    for (const { failed } of this.#calls) failed.add(peer);
    this.#tell(peer, due);
    this.#answer();
  }

  async #again(peer: Peer, due: Due): Promise<void> {
    if (this.#due.get(peer) === due) await this.#begin(peer, due.full);
  }

  /** Who is away and says nothing is no sign of a fault. Who is only said to be away is. */
  #tell(peer: Peer, due: Due): void {
    const asked = this.#calls.size > 0;
    if (due.told || !(asked || peer.presence === 'present' || peer.heardAt > due.since)) return;
    due.told = true;
    this.#options.onFailed(peer, failedWith([peer]), asked);
  }

  #remove(peer: Peer): boolean {
    clearTimeout(this.#due.get(peer)?.timer);
    return this.#due.delete(peer);
  }

  /** After the last pair of a sweep our sender key is made anew: one sent before would still have reached others over old roots. */
  #conclude(): void {
    this.#answer();
    if (this.#due.size > 0 || !this.#owed) return;
    this.#owed = false;
    const calls = [...this.#calls];
    this.#calls.clear();
    this.#options.enqueue(async () => {
      await this.#rotate();
      for (const { resolve } of calls) resolve();
    });
  }

  /** Those who wait are told as soon as nothing is under way and something failed. */
  #answer(): void {
    if ([...this.#due.values()].some(({ trying }) => trying)) return;
    for (const call of this.#calls) {
      const failed = [...call.failed].filter((peer) => this.#due.has(peer));
      if (failed.length === 0) continue;
      this.#calls.delete(call);
      call.reject(failedWith(failed));
    }
  }

  /** The others' sweeps renew our pairs, too: once all of them are new, so may our sender key be. */
  async #rotateIfSwept(): Promise<void> {
    if (this.#options.peers().every((peer) => this.#fresh.has(peer))) await this.#rotate();
  }

  async #rotate(): Promise<void> {
    this.#fresh = new WeakSet();
    await this.#options.onSwept();
  }
}

function failedWith(peers: readonly Peer[]): QsecError {
  const names = peers.map(({ name }) => `"${name}"`).join(', ');
  return new QsecError('REKEY_FAILED', `The keys with ${names} could not be renewed: messages go on under the old ones.`, {
    details: { members: peers.map(({ id }) => id) },
  });
}
