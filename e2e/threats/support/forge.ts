import { guarded, messageKey } from './eavesdropper.ts';
import type { Lab } from './lab.ts';

/** Group frames made by hand, as a member could make them who holds another member's chain. */

export interface Forgery {
  roomId: Uint8Array;
  /** Whose frame it is to be. */
  identity: Uint8Array;
  announced: { epoch: number; epochId: Uint8Array; counter: number; seed: Uint8Array; rosterHash: Uint8Array };
  counter: number;
  plaintext: Uint8Array;
  /** What stands in the place of the sealed plaintext, if that is not to open. */
  box?: Uint8Array;
  sign(message: Uint8Array): Promise<Uint8Array>;
}

export async function forgeGroupFrame(lab: Lab, forgery: Forgery): Promise<Uint8Array<ArrayBuffer>> {
  const { roomId, identity, announced, counter, plaintext, sign } = forgery;
  const { concat, Writer } = lab.wire;
  const tag = lab.protocol.hash(announced.epochId, identity).subarray(0, 4);
  const guard = new Uint8Array([1, 2, 3, 4]);
  const header = new Writer().fixed(announced.epochId).fixed(tag).u32(counter).fixed(guard).bytes();
  const bound = new Writer()
    .fixed(roomId)
    .fixed(identity)
    .u32(announced.epoch)
    .fixed(announced.rosterHash)
    .u8(2)
    .u8(3)
    .fixed(header)
    .bytes();
  const box = forgery.box ?? (await sealed());
  return concat(header, box, await sign(concat(bound, box)));

  async function sealed(): Promise<Uint8Array> {
    const keys = messageKey(announced.seed, announced.counter, counter);
    if (!keys) throw new Error('the chain begins behind this counter');
    return lab.protocol.seal(concat(keys.key), concat(guarded(keys.nonce, guard)), lab.protocol.pad(plaintext), bound);
  }
}
