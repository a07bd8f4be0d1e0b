import { describe, expect, it } from 'vitest';
import { concat } from '../wire/index.ts';
import { decodeFrame, FRAME_TYPE } from './frame.ts';
import { expandLabel, mac } from './key-schedule.ts';
import { differenceIn, encodeVersions } from './versions.ts';

const between = { psk: new Uint8Array(32).fill(1), from: new Uint8Array(16).fill(2), to: new Uint8Array(16).fill(3) };
const OURS = decodeFrame(encodeVersions(between)).content.slice(0, -16);

/** As a member says it who speaks these versions. */
const saying = (list: Uint8Array, { psk, from, to } = between) =>
  concat(list, mac(expandLabel(psk, 'versions', concat(from, to)), list).slice(0, 16));
const differenceOf = (list: Uint8Array) => differenceIn(saying(list), between);

describe('what a member says it speaks', () => {
  it('is what we speak, and no difference', () => {
    expect(decodeFrame(encodeVersions(between)).type).toBe(FRAME_TYPE.versions);
    expect(differenceIn(decodeFrame(encodeVersions(between)).content, between)).toBeUndefined();
  });

  it.each([...['frame', 'handshake', 'suite', 'policy', 'BB84 messages', 'BB84 transmission'].entries()])(
    'differs in byte %i: the version of %s',
    (at, what) => {
      const newer = OURS.slice();
      const ours = newer[at] as number;
      newer[at] = ours + 1;
      expect(differenceOf(newer)).toMatchObject({
        code: 'VERSION_MISMATCH',
        message: `The version of the other side is newer than this one: ${what} ${ours + 1}, and here ${ours}.`,
        details: { what, theirs: ours + 1, ours, older: 'us' },
      });
      newer[at] = ours - 1;
      expect(differenceOf(newer)?.details).toEqual({ what, theirs: ours - 1, ours, older: 'them' });
    },
  );

  it('is told by its first difference', () => {
    const other = OURS.map((version) => version + 1);
    expect(differenceOf(other)?.details.what).toBe('frame');
  });

  it('is nothing unless somebody who has the link said it from there to here', () => {
    const content = saying(OURS.map((version) => version + 1));
    const refused = expect.objectContaining({
      code: 'HANDSHAKE_FAILED',
      message: 'Which versions a member speaks was not said by a member.',
    });
    const seat = new Uint8Array(16).fill(9);
    for (const other of [
      { ...between, from: seat },
      { ...between, to: seat },
      { ...between, psk: new Uint8Array(32) },
    ])
      expect(() => differenceIn(content, other)).toThrow(refused);
    for (let at = 0; at < content.length; at++) {
      const flipped = content.slice();
      flipped[at] = (flipped[at] as number) ^ 1;
      expect(() => differenceIn(flipped, between)).toThrow(refused);
    }
    expect(() => differenceIn(new Uint8Array(0), between)).toThrow(refused);
    expect(differenceIn(content, between)?.code).toBe('VERSION_MISMATCH');
  });

  it('may name less than we know, and more', () => {
    expect(differenceOf(OURS.subarray(0, 2))).toBeUndefined();
    expect(differenceOf(Uint8Array.of(...OURS, 9))).toBeUndefined();
    expect(differenceOf(new Uint8Array(0))).toBeUndefined();
  });
});
