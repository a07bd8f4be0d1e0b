import { buildModule, type Patch, type Replacements } from '../../support/test-build.ts';

/**
 * The SDK with its inner parts laid open, built from its sources: as it is, or with single defences switched off. Every attack runs
 * against both; what does not succeed against the second proves nothing about the first.
 */

type Protocol = typeof import('../../../packages/sdk/src/protocol/aead.ts') &
  typeof import('../../../packages/sdk/src/protocol/content.ts') &
  typeof import('../../../packages/sdk/src/protocol/frame.ts') &
  typeof import('../../../packages/sdk/src/protocol/handshake.ts') &
  typeof import('../../../packages/sdk/src/protocol/identity.ts') &
  typeof import('../../../packages/sdk/src/protocol/key-schedule.ts') &
  typeof import('../../../packages/sdk/src/protocol/padding.ts') &
  typeof import('../../../packages/sdk/src/protocol/pair-channel.ts') &
  typeof import('../../../packages/sdk/src/protocol/pairing.ts') &
  typeof import('../../../packages/sdk/src/protocol/invite.ts') &
  typeof import('../../../packages/sdk/src/protocol/orders.ts') &
  typeof import('../../../packages/sdk/src/protocol/policy.ts') &
  typeof import('../../../packages/sdk/src/protocol/agreement.ts') &
  typeof import('../../../packages/sdk/src/protocol/rekeying.ts') &
  typeof import('../../../packages/sdk/src/protocol/safety-number.ts') &
  typeof import('../../../packages/sdk/src/protocol/random.ts') &
  typeof import('../../../packages/sdk/src/protocol/ratchet.ts') &
  typeof import('../../../packages/sdk/src/protocol/room-keys.ts') &
  typeof import('../../../packages/sdk/src/protocol/sender-key.ts') &
  typeof import('../../../packages/sdk/src/protocol/x-wing.ts');

type Engine = typeof import('../../../packages/sdk/src/bb84/flights.ts') &
  typeof import('../../../packages/sdk/src/bb84/bits.ts') &
  typeof import('../../../packages/sdk/src/bb84/sifting.ts') &
  typeof import('../../../packages/sdk/src/bb84/post-processing.ts') &
  typeof import('../../../packages/sdk/src/bb84/privacy-amplification.ts');

const ENGINE_MODULES = ['flights', 'bits', 'sifting', 'post-processing', 'privacy-amplification'] as const;

const MODULES = [
  'aead',
  'content',
  'frame',
  'handshake',
  'identity',
  'key-schedule',
  'padding',
  'pair-channel',
  'pairing',
  'orders',
  'policy',
  'invite',
  'agreement',
  'rekeying',
  'safety-number',
  'random',
  'ratchet',
  'room-keys',
  'sender-key',
  'x-wing',
] as const;

export type Lab = typeof import('../../../packages/sdk/src/index.ts') & {
  testing: typeof import('../../../packages/sdk/src/testing/index.ts');
  bb84: typeof import('../../../packages/sdk/src/bb84/index.ts');
  wire: typeof import('../../../packages/sdk/src/wire/index.ts');
  bb84KeySource: typeof import('../../../packages/sdk/src/key-source/bb84.ts').bb84KeySource;
  protocol: Protocol;
  engine: Engine;
};

const ENTRY = `
  export * from './index.ts';
  export * as testing from './testing/index.ts';
  export * as bb84 from './bb84/index.ts';
  export * as wire from './wire/index.ts';
  export { bb84KeySource } from './key-source/bb84.ts';
  ${MODULES.map((name, i) => `import * as m${i} from './protocol/${name}.ts';`).join('\n')}
  ${ENGINE_MODULES.map((name, i) => `import * as e${i} from './bb84/${name}.ts';`).join('\n')}
  export const engine = { ${ENGINE_MODULES.map((_, i) => `...e${i}`).join(', ')} };
  export const protocol = { ${MODULES.map((_, i) => `...m${i}`).join(', ')} };`;

/** A relay in the same process is all that attacks need; the way to others is a large part of a build. */
const NO_SOCKETS: Replacements = {
  'transport/socket-io.ts': "export const socketIoTransport = () => { throw new Error('this build has no sockets'); };",
};

/** One change to the source of the SDK: in `file`, `find` becomes `put`. `find` has to be there. */
export interface Edit {
  file: string;
  find: string | RegExp;
  put: string;
}

/** What a build has that the SDK has not. */
export interface Changes {
  edits?: readonly Edit[];
  replacements?: Replacements;
  /** Made to every source, after the edits. */
  patch?: Patch;
}

/** The SDK with changes made to its sources. */
export function buildLab({ edits = [], replacements = {}, patch = (source) => source }: Changes = {}): Promise<Lab> {
  const edited = applying(edits);
  return buildModule<Lab>(ENTRY, { ...NO_SOCKETS, ...replacements }, (source, path) => patch(edited(source, path), path));
}

function applying(edits: readonly Edit[]): Patch {
  return (source, path) => {
    let text = source;
    for (const { file, find, put } of edits.filter((edit) => edit.file === path)) {
      const changed = text.replace(find, put);
      if (changed === text) throw new Error(`${file} no longer has what this attack switches off: ${find}`);
      text = changed;
    }
    return text;
  };
}
