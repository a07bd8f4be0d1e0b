import { beforeAll, describe, expect, it } from 'vitest';
import { encodePairContent, type PairContent } from '../protocol/content.ts';
import { PairChannel } from '../protocol/pair-channel.ts';
import type { PairSecrets } from '../protocol/pairing.ts';
import { randomBytes } from '../protocol/random.ts';
import { SenderKey } from '../protocol/sender-key.ts';
import { PairInbox } from './pair-inbox.ts';
import type { Peer } from './peer.ts';

/** Pair frames of one member, and which part of the room each concerns. */

type Sent = Exclude<PairContent, { kind: 'unknown' }>;

function inbox({ trusted = true, announced = false, selective = false } = {}) {
  const roomId = randomBytes(16);
  const session = () => {
    const [sid, root, transcript] = [randomBytes(16), randomBytes(32), randomBytes(32)];
    const side = (role: 'a' | 'b') =>
      new PairChannel(roomId, { sid, role, root: root.slice(), transcript } as unknown as PairSecrets);
    return { ours: side('a'), theirs: side('b') };
  };
  const { ours, theirs } = session();
  const peer = { id: 'bo', channel: ours, trusted, announced, heardAt: 0 } as unknown as Peer;
  const log: string[] = [];
  const note =
    (name: string) =>
    async (...given: unknown[]) =>
      void log.push(`${name} ${given.filter((each) => typeof each !== 'object').join(' ')}`.trim());
  const admissions = { receive: note('order'), receiveConfirmation: note('obeyed') };
  const inboxOf = new PairInbox({
    membership: {
      selective,
      admissions,
      peerAt: (seat: string) => (seat === 'seat' ? peer : undefined),
      receiveSenderKey: note('sender key'),
      announceAgain: note('announce again'),
      receiveRekeying: note('rekeying'),
      receiveRekeyRequest: note('rekey request'),
      gone: note('gone'),
    } as never,
    conversation: {
      announced: note('announced'),
      resend: note('resend'),
      confirmed: note('confirmed'),
      wereRead: note('were read'),
      receiveContent: note('content'),
    } as never,
    removals: { receive: note('removal') } as never,
    logger: (level, message, details) => log.push(`${level} ${message} ${details?.code}`),
  });
  const receive = async (content: Sent, seat = 'seat') => inboxOf.receive(seat, await theirs.seal(encodePairContent(content)));
  return { inbox: inboxOf, receive, log, peer, theirs, other: session().theirs };
}

const ids = [randomBytes(16)];
const order = randomBytes(8);

describe('a pair frame', () => {
  it.each<[Sent, string]>([
    [{ kind: 'receipt', ids }, 'confirmed'],
    [{ kind: 'read', ids }, 'were read'],
    [{ kind: 'resend', content: order }, 'content'],
    [{ kind: 'admission', admission: order }, 'order'],
    [{ kind: 'credentials', admission: order }, 'order'],
    [{ kind: 'policy', policy: order }, 'order'],
    [{ kind: 'lock', order }, 'order'],
    [{ kind: 'obeyed', names: ids }, 'obeyed'],
    [{ kind: 'rekey', payload: order }, 'rekeying'],
    [{ kind: 'rekey-request', full: true }, 'rekey request true'],
    [{ kind: 'leave' }, 'gone seat'],
  ])('of kind $kind goes where it belongs', async (content, to) => {
    const { receive, log, peer } = inbox();
    expect(await receive(content)).toBe(true);
    expect(log).toEqual([to]);
    expect(peer.heardAt).toBeGreaterThan(0);
  });

  it('of who is not let in is taken as far as it is about the room, and not what members say', async () => {
    const { receive, log } = inbox({ trusted: false });
    for (const content of [
      { kind: 'receipt', ids },
      { kind: 'read', ids },
      { kind: 'resend', content: order },
    ] as const)
      expect(await receive(content)).toBe(true);
    expect(log).toEqual([]);
    await receive({ kind: 'lock', order });
    await receive({ kind: 'leave' });
    expect(log).toEqual(['order', 'gone seat']);
  });

  it('of another session, or of nobody, says nothing', async () => {
    const { inbox: box, log, other, receive, peer } = inbox();
    expect(await receive({ kind: 'leave' }, 'elsewhere')).toBe(false);
    expect(await box.receive('seat', await other.seal(encodePairContent({ kind: 'leave' })))).toBe(false);
    expect([log, peer.heardAt]).toEqual([[], 0]);
  });

  it('that was changed on the way is refused, and nobody was heard', async () => {
    const { inbox: box, theirs, peer, log } = inbox();
    const frame = await theirs.seal(encodePairContent({ kind: 'leave' }));
    frame[frame.length - 1] = (frame.at(-1) as number) ^ 1;
    await expect(box.receive('seat', frame)).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
    expect([log, peer.heardAt]).toEqual([[], 0]);
  });

  it('of a kind that is not known yet is passed over', async () => {
    const { inbox: box, theirs, log } = inbox();
    expect(await box.receive('seat', await theirs.seal(Uint8Array.of(250, 1, 2)))).toBe(true);
    expect(log).toEqual(['info ignored pairwise content of an unknown kind 250']);
  });
});

describe('the first sender key of a member', () => {
  let senderKey: Sent;
  beforeAll(async () => {
    const { announcement } = await SenderKey.create(randomBytes(16), randomBytes(32), randomBytes(32), undefined);
    senderKey = { kind: 'sender-key', announcement, name: 'Bo', first: 3 };
  });

  it('is taken, and what waited for it opened', async () => {
    const { receive, log } = inbox();
    await receive(senderKey);
    expect(log).toEqual(['sender key', 'announced 3']);
  });

  it('in a room that lets people in says that it lets us in: it gets our keys and messages again', async () => {
    const { receive, log } = inbox({ selective: true });
    await receive(senderKey);
    expect(log).toEqual(['sender key', 'announced 3', 'announce again', 'resend']);
  });

  it('is not answered by who does not trust it, nor is a later one', async () => {
    for (const state of [
      { selective: true, trusted: false },
      { selective: true, announced: true },
    ]) {
      const { receive, log } = inbox(state);
      await receive(senderKey);
      expect(log).toEqual(['sender key', 'announced 3']);
    }
  });
});
