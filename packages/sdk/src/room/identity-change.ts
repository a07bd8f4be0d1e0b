import { QsecError } from '../errors.ts';
import type { Peer } from './peer.ts';

/** Why nothing is sent while a person has not decided about a member that seems to be another one. */
export function identityChanged(peer: Peer): QsecError {
  const { id, name, changedFrom } = peer;
  return new QsecError('IDENTITY_CHANGED', `"${name}" is here under another identity key than before.`, {
    details: { member: id, before: changedFrom?.id },
  });
}
