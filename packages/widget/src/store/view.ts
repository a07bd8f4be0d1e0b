import type { FetchOptions, Member, MessageStatus, QberEstimate, Report, Right, SecurityStatus, Stage } from '@qsec2/sdk';
import type { Phase, Problem } from '../types';
import type { LinkTrouble } from './link.logic';

/** A member as it was at one moment: the SDK's own objects change under us, a rendering must not. */
export interface MemberView {
  readonly id: string;
  readonly name: string;
  readonly presence: Member['presence'];
  readonly creator: boolean;
  readonly identity: string;
  readonly safetyNumber: string;
  readonly emoji: Member['emoji'];
  readonly qr: string;
  readonly verified: boolean;
  readonly attested: boolean;
  readonly report: Report | undefined;
  /** Whether this member still has to be let in. */
  readonly waiting: boolean;
  /** Whether this member decides in the creator's stead. */
  readonly delegate: boolean;
  /** Whom it seems to be, under another identity, until a person decides. */
  readonly changedFrom: Pick<Member, 'name' | 'safetyNumber'> | undefined;
}

/** Who decides about the room, and whether newcomers have to be let in. */
export interface RulesView {
  readonly locked: boolean;
  /** Whether the room was made so that each newcomer is asked about. */
  readonly approve: boolean;
  readonly may: Readonly<Record<Right, boolean>>;
  /** Whether nobody could decide any more if we left now. */
  readonly needsDelegate: boolean;
}

/** A key agreement as far as it is known. */
export interface AgreementView {
  /** The other side's place at the relay. */
  readonly seat: string;
  readonly peer: string | undefined;
  readonly role: 'alice' | 'bob';
  /** From 1. */
  readonly attempt: number;
  readonly outcome: 'running' | 'confirmed' | 'aborted';
  /** Stages that are over, in the order they ended. */
  readonly done: readonly Stage[];
  readonly counts: Partial<Omit<Report, 'spans'>>;
  readonly qber: QberEstimate | undefined;
  readonly threshold: number;
  readonly problem: Problem | undefined;
}

/** A file or voice message, known by what its sender says of it. Its content is fetched when it is asked for. */
export interface FileView {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly voice: VoiceView | undefined;
  /** A small picture, which came with the message. */
  readonly thumbnail?: Blob | undefined;
  readonly blob: (options?: FetchOptions) => Promise<Blob>;
}

export interface VoiceView {
  readonly durationMs: number;
  /** Loudness over time, 0–1. */
  readonly peaks: readonly number[];
}

export interface MessageItem {
  readonly kind: 'message';
  readonly id: string;
  readonly at: Date;
  readonly mine: boolean;
  /** Id and name of who wrote it. */
  readonly author: string;
  readonly name: string;
  readonly text: string;
  readonly status: MessageStatus;
  readonly file?: FileView | undefined;
  /** Bytes that went over the network so far, while a file is on its way. */
  readonly done?: number | undefined;
  /** Why a file was not sent. */
  readonly problem?: Problem | undefined;
  /** Its name on screen, where that is not its id: a file has no id until all of it is sent. */
  readonly place?: string | undefined;
}

/** Something that happened in the room, told between the messages. */
export interface NoteItem {
  readonly kind: 'note';
  readonly id: string;
  readonly at: Date;
  readonly note:
    | 'joined'
    | 'left'
    | 'verified'
    | 'unattested'
    | 'gap'
    | 'removed'
    | 'no-admin'
    | 'known-name'
    | 'pending'
    | 'rekey-failed'
    | 'rekeyed';
  readonly name: string;
}

/** A key that was made, with what it took. */
export interface KeyItem {
  readonly kind: 'key';
  readonly id: string;
  readonly at: Date;
  readonly agreement: AgreementView;
}

export type TimelineItem = MessageItem | NoteItem | KeyItem;

/** Everything on screen. Replaced whole at every change, so that a component can compare by identity. */
export interface View {
  readonly phase: Phase;
  /** What was there before the connection dropped: the body stays, the banner tells. */
  readonly before: Phase;
  /** Whether reconnecting has lasted long enough to be told. */
  readonly slow: boolean;
  readonly problem: Problem | undefined;
  /** A failure that leaves the room as it is. */
  readonly notice: Problem | undefined;
  /** An invite that was opened while another room is open. */
  readonly otherInvite: string | undefined;
  /** Lets someone in; empty where the page has no address that others can open. */
  readonly link: string;
  /** The same without an address. */
  readonly code: string;
  readonly linkTrouble: LinkTrouble | undefined;
  readonly roomName: string | undefined;
  readonly capacity: number;
  readonly creator: boolean;
  readonly name: string;
  readonly members: readonly MemberView[];
  readonly rules: RulesView;
  readonly security: SecurityStatus | undefined;
  readonly agreement: AgreementView | undefined;
  readonly timeline: readonly TimelineItem[];
  /** Names of those who are writing. */
  readonly typing: readonly string[];
  readonly unread: number;
  /** Whether we were ever let in to the room. */
  readonly entered: boolean;
}

export const EMPTY_VIEW: View = {
  phase: 'setup',
  before: 'setup',
  slow: false,
  problem: undefined,
  notice: undefined,
  otherInvite: undefined,
  link: '',
  code: '',
  linkTrouble: undefined,
  roomName: undefined,
  capacity: 2,
  creator: false,
  name: '',
  members: [],
  rules: { locked: false, approve: false, may: { approve: false, lock: false, remove: false }, needsDelegate: false },
  security: undefined,
  agreement: undefined,
  timeline: [],
  typing: [],
  unread: 0,
  entered: false,
};
