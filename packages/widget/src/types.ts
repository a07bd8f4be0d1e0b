import type { Message, QsecErrorCode, RoomState, SecurityStatus } from '@qsec2/sdk';

/** Where the widget lives: a bubble over the page, a box in it, or the whole window. */
export type ChatMode = 'floating' | 'inline' | 'fullscreen';

export type ChatTheme = 'auto' | 'light' | 'dark' | 'quantum';

/** What the widget shows as a whole: a room's states, and those before and after there is one. */
export type Phase = 'setup' | 'failed' | RoomState;

/** A failure as a person meets it. Mirrors `QsecError` without importing the class. */
export interface Problem {
  readonly code: QsecErrorCode;
  readonly message: string;
  readonly remediation: string;
  /** The page holds an older version of the chat, and has to be loaded again. */
  readonly outdated?: boolean;
}

export interface StateDetail {
  state: Phase;
}

export interface MessageDetail {
  message: Message;
}

export interface SecurityDetail {
  security: SecurityStatus;
}

export interface UnreadDetail {
  unread: number;
}

/** What lets someone in. Whoever reads it can join: treat it as a password. */
export interface InviteDetail {
  /** Absent where the page has no address that others can open, and names none. */
  link?: string;
  /** What the link has behind its `#`. It can be pasted where one joins. */
  code: string;
}

export type ErrorDetail = Problem;
