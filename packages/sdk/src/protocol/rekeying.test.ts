import { describe, expect, it } from 'vitest';
import { interceptResend, simulatedChannel } from '../bb84/index.ts';
import { bb84KeySource } from '../key-source/bb84.ts';
import type { KeySource } from '../key-source/types.ts';
import type { Bytes } from '../wire/index.ts';
import { equalBytes } from '../wire/index.ts';
import { PairChannel } from './pair-channel.ts';
import { randomBytes } from './random.ts';
import { Rekeying, type RekeyingOptions, type RekeyingResult } from './rekeying.ts';

const policy = { required: true, source: 'bb84', pulses: 32_768, threshold: 0.11 } as const;

function channels(): { a: PairChannel; b: PairChannel } {
  const roomId = randomBytes(16);
  const root = randomBytes(32);
  const common = { sid: randomBytes(16), transcript: randomBytes(32), sas: randomBytes(6), report: undefined };
  const peer = { identity: randomBytes(32), policy: randomBytes(8) };
  const shown = new Uint8Array(0);
  const side = (role: 'a' | 'b') => new PairChannel(roomId, { ...common, role, root: root.slice() as Bytes, peer, shown });
  return { a: side('a'), b: side('b') };
}

const options = (role: 'a' | 'b', channel: PairChannel, keySource: KeySource = bb84KeySource()): RekeyingOptions => ({
  role,
  epoch: channel.epoch + 1,
  secret: channel.rekeySecret,
  agreement: { own: policy, theirs: policy },
  keySource,
  onStage: () => undefined,
});

/** Carries the messages of one rekeying through the channels it is about, as members do. */
async function rekey(a: PairChannel, b: PairChannel, full: boolean, keySource?: KeySource): Promise<RekeyingResult> {
  const begun = await Rekeying.initiate(options('a', a, keySource), full);
  const answered = await Rekeying.respond(options('b', b, keySource), await b.open(await a.seal(begun.payload)));
  let ended: RekeyingResult | undefined;
  let step = answered.step;
  const take = (channel: PairChannel, result: RekeyingResult | undefined) => {
    if (result) channel.prepare(result.epoch, result.root, result.transcript);
  };
  take(b, step.result);
  while (step.payload) {
    const atA = await begun.rekeying.receive(await a.open(await b.seal(step.payload)));
    take(a, atA.result);
    ended ??= atA.result;
    if (!atA.payload) break;
    const sealed = await a.seal(atA.payload);
    if (atA.confirmed) a.advance();
    step = await answered.rekeying.receive(await b.open(sealed));
    take(b, step.result);
    if (step.confirmed) b.advance();
  }
  return ended as RekeyingResult;
}

async function talk(a: PairChannel, b: PairChannel): Promise<void> {
  const said = randomBytes(20);
  expect(await b.open(await a.seal(said))).toEqual(said);
  expect(await a.open(await b.seal(said))).toEqual(said);
}

describe('rekeying a pair', () => {
  it.each([
    ['light', false],
    ['full', true],
  ])('%s: both go on under a new root, again and again', async (_, full) => {
    const { a, b } = channels();
    for (let epoch = 1; epoch <= 3; epoch++) {
      const before = a.rekeySecret.slice();
      const { report } = await rekey(a, b, full);
      expect([a.epoch, b.epoch]).toEqual([epoch, epoch]);
      expect(equalBytes(a.rekeySecret, before)).toBe(false);
      expect(a.rekeySecret).toEqual(b.rekeySecret);
      expect(report?.finalBits).toBe(full ? 256 : undefined);
      await talk(a, b);
    }
  });

  it('goes on lightly when the key agreement is refused, and says so', async () => {
    const { a, b } = channels();
    const tapped = bb84KeySource(simulatedChannel({ eavesdropper: interceptResend(1) }));
    const { refusal, report } = await rekey(a, b, true, tapped);
    expect([refusal?.code, report]).toEqual(['QBER_EXCEEDED', undefined]);
    expect([a.epoch, b.epoch]).toEqual([1, 1]);
    await talk(a, b);
  });

  it('still opens what was on its way under the old root', async () => {
    const { a, b } = channels();
    const late = await a.seal(randomBytes(5));
    await rekey(a, b, false);
    await expect(b.open(late)).resolves.toHaveLength(5);
    await talk(a, b);
  });

  it('is refused under another secret, for another epoch, and with a changed message', async () => {
    const { a, b } = channels();
    const { rekeying, payload } = await Rekeying.initiate(options('a', a), false);
    await expect(Rekeying.respond({ ...options('b', b), epoch: 7 }, payload)).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
    const stranger = await Rekeying.respond({ ...options('b', b), secret: randomBytes(32) }, payload);
    await expect(rekeying.receive(stranger.step.payload as Bytes)).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
  });

  it('shuts out who holds the old root: nothing sealed afterwards descends from it', async () => {
    const { a, b } = channels();
    const stolen = a.rekeySecret.slice() as Bytes;
    const { payload } = await Rekeying.initiate(options('a', a), false);
    // The thief hears R1 and answers or guesses as it likes, yet without the private key of R1 it does not reach the root.
    const thief = await Rekeying.respond({ ...options('b', b), secret: stolen }, payload);
    await rekey(a, b, false);
    expect(thief.step.result?.root).not.toEqual(a.rekeySecret);
    await talk(a, b);
  });
});
