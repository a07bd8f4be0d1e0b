import type { QsecErrorCode } from '@qsec2/sdk';
import type { Dictionary } from '../../i18n';
import type { MemberView, View } from '../../store/view';

export type Body =
  | 'changed'
  | 'entering'
  | 'setup'
  | 'connecting'
  | 'waiting'
  | 'exchange'
  | 'aborted'
  | 'chat'
  | 'failed'
  | 'closed';

/** Whether keys were ever shared with someone in this room: from then on there is a conversation to show. */
const hadCompany = ({ timeline }: Pick<View, 'timeline'>): boolean => timeline.some(({ kind }) => kind !== 'note');

/** The phase that lasts while the connection is away. A room may have been reconnecting before the widget saw it. */
function lastingPhase({ phase, before, members }: View): Exclude<View['phase'], 'reconnecting'> {
  if (phase !== 'reconnecting') return phase;
  if (before === 'waiting' || before === 'agreeing' || before === 'secure' || before === 'aborted') return before;
  return members.length > 0 ? 'secure' : 'waiting';
}

const IN_ROOM: ReadonlySet<View['phase']> = new Set(['waiting', 'agreeing', 'secure', 'aborted']);

/** A member about whose identity the person has to decide before anything goes on. Who only asks to be let in holds nothing up. */
export const changedMember = ({ members }: Pick<View, 'members'>): MemberView | undefined =>
  members.find(({ changedFrom, waiting }) => changedFrom && !waiting);

/** The others, without those who only ask to be let in. */
export const inRoom = ({ members }: Pick<View, 'members'>): MemberView[] => members.filter(({ waiting }) => !waiting);

/** Whether we are a newcomer whom somebody has to let in. */
const isEntering = ({ members, creator, entered, rules }: View): boolean =>
  !creator && !entered && members.length > 0 && (rules.approve || rules.locked);

/** What fills the panel. While reconnecting it stays what it was. */
export function bodyOf(view: View): Body {
  const phase = lastingPhase(view);
  if (IN_ROOM.has(phase) && changedMember(view)) return 'changed';
  if (phase === 'secure') return 'chat';
  if (phase === 'waiting' && isEntering(view)) return 'entering';
  if (phase === 'waiting') return hadCompany(view) ? 'chat' : 'waiting';
  if (phase === 'agreeing') return hadCompany(view) ? 'chat' : 'exchange';
  return phase;
}

export type Tone = 'grey' | 'amber' | 'red' | 'green';
export type ChipName = keyof Dictionary['chip'];

export interface Chip {
  name: ChipName;
  tone: Tone;
  /** Filled once verified, an outline while encrypted, none otherwise. */
  shield: 'none' | 'outline' | 'filled';
}

const CHIPS: Partial<Record<View['phase'], Chip>> = {
  connecting: { name: 'connecting', tone: 'grey', shield: 'none' },
  waiting: { name: 'waiting', tone: 'grey', shield: 'none' },
  agreeing: { name: 'agreeing', tone: 'amber', shield: 'none' },
  aborted: { name: 'aborted', tone: 'red', shield: 'none' },
  reconnecting: { name: 'reconnecting', tone: 'amber', shield: 'none' },
  closed: { name: 'closed', tone: 'grey', shield: 'none' },
  secure: { name: 'secure', tone: 'green', shield: 'outline' },
};

export function chipOf(view: View): Chip | undefined {
  if (bodyOf(view) === 'changed') return { name: 'changed', tone: 'red', shield: 'none' };
  if (bodyOf(view) === 'entering') return { name: 'entering', tone: 'amber', shield: 'none' };
  if (view.phase === 'waiting' && hadCompany(view)) return { name: 'alone', tone: 'grey', shield: 'none' };
  if (view.phase === 'secure' && view.security?.verified && inRoom(view).length > 0) {
    return { name: 'verified', tone: 'green', shield: 'filled' };
  }
  return CHIPS[view.phase];
}

export interface ComposerState {
  shown: boolean;
  /** Whether what is written can be sent now; otherwise it is kept. */
  on: boolean;
  /** Whether writing itself is off. */
  locked: boolean;
  reason: string;
}

export function composerOf(view: View, t: Dictionary): ComposerState {
  const body = bodyOf(view);
  if (body === 'aborted') return { shown: true, on: false, locked: true, reason: t.draftAborted };
  if (body === 'changed') return { shown: true, on: false, locked: true, reason: t.draftChanged };
  if (body === 'waiting') return { shown: true, on: false, locked: false, reason: t.draftWaiting };
  if (body === 'exchange') return { shown: true, on: false, locked: false, reason: t.draftAgreeing };
  if (body !== 'chat') return { shown: false, on: false, locked: true, reason: '' };
  const phase = lastingPhase(view);
  if (phase === 'waiting') return { shown: true, on: false, locked: false, reason: t.draftAlone };
  if (phase === 'agreeing') return { shown: true, on: false, locked: false, reason: t.draftAgreeing };
  return { shown: true, on: true, locked: false, reason: '' };
}

/** Whom the header names: the other person, the room, or nobody yet. */
export function titleOf(view: Pick<View, 'phase' | 'members' | 'roomName'>, t: Dictionary): string {
  const { phase, roomName } = view;
  if (phase === 'closed' || phase === 'failed') return t.dialog;
  const members = inRoom(view);
  if (members.length === 1) return members[0]?.name || t.someone;
  return roomName || members.map(({ name }) => name).join(', ') || t.dialog;
}

export function subtitleOf(view: View, t: Dictionary): string {
  if (view.typing.length > 0) return t.writing(view.typing);
  if (view.phase === 'failed' || view.phase === 'setup' || view.phase === 'connecting' || view.phase === 'closed') return '';
  const members = inRoom(view);
  const [only] = members;
  if (only && members.length === 1 && view.capacity === 2) return only.presence === 'present' ? t.here : t.away;
  return t.hereCount(members.filter(({ presence }) => presence === 'present').length + 1, view.capacity);
}

/** The one thing that helps after each failure. */
export type Remedy = 'retry' | 'other-link' | 'start-over';

const REMEDIES: Partial<Record<QsecErrorCode, Remedy>> = {
  RELAY_UNREACHABLE: 'retry',
  NOT_LOADED: 'retry',
  RELAY_REFUSED: 'retry',
  RATE_LIMITED: 'retry',
  TIMEOUT: 'retry',
  VERSION_MISMATCH: 'retry',
  ROOM_FULL: 'retry',
  ROOM_LOCKED: 'retry',
  ROOM_OPEN_ELSEWHERE: 'retry',
  NOT_ADMITTED: 'retry',
  INVITE_INVALID: 'other-link',
  ROOM_NOT_FOUND: 'other-link',
  HANDSHAKE_FAILED: 'other-link',
  REMOVED: 'other-link',
};

export const remedyOf = (code: QsecErrorCode): Remedy => REMEDIES[code] ?? 'start-over';

/** First letter of a name, whole even where it takes two code units. */
export function initialOf(name: string): string {
  return [...name.trim()][0]?.toLocaleUpperCase() ?? '';
}
