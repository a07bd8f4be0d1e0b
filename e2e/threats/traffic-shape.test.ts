import { describe, expect, it } from 'vitest';
import { buildLab, type Edit, type Lab } from './support/lab.ts';
import { enter, reach, settled } from './support/people.ts';

/** Sizes and kinds of what a relay carries, for two conversations that differ in everything that is secret. */

interface Script {
  names: [string, string];
  roomName: string;
  flip: number;
  texts: string[];
}

const SHORT: Script = { names: ['Al', 'Bo'], roomName: 'x', flip: 0.001, texts: ['no', 'yes'] };
const LONG: Script = {
  names: ['Ana Alexandrina of the lighthouse', 'Bonifatius the elder, of the mill'],
  roomName: 'Everything about the second map and the bridge',
  flip: 0.03,
  texts: ['a rather longer text than the other one, and with 🦊 in it', `and ${'very '.repeat(30)}long`],
};

/** Event, outer type and size of everything that was handed to the relay, sender by sender. */
async function shapeOf(lab: Lab, { names, roomName, flip, texts }: Script): Promise<string[][]> {
  const relay = new lab.testing.HostileRelay();
  const keyAgreement = { channel: lab.bb84.simulatedChannel({ flip }) };
  const ana = await enter(lab, relay, { name: names[0], roomName, keyAgreement });
  const bo = await enter(lab, relay, { name: names[1], invite: ana.invite, keyAgreement });
  await Promise.all([reach(ana, 'secure'), reach(bo, 'secure')]);
  await settled(ana, bo);
  for (const text of texts) await (await ana.send(text)).delivered;
  await settled(bo, ana);
  // How receipts are bundled is a matter of timing, not of content: only their sizes count.
  const shapes = relay.seatsOf(relay.rooms[0] as string).map((seat) => {
    const frames = relay.captured
      .filter(({ from }) => from === seat)
      .map(({ body }) => `${lab.testing.outerType(body)} ${body.length}`);
    return [
      ...frames.filter((frame) => !frame.startsWith('pair')),
      ...new Set(frames.filter((frame) => frame.startsWith('pair'))),
    ];
  });
  return shapes;
}

describe('what a relay sees of two conversations with other names, labels, texts and error rates', () => {
  it('is the same', async () => {
    const lab = await buildLab();
    expect(await shapeOf(lab, LONG)).toEqual(await shapeOf(lab, SHORT));
  });

  it.each<[string, Edit]>([
    [
      'texts were not padded',
      { file: 'protocol/padding.ts', find: 'export const MIN_PADDED_BYTES = 256;', put: 'export const MIN_PADDED_BYTES = 1;' },
    ],
    [
      'proofs were not padded',
      { file: 'protocol/handshake.ts', find: 'const PROOF_BYTES = 1024;', put: 'const PROOF_BYTES = 1;' },
    ],
    [
      'flights were not padded',
      {
        file: 'protocol/agreement.ts',
        find: /pad\(flight, LENGTH_BYTES \+ [^;]*\);/,
        put: 'pad(flight, LENGTH_BYTES + flight.length);',
      },
    ],
  ])('would differ, if %s', async (_, edit) => {
    const lab = await buildLab({ edits: [edit] });
    expect(await shapeOf(lab, LONG)).not.toEqual(await shapeOf(lab, SHORT));
  });
});
