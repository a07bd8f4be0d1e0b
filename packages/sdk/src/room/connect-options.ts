import {
  CALLBACK,
  check,
  checkOptions,
  either,
  type Kinds,
  numberWhere,
  objectWith,
  oneOf,
  SIGNAL,
  TEXT,
  wholeNumber,
} from '../arguments.ts';
import { bb84KeySource } from '../key-source/bb84.ts';
import type { KeySource } from '../key-source/types.ts';
import { type ConnectOptions, DEFAULTS, type FileOptions, type KeyAgreementOptions } from '../options.ts';
import type { Invite } from '../protocol/invite.ts';
import { type AgreementPolicy, KEY_SOURCES } from '../protocol/policy.ts';
import { MAX_CAPACITY, MIN_CAPACITY } from '../wire/index.ts';

const MIN_PULSES = 4_096;
const MAX_PULSES = 262_144;

/** Checked by `relayUrl`, which says what to write instead. */
export const ANYTHING = { expected: 'an address', accepts: () => true };

export const STORAGE = objectWith('an object with get, list, write and erase', 'get', 'list', 'write', 'erase');

const OPTIONS: Kinds<ConnectOptions> = {
  relay: ANYTHING,
  // Known by its shape: it may come of another copy of this SDK.
  invite: either(TEXT, { expected: 'an Invite', accepts: (value) => typeof (value as Invite | null)?.code === 'string' }),
  name: TEXT,
  roomName: TEXT,
  capacity: wholeNumber(MIN_CAPACITY, MAX_CAPACITY),
  join: oneOf('auto', 'approve'),
  keyAgreement: objectWith('an object of options'),
  files: objectWith('an object of options'),
  persist: oneOf('none', 'session', 'device'),
  storage: STORAGE,
  signal: SIGNAL,
  logger: CALLBACK,
  transport: CALLBACK,
};

const KEY_AGREEMENT: Kinds<KeyAgreementOptions> = {
  source: either(oneOf('simulated'), objectWith('a key source such as etsi014(…)', 'alice', 'bob', 'flightBound')),
  policy: oneOf('required', 'optional'),
  pulses: wholeNumber(MIN_PULSES, MAX_PULSES),
  threshold: numberWhere(`a rate above 0 and up to ${DEFAULTS.threshold}`, (rate) => rate > 0 && rate <= DEFAULTS.threshold),
  channel: objectWith('a channel such as simulatedChannel(…)', 'transmit'),
};

const BYTES = wholeNumber(0, Number.MAX_SAFE_INTEGER);
const FILES: Kinds<FileOptions> = { fetchUpTo: BYTES, maxBytes: BYTES };

/** @throws {QsecError} `INVALID_ARGUMENT`, naming the option */
export function checkConnectOptions(options: ConnectOptions): void {
  check('options', options, objectWith('an object with a "relay"'));
  checkOptions('options', options, OPTIONS);
  if (options.keyAgreement) checkOptions('keyAgreement', options.keyAgreement, KEY_AGREEMENT);
  const source = options.keyAgreement?.source;
  if (typeof source === 'object') {
    // The other side has to know what it is told of the source.
    check('keyAgreement.source.kind', source.kind, oneOf(...KEY_SOURCES));
    check('keyAgreement.source.provenance', source.provenance, oneOf('simulated', 'hardware'));
  }
  if (options.files) checkOptions('files', options.files, FILES);
}

export const keySourceOf = ({ source = 'simulated', channel }: KeyAgreementOptions): KeySource =>
  source === 'simulated' ? bb84KeySource(channel) : source;

export function agreementPolicy(
  { policy = DEFAULTS.policy, pulses = DEFAULTS.pulses, threshold = DEFAULTS.threshold }: KeyAgreementOptions,
  { kind }: KeySource,
): AgreementPolicy {
  return { required: policy === 'required', source: kind, pulses, threshold };
}
