import type { MessageStatus, QsecErrorCode } from '@qsec2/sdk';
import type { ShownStage } from '../store/agreement.logic';
import type { LinkTrouble } from '../store/link.logic';

const plural = (n: number, one: string, many: string) => (n === 1 ? one : many);

/**
 * Titles of the failures a person can meet in this widget; what to do about each is the SDK's `remediation`, which also
 * speaks for the ones without a title.
 */
const problems: Partial<Record<QsecErrorCode, string>> = {
  INVITE_INVALID: 'This invite link is not valid',
  ROOM_FULL: 'This room is full',
  ROOM_NOT_FOUND: 'This room was not found',
  ROOM_LOCKED: 'This room is closed to newcomers',
  ROOM_OPEN_ELSEWHERE: 'This room is open in another tab',
  REMOVED: 'You were removed from this room',
  NOT_ADMITTED: 'You were not let in',
  NO_ADMIN: 'Nobody is here who may do this',
  RELAY_UNREACHABLE: 'The relay cannot be reached',
  RELAY_REFUSED: 'The relay does not serve this page',
  RATE_LIMITED: 'Too many tries in a short time',
  TIMEOUT: 'The other side did not answer',
  CLOSED: 'This room is closed',
  PEER_GONE: 'The other person has left',
  IDENTITY_CHANGED: 'The other side shows a new identity',
  HANDSHAKE_FAILED: 'The other side could not prove who it is',
  VERSION_MISMATCH: 'The two sides use different versions',
  REKEY_FAILED: 'The keys could not be renewed',
  QBER_EXCEEDED: 'Key exchange stopped',
  KEY_TOO_SHORT: 'The key came out too short',
  RECONCILIATION_FAILED: 'The two keys could not be made equal',
  VERIFICATION_FAILED: 'The two keys did not match',
  MESSAGE_TOO_LARGE: 'This message is too long',
  FILE_TOO_LARGE: 'This file is too large',
  FILE_CORRUPT: 'This file did not arrive as it was sent',
  FILE_GONE: 'This file is no longer there',
  FILE_UNREADABLE: 'This file cannot be read',
  MIC_DENIED: 'The microphone is blocked',
  MIC_UNAVAILABLE: 'The microphone cannot be used',
  NOT_LOADED: 'A part of the chat did not load',
  STORAGE_UNAVAILABLE: 'This room is not kept on this device',
  EXPIRED: 'This message is not held any more',
  KEY_SOURCE_FAILED: 'There was no key to be had',
  UNSUPPORTED: 'This browser cannot run the chat',
};

const stages: Record<ShownStage, string> = {
  pulses: 'Send photons',
  sifting: 'Compare bases',
  estimation: 'Estimate errors',
  reconciliation: 'Reconcile',
  verification: 'Verify',
  amplification: 'Amplify',
};

const ticks: Record<MessageStatus | 'read', string> = {
  sending: 'Waiting to be sent',
  sent: 'Sent',
  delivered: 'Delivered',
  read: 'Read',
  received: 'Received',
  failed: 'Not sent',
  expired: 'Not delivered',
  unaddressed: 'Nobody was here to get it',
};

