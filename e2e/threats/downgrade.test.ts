import { describe, expect, it } from 'vitest';
import { buildLab, type Edit, type Lab } from './support/lab.ts';
import { enter, pair, reach } from './support/people.ts';

/** Nothing is negotiated: whoever changes version, suite or a demand on the way gets nowhere. */

/** Whether B answers an M1 whose version and suite bytes were changed on the way. */
async function answers(lab: Lab, at: number): Promise<boolean> {
  const { Initiator, Responder, generateSigningKey, randomBytes } = lab.protocol;
  const common = {
    psk: randomBytes(32),
    roomId: randomBytes(16),
    generation: 0,
    policy: randomBytes(4),
    accept: () => undefined,
  };
  const [seat, peerSeat] = [randomBytes(16), randomBytes(16)];
  const initiator = await Initiator.start({ ...common, identity: await generateSigningKey(), seat, peerSeat });
  const m1 = initiator.m1.slice();
  m1[at] = (m1[at] as number) - 1;
  const b = { ...common, identity: await generateSigningKey(), seat: peerSeat, peerSeat: seat };
  return Responder.answer(b, m1).then(
    () => true,
    (error: unknown) => {
      if (lab.QsecError.is(error, 'HANDSHAKE_FAILED') || lab.QsecError.is(error, 'VERSION_MISMATCH')) return false;
      throw error;
    },
  );
}

const VERSION_IGNORED: readonly Edit[] = ['version !== HANDSHAKE_VERSION', 'suite !== SUITE'].map((differs) => ({
  file: 'protocol/handshake.ts',
  find: `if (${differs})`,
  put: 'if (false)',
}));
const BINDER_IGNORED: Edit = {
  file: 'protocol/handshake.ts',
  find: /if \(!equalBytes\(expected, reader\.fixed\(HASH_BYTES\)\)\)/,
  put: 'if (false)',
};

describe.each([
  ['version', 0],
  ['suite', 1],
])('the %s of a handshake', (_, at) => {
  it('cannot be changed on the way', async () => {
    expect(await answers(await buildLab(), at)).toBe(false);
  });

  it('is bound by the link’s secret even for a side that would take any', async () => {
    expect(await answers(await buildLab({ edits: VERSION_IGNORED }), at)).toBe(false);
  });

  it('could be changed, if neither the byte nor the binder were checked', async () => {
    expect(await answers(await buildLab({ edits: [...VERSION_IGNORED, BINDER_IGNORED] }), at)).toBe(true);
  });
});

describe('a key agreement that one side demands', () => {
  /** Ana demands it, Bo does not, and all of Bo's photons are measured on their way. */
  async function tapped(lab: Lab): Promise<string> {
    const relay = new lab.testing.HostileRelay();
    const ana = await enter(lab, relay, { name: 'Ana' });
    const channel = lab.bb84.simulatedChannel({ eavesdropper: lab.bb84.interceptResend(1) });
    const bo = await enter(lab, relay, { name: 'Bo', invite: ana.invite, keyAgreement: { policy: 'optional', channel } });
    await Promise.race([reach(ana, 'secure'), reach(ana, 'aborted')]);
    if (ana.state === 'secure') await reach(bo, 'secure');
    return ana.state;
  }

  it('is not gone without because the other side would', async () => {
    expect(await tapped(await buildLab())).toBe('aborted');
  });

  it('would be, if only the other side were asked', async () => {
    const edit: Edit = {
      file: 'protocol/agreement.ts',
      find: 'if (own.required || theirs.required)',
      put: 'if (own.required && theirs.required)',
    };
    expect(await tapped(await buildLab({ edits: [edit] }))).toBe('secure');
  });
});

describe('a key agreement that is optional', () => {
  it('is not skipped by holding its flights back: silence is no verdict', async () => {
    const lab = await buildLab();
    // Flights are the largest handshake frames; M1 and M2 pass.
    const hold = new lab.testing.HostileRelay({ tamper: (frame) => (frame.body.length > 4_000 ? [] : [frame]) });
    const ana = await enter(lab, hold, { name: 'Ana', keyAgreement: { policy: 'optional' } });
    const bo = await enter(lab, hold, { name: 'Bo', invite: ana.invite, keyAgreement: { policy: 'optional' } });
    const passed = () => hold.carried.some(({ body }) => body.length > 4_000);
    while (!passed()) await new Promise(setImmediate);
    expect([ana.state, bo.state]).toEqual(['agreeing', 'agreeing']);
    expect([ana.members, bo.members]).toEqual([[], []]);
  });

  it('is skipped after a verdict that both sides know to be the other’s', async () => {
    const lab = await buildLab();
    const channel = lab.bb84.simulatedChannel({ eavesdropper: lab.bb84.interceptResend(1) });
    const { ana } = await pair(lab, new lab.testing.HostileRelay(), { keyAgreement: { policy: 'optional', channel } });
    expect(ana.members[0]?.report).toBeUndefined();
  });
});
