import { describe, expect, it } from 'vitest';
import { decodeFrame, FRAME_TYPE } from './frame.ts';
import { differenceIn, encodeVersions } from './versions.ts';

describe('what a member says it speaks', () => {
  const spoken = () => decodeFrame(encodeVersions()).content.slice();

  it('is what we speak, and no difference', () => {
    expect(decodeFrame(encodeVersions()).type).toBe(FRAME_TYPE.versions);
    expect(differenceIn(spoken())).toBeUndefined();
  });

  it.each([...['frame', 'handshake', 'suite', 'policy', 'BB84 messages', 'BB84 transmission'].entries()])(
    'differs in byte %i: the version of %s',
    (at, what) => {
      const newer = spoken();
      const ours = newer[at] as number;
      newer[at] = ours + 1;
      expect(differenceIn(newer)).toMatchObject({
        code: 'VERSION_MISMATCH',
        message: `The version of the other side is newer than this one: ${what} ${ours + 1}, and here ${ours}.`,
        details: { what, theirs: ours + 1, ours, older: 'us' },
      });
      newer[at] = ours - 1;
      expect(differenceIn(newer)?.details).toEqual({ what, theirs: ours - 1, ours, older: 'them' });
    },
  );

  it('is told by its first difference', () => {
    const other = spoken().map((version) => version + 1);
    expect(differenceIn(other)?.details.what).toBe('frame');
  });

  it('may name less than we know, and more', () => {
    expect(differenceIn(spoken().subarray(0, 2))).toBeUndefined();
    expect(differenceIn(Uint8Array.of(...spoken(), 9))).toBeUndefined();
    expect(differenceIn(new Uint8Array(0))).toBeUndefined();
  });
});