export const en = {
  dialog: 'Private chat',
  close: 'Close',
  back: 'Back',
  more: 'More',
  you: 'You',
  someone: 'Someone',
  cancel: 'Cancel',
  dismiss: 'Dismiss',
  retry: 'Retry',
  details: 'Details',
  leave: 'Leave',
  leaveRoom: 'Leave room',
  security: 'Security',
  copyInvite: 'Copy invite link',
  copyCode: 'Copy invite code',
  problems,
  otherProblem: 'Something went wrong',

  // Header
  chip: {
    waiting: 'Waiting',
    connecting: 'Connecting',
    agreeing: 'Creating key',
    aborted: 'Not secure',
    secure: 'Encrypted',
    verified: 'Verified',
    reconnecting: 'Reconnecting',
    alone: 'Nobody here',
    changed: 'New identity',
    entering: 'Asking',
    closed: 'Closed',
  },
  openSecurity: (chip: string) => `${chip}. Open security details`,
  here: 'Here now',
  away: 'Away',
  writing: (names: readonly string[]) =>
    names.length > 1 ? `${names.join(', ')} are writing…` : `${names[0] ?? ''} is writing…`,
  hereCount: (n: number, m: number) => `${n} of ${m} here`,

  // Set-up
  setupTitle: 'Talk in private',
  setupLead: 'Only the people in the room can read what is said. The relay in between passes on what it cannot open.',
  yourName: 'Your name',
  optional: 'optional',
  namePlaceholder: 'What others will see',
  roomName: 'Room name',
  roomNamePlaceholder: 'A label for the people in it',
  capacity: 'People',
  capacityHint: 'You included, 2 to 16',
  askFirst: 'Ask me before anyone comes in',
  fewer: 'One person fewer',
  moreSeats: 'One person more',
  create: 'Create a room',
  or: 'or join one',
  invite: 'Invite link',
  invitePlaceholder: 'Paste the link you were sent',
  join: 'Join',
  inviteMissing: 'Paste the link first.',
  inviteShort: 'This link is incomplete. Copy it whole: everything after the # is needed.',
  inviteNone: 'There is no invite in this text. It has “#q2.” in it.',
  nameLong: (max: number) => `At most ${max} characters.`,
  noRelay: 'The page has not set the relay’s address.',

  // Connecting and waiting
  reaching: 'Reaching the relay…',
  waitingTitle: 'Invite someone in',
  waitingLead:
    'Send this link to the person you want to talk to. It holds the key to the room, so share it as you would a password.',
  inviteCode: 'Invite code',
  codeLead:
    'Send this code to the person you want to talk to, who pastes it where it says “Invite link”. It holds the key to the room, so share it as you would a password.',
  linkTrouble: {
    'no-address':
      'There is no link, because others cannot open the address of this page. Whoever runs it can name one that they can:',
    'wrong-base':
      'There is no link, because the page names an address that others cannot open. Whoever runs it can name one that they can:',
  } satisfies Record<LinkTrouble, string>,
  copy: 'Copy',
  copied: 'Copied',
  copyFailed: 'Not copied. Select the text and copy it by hand.',
  share: 'Share',
  shareText: 'Join me in a private chat',
  showQr: 'Show QR code',
  qrInvite: 'QR code of the invite link',
  qrSafety: 'QR code of the safety number',
  joinedTitle: 'You are in the room',
  joinedLead: 'Nobody else is here yet. The key is made as soon as someone is.',

  // Key agreement
  exchangeTitle: (name: string) => (name ? `Creating a key with ${name}` : 'Creating a key'),
  exchangeLead: 'Photons are sent in random bases. Anyone who looks at them on the way leaves errors behind.',
  attempt: (n: number) => `Attempt ${n}`,
  stages,
  receivePulses: 'Receive photons',
  stageFigure: {
    pulses: (n: string) => `${n} photons`,
    sifting: (n: string) => `${n} matched`,
    estimation: (n: string) => `${n} errors`,
    reconciliation: (n: string) => `${n} corrected`,
    verification: () => 'keys are equal',
    amplification: (n: string) => `${n} bits`,
  } satisfies Record<ShownStage, (n: string) => string>,
  stageState: { done: 'done', running: 'in progress', stopped: 'stopped here', open: 'not started' },
  simulated: 'Simulated channel',
  hardware: 'Quantum hardware',

  // Gauge
  gaugeLabel: 'Error rate of the quantum channel',
  gaugeBelow: (rate: string, limit: string) => `Error rate ${rate} percent, below the ${limit} percent limit`,
  gaugeAbove: (rate: string, limit: string) => `Error rate ${rate} percent, above the ${limit} percent limit`,
  gaugeNone: 'Not measured yet',
  measuring: 'error rate not measured yet',
  errorRate: 'error rate',
  limit: (percent: string) => `limit ${percent}`,
  checkedOf: (sampled: string, sifted: string) => `${sampled} of ${sifted} checked`,
  band: (low: string, high: string) => `95 % band ${low} to ${high}`,

  // Aborted
  abortedTitle: 'Key exchange stopped.',
  abortedQber: (rate: string, limit: string) =>
    `Error rate ${rate} is above the ${limit} limit. Someone may be listening, or the link is noisy.`,
  abortedBasis: (worst: string, rate: string, limit: string) =>
    `In one of the two bases the error rate is ${worst}, above the ${limit} limit; over both it is ${rate}. Whoever listens in that basis alone leaves such a trace.`,
  abortedBound: (rate: string, limit: string, bound: string, checked: string) =>
    `Error rate ${rate} is below the ${limit} limit, but it was measured on ${checked} bits only and may be as high as ${bound}. A key that is safe even then would have no bits left.`,
  abortedNoKey: (rate: string, limit: string) =>
    `Error rate ${rate} is below the ${limit} limit, but no key was left: correcting the errors, and leaving out all that a listener may know, took every bit of it.`,
  noneSent: 'No messages were sent.',

  // Chat
  keyMade: 'Encrypted end to end',
  keyFacts: (photons: string, rate: string) => `Key from ${photons} photons · error rate ${rate}`,
  compareHint: 'Compare the safety number',
  compareHintLead: (name: string) => `so that you know it is ${name}`,
  compareAction: 'Compare',
  joined: (name: string) => `${name} joined`,
  left: (name: string) => `${name} left`,
  verifiedNote: (name: string) => `You verified ${name}`,
  unattestedNote: (name: string) => `The creator has not vouched for ${name} yet`,
  removedNote: (name: string) => `${name} was removed. The room has a new link`,
  knownNameNote: (name: string) => `${name} comes with another key than at your last visit`,
  rekeyFailedNote: (name: string) => `The keys with ${name} could not be renewed. Messages go on under the old ones`,
  rekeyedNote: (name: string) => `The keys with ${name} are new again`,
  pendingNote: (names: string) => `Not everybody has this decision yet: ${names}. It is told again until they do.`,
  noAdminNote: 'Nobody is here who may let newcomers in',
  gapNote: (name: string) => (name ? `Messages from ${name} may be missing` : 'Messages may be missing'),
  log: 'Messages',
  newMessages: (n: number) => plural(n, '1 new message', `${n} new messages`),
  toBottom: 'Go to the newest message',
  announce: (name: string, text: string) => `${name}: ${text}`,
  messageLabel: (name: string, time: string, text: string, status: string) =>
    `${name}, ${time}: ${text}${status && `. ${status}`}`,
  ticks,
  notSent: 'Not sent',
  remove: 'Delete',
  today: 'Today',
  yesterday: 'Yesterday',
  empty: 'Say hello. What you write is sealed before it leaves this page.',

  fileLabel: (name: string) => `File ${name}`,
  voiceLabel: (duration: string) => `Voice message, ${duration}`,

  // Composer
  attach: 'Attach files',
  record: 'Record a voice message',
  holdHint: 'Hold to record, let go to send.',
  dropHere: 'Drop files to send them',
  compose: 'Message',
  composePlaceholder: 'Write a message',
  send: 'Send',
  draftWaiting: 'You can send once someone has joined and the key is made.',
  draftAgreeing: 'You can send as soon as the key is made.',
  draftAborted: 'Locked: there is no key. Your draft is kept.',
  draftAlone: 'Nobody else is here. Your draft is kept.',
  tooLong: 'This message is too long.',

  // People and what they decide
  people: 'People',
  asksIn: (name: string) => `${name} asks to be let in`,
  asksInMany: (n: number) => `${n} people ask to be let in`,
  letIn: 'Let in',
  look: 'Look',
  waitingToEnter: 'Waiting to be let in',
  waitingToEnterLead: 'Someone in the room has to let you in. Nothing is sent to you and nothing can be sent before.',
  changedTitle: (name: string) => `${name} has another identity`,
  changedLead: (name: string) =>
    `Somebody calls itself ${name} and shows another key than before. That happens after a change of browser, and when somebody else has the link. Nothing is sent until you decide: compare the new number on a call or in person.`,
  numberBefore: 'Safety number before',
  numberNow: 'Safety number now',
  changedVerify: 'Mark as verified',
  changedAccept: 'Go on unverified',
  changedAcceptHint: 'Without comparing, what you write goes to whoever this is.',
  draftChanged: 'Locked until you decide. Your draft is kept.',

  // Banners
  reconnectingBanner: (n: number) =>
    n === 0 ? 'Reconnecting…' : `Reconnecting… ${plural(n, '1 message', `${n} messages`)} will send when back`,
  retryNow: 'Retry now',
  otherInvite: 'You opened another invite.',
  switchRoom: 'Leave and join',
  partMissing: 'A part of the chat did not load. Check the connection.',
  partOutdated:
    'The chat was updated, and this part of the old one is gone. Reload the page to use it. A conversation ends by that.',
  reload: 'Reload page',

  // Ends
  failedLead: 'Nothing was sent.',
  wrongSetup: 'This chat is not set up correctly',
  newRoom: 'Create a new room',
  startOver: 'Start again',
  useOtherLink: 'Use another link',
  closedTitle: 'This room has ended',
  closedLead: 'Its keys are gone from this page.',
  aloneTitle: 'Nobody else is here',
  shareAgain: 'Share the link again',
  needsSecure: 'Open this page over https: browsers give encryption to secure pages only.',
  allowed: 'Room',

  // Announcements
  nowSecure: (name: string) => `Encrypted with ${name}. You can write now.`,
  nowAborted: 'Not secure. Key exchange stopped.',
};

export type Dictionary = typeof en;
