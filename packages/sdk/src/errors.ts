/**
 * Every failure the SDK reports is a {@link QsecError}: a stable `code` to branch on, a message that says what happened,
 * and a `remediation` that says what the reader can do about it.
 */

/** What to do about each failure. The keys are the complete set of error codes. */
const REMEDIATION = {
  INVITE_INVALID: 'Ask for the link again and open it whole: everything after the # is needed.',
  ROOM_FULL: 'Ask the creator for a room with more places, or wait until someone leaves.',
  ROOM_NOT_FOUND: 'The link has expired or belongs to another relay. Ask its sender for a new one.',
  ROOM_LOCKED: 'The creator closed this room to newcomers. Ask them to unlock it.',
  ROOM_OPEN_ELSEWHERE: 'This room is open in another tab of this browser. Close that tab, or go on there.',
  REMOVED: 'The creator removed you from this room. Ask them for a new link.',
  NOT_ADMITTED: 'The creator has not admitted you. Ask them, then join again.',
  NO_ADMIN: 'Only who made the room, and delegates of theirs, decide. Wait until one of them is here, or create a new room.',
  RELAY_UNREACHABLE: 'Check the network and the relay address, then try again.',
  RELAY_REFUSED: 'The relay does not serve this page or this client. Check its address and its RELAY_ORIGINS setting.',
  RATE_LIMITED: 'Too many requests in a short time. Wait a moment, then try again.',
  TIMEOUT: 'The other side did not answer in time. Check both connections and try again.',
  ABORTED: 'The operation was cancelled by its AbortSignal.',
  CLOSED: 'This room was closed. Connect again to go on.',
  PEER_GONE: 'The other member left. Invite them again.',
  IDENTITY_CHANGED: 'The other side shows a new identity key. Compare safety numbers before you go on.',
  HANDSHAKE_FAILED: 'The other side could not prove itself. Use a fresh link from someone you trust; the relay may be hostile.',
  REKEY_FAILED:
    'Messages still go out under the old keys, and it is tried again. If somebody may have copied them, say nothing secret until it succeeds.',
  VERSION_MISMATCH: 'Reload the page on both sides. Where a page brings its own copy of the SDK, update that.',
  QBER_EXCEEDED: 'Someone may be listening, or the link is too noisy. Nothing was sent. Try again, or check the channel.',
  KEY_TOO_SHORT: 'Too few secret bits were left. Use more pulses or a channel with less noise.',
  RECONCILIATION_FAILED: 'The two raw keys could not be made equal. Try again, with more pulses or less noise.',
  VERIFICATION_FAILED: 'The corrected keys differ, so they were dropped. Try again.',
  PAD_EXHAUSTED: 'The pre-shared authentication pad is used up. Load fresh pad material on both sides.',
  KEY_SOURCE_FAILED: 'The key management entity gave no key. See details; `npx -p @qsec2/sdk qsec2 etsi014 doctor` probes it.',
  MESSAGE_TOO_LARGE: 'Shorten the message, or send it as a file.',
  FILE_TOO_LARGE: 'Send a smaller file, or raise the limit on both sides.',
  FILE_CORRUPT: 'The file did not arrive as it was sent and was discarded. Ask for it again.',
  FILE_GONE: 'The relay keeps files for a day and no longer has this one. Ask for it again.',
  FILE_UNREADABLE: 'Choose the file again. If it is on a drive or in the cloud, make sure that it is there.',
  MIC_DENIED: 'Allow the microphone for this site in the browser settings, then try again.',
  MIC_UNAVAILABLE: 'No working microphone was found. Connect one and try again.',
  STORAGE_UNAVAILABLE:
    "The room goes on and is not kept. Make room in the storage, close other tabs of this site, or leave private browsing; or use persist: 'none'.",
  NOT_LOADED: 'A part of the program did not arrive. Check the network and try again; reload the page if that does not help.',
  EXPIRED: 'This message is not held any more. Send it as a new one.',
  UNSUPPORTED: 'Use a current browser (Chrome 137, Firefox 130, Safari 17 or newer) or Node 20.19 or newer.',
  INVALID_ARGUMENT: 'Correct the argument named in the message.',
} as const;

/** What to do where the platform has no storage of its own, as in Node: there the application brings one. */
const REMEDIATION_WITHOUT_STORAGE: Partial<Record<QsecErrorCode, string>> = {
  ROOM_OPEN_ELSEWHERE: 'This room is open elsewhere with the same storage. Leave or suspend it there, or go on there.',
  STORAGE_UNAVAILABLE: "Give a `storage` that can be read and written, or use persist: 'none'.",
};

/** The stable identifiers of every failure. */
export type QsecErrorCode = keyof typeof REMEDIATION;

/** Every error code, for documentation and exhaustive tests. */
export const QSEC_ERROR_CODES = Object.keys(REMEDIATION) as readonly QsecErrorCode[];

export interface QsecErrorOptions {
  /** The lower-level failure behind this one. */
  cause?: unknown;
  /** Machine-readable facts: counts, limits, field names. Never key material. */
  details?: Readonly<Record<string, unknown>>;
  /** What to do about it, where more is known than the code says. */
  remediation?: string;
}

/**
 * The one error class of the SDK.
 *
 * @example
 * ```ts
 * try { await connect({ relay, invite }); }
 * catch (e) { if (QsecError.is(e, 'ROOM_FULL')) showFull(e.remediation); else throw e; }
 * ```
 */
export class QsecError extends Error {
  readonly code: QsecErrorCode;
  readonly details: Readonly<Record<string, unknown>>;
  readonly #remediation: string | undefined;

  constructor(code: QsecErrorCode, message: string, { cause, details = {}, remediation }: QsecErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'QsecError';
    this.code = code;
    this.details = details;
    this.#remediation = remediation;
  }

  /** What the reader can do about it. */
  get remediation(): string {
    const here = 'indexedDB' in globalThis ? undefined : REMEDIATION_WITHOUT_STORAGE[this.code];
    return this.#remediation ?? here ?? REMEDIATION[this.code];
  }

  /** Narrows `error` to a QsecError, optionally with one code. */
  static is<C extends QsecErrorCode = QsecErrorCode>(error: unknown, code?: C): error is QsecError & { code: C } {
    return error instanceof QsecError && (code === undefined || error.code === code);
  }
}
