import { QsecError } from './errors.ts';

/** With whom, or with what, this SDK has no version in common. */
export interface VersionDifference {
  /** What is of another version, as `frame` or `handshake`. */
  what: string;
  theirs: number;
  ours: number;
  /** Who can do something about it, when that is the other one; a member unless told. */
  whose?: 'member' | 'link' | 'relay' | 'storage';
}

/** What the older one has to do, in the words of the other one. */
const ELSEWHERE = {
  member: 'Ask the other side to reload its page; where that brings its own copy of the SDK, it has to be updated.',
  link: 'Ask its sender to reload their page and to send a new link.',
  relay: 'Ask whoever runs the relay to update it.',
  storage: 'This version does not read what an older one kept. Ask for a new link.',
} as const;
const HERE = 'Reload this page; where it brings its own copy of the SDK, update that.';
const CALLED = {
  member: 'the other side',
  link: 'this link',
  relay: 'the relay',
  storage: 'what is kept of this room',
} as const;

/** `VERSION_MISMATCH`: who is the older one, and what that one has to do. Details: the difference, and `older`: `us` or `them`. */
export function versionMismatch({ what, theirs, ours, whose = 'member' }: VersionDifference): QsecError {
  const older = theirs > ours ? 'us' : 'them';
  const how = older === 'us' ? 'newer' : 'older';
  const message = `The version of ${CALLED[whose]} is ${how} than this one: ${what} ${theirs}, and here ${ours}.`;
  return new QsecError('VERSION_MISMATCH', message, {
    remediation: older === 'us' ? HERE : ELSEWHERE[whose],
    details: { what, theirs, ours, older },
  });
}
