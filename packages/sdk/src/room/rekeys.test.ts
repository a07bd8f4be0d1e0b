import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { QsecError } from '../errors.ts';
import { decodePairContent, type PairContent } from '../protocol/content.ts';
import { oneFlightSource } from '../protocol/one-flight-source.fixture.ts';
import { PairChannel } from '../protocol/pair-channel.ts';
import type { PairSecrets } from '../protocol/pairing.ts';
import type { AgreementPolicy } from '../protocol/policy.ts';
import { randomBytes } from '../protocol/random.ts';
import type { Bytes } from '../wire/index.ts';
import type { Peer } from './peer.ts';
import { Rekeys } from './rekeys.ts';

/** Rekeying of one pair, carried by hand. The clock is false; cryptography is not. */

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
afterEach(() => void vi.useRealTimers());

const AGREEMENT: AgreementPolicy = { required: true, source: 'bb84', pulses: 64, threshold: 0.11 };

function pair(agreement = AGREEMENT, keySource = oneFlightSource()) {
  const [sid, root, transcript, roomId] = [randomBytes(16), randomBytes(32), randomBytes(32), randomBytes(16)];
  const side = (role: 'a' | 'b') => {
    const channel = new PairChannel(roomId, { sid, role, root: root.slice(), transcript } as unknown as PairSecrets);
    const peer = { id: role, name: role, presence: 'present', channel, agreement, heardAt: 0 } as unknown as Peer;
    const log = { sent: [] as PairContent[], rekeyed: [] as (QsecError | undefined)[], stages: 0, failed: 0, swept: 0 };
    const tasks: Promise<void>[] = [];
    const rekeys = new Rekeys({
      agreement,
      keySource,
      peers: () => [peer],
      sendToPeer: async (_, content) => void log.sent.push(decodePairContent(content)),
      enqueue: (task) => void tasks.push(task()),
      onStage: () => void log.stages++,
      onRekeyed: (_, refusal) => log.rekeyed.push(refusal),
      onFailed: () => void log.failed++,
      onSwept: async () => void log.swept++,
    });
    const pass = async (ms: number) => {
      await vi.advanceTimersByTimeAsync(ms);
      await Promise.all(tasks.splice(0));
    };
    return { rekeys, peer, log, pass };
  };
  return { a: side('a'), b: side('b') };
}

type Side = ReturnType<typeof pair>['a'];

async function take(to: Side, content: PairContent | undefined): Promise<void> {
  if (content?.kind === 'rekey') await to.rekeys.receive(to.peer, content.payload);
  if (content?.kind === 'rekey-request') await to.rekeys.receiveRequest(to.peer, content.full);
}

/** Carries what both have to say until neither says anything more. */
async function finish(a: Side, b: Side): Promise<void> {
  while (a.log.sent.length + b.log.sent.length > 0) {
    for (const content of a.log.sent.splice(0)) await take(b, content);
    for (const content of b.log.sent.splice(0)) await take(a, content);
  }
}

const epochs = (...sides: Side[]) => sides.map(({ peer }) => peer.channel.epoch);
const payloadOf = (content: PairContent | undefined) => (content as { payload: Bytes }).payload;

describe('a rekeying', () => {
  it.each([false, true])('moves both sides to a new root, whether it is full: %s', async (full) => {
    const { a, b } = pair();
    await a.rekeys.renewals.call(full);
    await finish(a, b);
    expect(epochs(a, b)).toEqual([1, 1]);
    expect([a.log.rekeyed, b.log.rekeyed, a.log.swept]).toEqual([[undefined], [undefined], 1]);
    expect([a.peer.report !== undefined, b.peer.report !== undefined]).toEqual([full, full]);
    expect(a.peer.channel.rekeySecret).toEqual(b.peer.channel.rekeySecret);
    await a.pass(600_000);
    expect([a.log.failed, b.log.failed]).toEqual([0, 0]);
  });

  it('is begun by who shook hands first; the other one asks for it', async () => {
    const { a, b } = pair();
    await b.rekeys.renewals.call(true);
    expect(b.log.sent).toEqual([{ kind: 'rekey-request', full: true }]);
    await finish(a, b);
    expect(epochs(a, b)).toEqual([1, 1]);
  });

  it('is begun once, however often it is asked for', async () => {
    const { a } = pair();
    await a.rekeys.receiveRequest(a.peer, false);
    await a.rekeys.receiveRequest(a.peer, true);
    expect(a.log.sent).toHaveLength(1);
  });

  it('is begun by nobody else: a request to the other side changes nothing, and its beginning is refused', async () => {
    const { a, b } = pair();
    await b.rekeys.receiveRequest(b.peer, true);
    expect(b.log.sent).toEqual([]);
    await a.rekeys.receiveRequest(a.peer, false);
    await expect(a.rekeys.receive(a.peer, payloadOf(a.log.sent[0]))).rejects.toMatchObject({
      code: 'HANDSHAKE_FAILED',
      message: 'The other side may not begin a rekeying of this pair.',
    });
    expect(a.log.sent).toHaveLength(1);
  });

  it('that was given up after fifteen seconds takes nothing more, and another one can begin', async () => {
    const { a, b } = pair();
    await a.rekeys.receiveRequest(a.peer, false);
    await take(b, a.log.sent[0]);
    await a.pass(14_999);
    await a.rekeys.receiveRequest(a.peer, false);
    expect(a.log.sent).toHaveLength(1);
    await a.pass(1);
    await take(a, b.log.sent.shift());
    expect([a.log.sent.length, epochs(a)]).toEqual([1, [0]]);
    a.log.sent.length = 0;
    await a.rekeys.receiveRequest(a.peer, false);
    await finish(a, b);
    expect(epochs(a, b)).toEqual([1, 1]);
  });

  it('goes on under the old root until the other side has shown that it has the new one', async () => {
    const { a, b } = pair();
    await a.rekeys.receiveRequest(a.peer, false);
    await take(b, a.log.sent.shift());
    expect(epochs(a, b)).toEqual([0, 0]);
    await finish(a, b);
    expect(epochs(a, b)).toEqual([1, 1]);
  });

  it('whose key agreement fails does without it, and says why', async () => {
    const failure = new QsecError('QBER_EXCEEDED', 'somebody listens');
    // Each side knows once it has the other one's flight.
    const wrong = {
      get failure(): QsecError | undefined {
        return (this as { result?: unknown }).result ? failure : undefined;
      },
    };
    const { a, b } = pair(AGREEMENT, oneFlightSource(wrong));
    const { done } = await a.rekeys.renewals.call(true);
    await finish(a, b);
    await done;
    expect(epochs(a, b)).toEqual([1, 1]);
    for (const { log, peer } of [a, b]) {
      expect(log.rekeyed).toEqual([expect.objectContaining({ code: 'QBER_EXCEEDED' })]);
      expect(peer.rekeyRefusal).toBe(log.rekeyed[0]);
    }
  });

  it('of a member that is gone is over: nothing more is taken or tried', async () => {
    for (const end of ['forget', 'close'] as const) {
      const { a, b } = pair();
      const { done } = await a.rekeys.renewals.call(false);
      done.catch(() => undefined);
      await take(b, a.log.sent.shift());
      a.rekeys[end](a.peer);
      await take(a, b.log.sent.shift());
      await a.pass(600_000);
      expect([a.log.sent, epochs(a), a.log.failed]).toEqual([[], [0], 0]);
    }
  });
});
