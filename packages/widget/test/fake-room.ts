import type {
  Decided,
  FileProgress,
  FileSource,
  KeyAgreementEvent,
  LeaveOptions,
  Listener,
  ListenOptions,
  Me,
  Member,
  Message,
  MessageFile,
  MessageStatus,
  Room,
  RoomEvents,
  RoomPolicy,
  RoomState,
  SecurityStatus,
  SendFileOptions,
  SendOptions,
  SendVoiceOptions,
  SentAction,
  SentMessage,
  VoiceMessage,
} from '@qsec2/sdk';
import { Invite, QsecError } from '@qsec2/sdk';
import type { Recording } from '@qsec2/sdk/voice';
import { Emitter } from '../../sdk/src/events.ts';
import { type BB84Counts, fullReport } from './fixtures.ts';

/** A file on its way out. */
export interface Upload {
  name: string;
  progress(done: number): void;
  finish(): void;
  fail(error: QsecError): void;
}

/** A file that is there already. */
export function contentOf(source: FileSource, name: string, type: string): MessageFile {
  const blob = source instanceof Blob ? source : new Blob([source as Uint8Array<ArrayBuffer>], { type });
  return { name, type, size: blob.size, blob: async () => blob, stream: () => blob.stream() };
}

const unasked = (): never => {
  throw new Error('the widget does not ask for this');
};

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A room that does what a test tells it, with the SDK's interface and without its network. Never part of a build. */
export class FakeRoom implements Room {
  readonly id = '00112233445566778899aabbccddeeff';
  readonly invite = new Invite({
    generation: 0,
    roomId: new Uint8Array(16).fill(1),
    secret: new Uint8Array(32).fill(2),
    creator: new Uint8Array(16).fill(3),
  });
  me: Me = { id: 'a'.repeat(32), name: 'Ana', identity: 'aaaa aaaa', creator: true };
  members: Writable<Member>[] = [];
  state: RoomState = 'waiting';
  policy: RoomPolicy = { name: undefined, capacity: 2, join: 'auto', locked: false, delegates: [] };
  security: SecurityStatus = {
    suite: 'X-Wing · Ed25519 · AES-256-GCM',
    provenance: undefined,
    epoch: 1,
    agreedAt: undefined,
    verified: false,
  };
  /** Until when the others take to confirm a decision. */
  othersConfirm: Promise<void> | undefined;
  /** What was called, in order. */
  readonly calls: string[] = [];
  /** What the next `send` is to fail with. */
  sendError: QsecError | undefined;
  /** What handing the room over is to fail with. */
  leaveError: QsecError | undefined;
  /** What sending a message again is to fail with. */
  retryError: QsecError | undefined;
  /** Files wait here until a test lets them go. */
  readonly uploads: Upload[] = [];

  readonly #events = new Emitter<RoomEvents>();
  readonly #history: Message[] = [];
  #ids = 0;

  setState(state: RoomState): void {
    this.state = state;
    this.#events.emit('state', state);
  }

  agree(stages: readonly KeyAgreementEvent[]): void {
    for (const event of stages) this.#events.emit('keyAgreement', event);
  }

  /** Lets someone in, with confirmed keys. */
  admit(
    name: string,
    report: BB84Counts = fullReport(),
    state: RoomState = 'secure',
    fields: Partial<Member> = {},
  ): Writable<Member> {
    const member: Writable<Member> = {
      id: name.toLowerCase().padEnd(32, '0'),
      name,
      identity: '3f1a 9c02 77de 410b',
      presence: 'present',
      creator: !this.me.creator,
      safetyNumber: '76286 49158 37397 09819 33403 47646 43643 62518 25526 41520 04167 19442',
      emoji: [
        { symbol: '🐴', name: 'Horse' },
        { symbol: '🔔', name: 'Bell' },
        { symbol: '🐼', name: 'Panda' },
        { symbol: '🔥', name: 'Fire' },
        { symbol: '🌷', name: 'Tulip' },
        { symbol: '👑', name: 'Crown' },
        { symbol: '💡', name: 'Lamp' },
      ],
      qr: '762864915837397098193340347646436436251825526415200416719442',
      verified: false,
      attested: true,
      waiting: false,
      changedFrom: undefined,
      report,
      verify: () => this.#verify(member),
      accept: () => this.#accept(member),
      ...fields,
    };
    this.members = [...this.members, member];
    this.security = { ...this.security, provenance: 'simulated', agreedAt: new Date(), verified: false };
    this.#events.emit('members', this.members);
    this.#events.emit('security', { kind: 'member-secured', member, status: this.security });
    this.setState(state);
    return member;
  }

  depart(member: Member): void {
    this.members = this.members.filter(({ id }) => id !== member.id);
    this.#events.emit('members', this.members);
    this.setState(this.members.length > 0 ? 'secure' : 'waiting');
  }

  setPresence(member: Writable<Member>, presence: Member['presence']): void {
    member.presence = presence;
    this.#events.emit('members', this.members);
  }

  receive(from: Member, text: string, sentAt = new Date()): Message {
    return this.#add({ id: this.#nextId(), from, sentAt, kind: 'text', text, reactions: [], status: 'received' }, 'message');
  }

  setStatus(id: string, status: MessageStatus): void {
    const at = this.#history.findIndex((message) => message.id === id);
    const message = { ...this.#history[at]!, status };
    this.#history[at] = message;
    this.#events.emit('update', message);
  }

  setTyping(member: Member, typing: boolean): void {
    this.#events.emit('typing', { member, typing });
  }

  fail(error: QsecError): void {
    this.#events.emit('error', error);
  }

  async send(text: string, options: SendOptions = {}): Promise<SentMessage> {
    this.calls.push(`send ${text}`);
    if (this.sendError) throw this.sendError;
    return this.sendAt(text, new Date(), 'sending', options);
  }

  /** One of our own messages, sent at a time of the test's choice. */
  sendAt(text: string, sentAt: Date, status: MessageStatus, { replyTo }: SendOptions = {}): SentMessage {
    const message: Message = {
      id: this.#nextId(),
      from: 'me',
      sentAt,
      kind: 'text',
      text,
      reactions: [],
      status,
      ...(replyTo && { replyTo }),
    };
    this.#add(message);
    return { ...message, delivered: new Promise(() => undefined) };
  }

  async sendFile(source: FileSource, options: SendFileOptions = {}): Promise<SentMessage> {
    const file = contentOf(source, options.name ?? 'file', options.type ?? '');
    this.calls.push(`sendFile ${file.name}`);
    await this.#upload(file, options);
    return this.#sent({ kind: 'file', file });
  }

  async sendVoice(source: FileSource | Recording, options: Partial<SendVoiceOptions> = {}): Promise<SentMessage> {
    const recording = 'prepared' in source ? source : undefined;
    const { durationMs = recording?.durationMs ?? 0, peaks = recording?.peaks ?? [] } = options;
    const content = contentOf('prepared' in source ? source.blob : source, 'voice', options.type ?? recording?.type ?? '');
    this.calls.push(`sendVoice ${durationMs}`);
    await this.#upload(content, options);
    return this.#sent({ kind: 'voice', voice: { ...content, durationMs, peaks } });
  }

  receiveFile(from: Member, file: MessageFile, sentAt = new Date()): Message {
    return this.#add({ id: this.#nextId(), from, sentAt, kind: 'file', file, reactions: [], status: 'received' }, 'message');
  }

  receiveVoice(from: Member, voice: VoiceMessage, sentAt = new Date()): Message {
    return this.#add({ id: this.#nextId(), from, sentAt, kind: 'voice', voice, reactions: [], status: 'received' }, 'message');
  }

  progress(progress: FileProgress): void {
    this.#events.emit('progress', progress);
  }

  async #upload(file: MessageFile, { signal, onProgress }: Partial<SendFileOptions>): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const facts = { transfer: '00', direction: 'send', name: file.name, total: file.size } as const;
      const cancel = () => reject(new QsecError('ABORTED', 'Sending a file was cancelled.'));
      signal?.addEventListener('abort', cancel);
      this.uploads.push({
        name: file.name,
        progress: (done) => onProgress?.({ ...facts, done, state: 'running' }),
        finish: resolve,
        fail: reject,
      });
    });
  }

  #sent(content: Pick<Message, 'kind' | 'file' | 'voice'>): SentMessage {
    const message: Message = { id: this.#nextId(), from: 'me', sentAt: new Date(), reactions: [], status: 'sent', ...content };
    this.#add(message);
    return { ...message, delivered: new Promise(() => undefined) };
  }

  readonly edit = unasked;
  readonly remove = unasked;
  readonly react = unasked;
  readonly read = unasked;
  readonly rename = unasked;
  readonly forget = unasked;
  readonly suspend = unasked;

  typing(): void {
    this.calls.push('typing');
  }

  async *messages(): AsyncIterable<Message> {
    yield* this.#history;
  }

  history(): readonly Message[] {
    return [...this.#history];
  }

  retry(): void;
  retry(id: string): Promise<SentAction>;
  retry(id?: string): Promise<SentAction> | undefined {
    this.calls.push(id === undefined ? 'retry' : `retry ${id}`);
    if (id === undefined) return undefined;
    if (this.retryError) return Promise.reject(this.retryError);
    this.setStatus(id, 'sending');
    return Promise.resolve({ id, delivered: new Promise(() => undefined) });
  }

  reconnect(): void {
    this.calls.push('reconnect');
  }

  /** Keys with the first member were not renewed, or were after all. */
  renewal(kind: 'rekey-failed' | 'rekeyed'): void {
    const [member] = this.members;
    if (member) this.#events.emit('security', { kind, member, status: this.security });
  }

  async rekey(): Promise<void> {
    this.calls.push('rekey');
  }

  async lock(): Promise<Decided> {
    this.calls.push('lock');
    this.policy = { ...this.policy, locked: true };
    return this.#decided();
  }

  async unlock(): Promise<Decided> {
    this.calls.push('unlock');
    this.policy = { ...this.policy, locked: false };
    return this.#decided();
  }

  async approve(member: Member): Promise<void> {
    this.calls.push(`approve ${member.id}`);
    this.change(member, { waiting: false });
    this.setState('secure');
  }

  async delegate(member: Member | string, rights: RoomPolicy['delegates'][number]['rights']): Promise<Decided> {
    const id = typeof member === 'string' ? member : member.id;
    this.calls.push(`delegate ${id} ${rights.join(' ')}`.trim());
    const others = this.policy.delegates.filter((delegate) => delegate.id !== id);
    this.policy = { ...this.policy, delegates: rights.length > 0 ? [...others, { id, rights }] : others };
    return this.#decided();
  }

  revoke(member: Member | string): Promise<Decided> {
    return this.delegate(member, []);
  }

  async removeMember(member: Member): Promise<Decided> {
    this.calls.push(`remove ${member.id}`);
    this.depart(member);
    this.#events.emit('security', { kind: 'member-removed', member, status: this.security });
    return this.#decided();
  }

  /** Who is away has not got it. */
  async #decided(): Promise<Decided> {
    await this.othersConfirm;
    const here = ({ presence }: Member) => presence === 'present';
    return { confirmed: this.members.filter(here), pending: this.members.filter((member) => !here(member)) };
  }

  /** Somebody changes under the widget. */
  change(member: Member, fields: Partial<Member>): void {
    Object.assign(member, fields);
    this.#events.emit('members', this.members);
  }

  /** Nobody confirms that it takes over. */
  refuseHandOver(): void {
    this.leaveError = new QsecError('TIMEOUT', 'The member did not confirm.');
  }

  /** Messages of `member`, or of somebody unknown, did not arrive. */
  missMessages(member: Member | undefined): void {
    this.#events.emit('gap', { member } as RoomEvents['gap']);
  }

  tellSecurity(event: RoomEvents['security']): void {
    this.#events.emit('security', event);
  }

  /** The first member is called as somebody of an earlier visit was. */
  comeUnderKnownName(): void {
    const [member] = this.members;
    if (member) this.#events.emit('security', { kind: 'known-name', member, before: member, status: this.security });
  }

  /** Somebody with another key asks to be let in under the name of a member. */
  askUnderKnownName(before: Member): void {
    this.admit(before.name, undefined, undefined, { id: 'e'.repeat(32), waiting: true, changedFrom: before });
  }

  get needsDelegate(): boolean {
    const { capacity, delegates } = this.policy;
    const decides = this.members.some(({ id }) => delegates.some((delegate) => delegate.id === id));
    return this.me.creator && capacity > 2 && this.members.some(({ waiting }) => !waiting) && !decides;
  }

  async leave({ delegate }: LeaveOptions = {}): Promise<void> {
    if (this.state === 'closed') return;
    this.calls.push(delegate ? `leave ${delegate.id}` : 'leave');
    if (delegate && this.leaveError) throw this.leaveError;
    this.setState('closed');
  }

  on<K extends keyof RoomEvents>(name: K, listener: Listener<RoomEvents[K]>, options?: ListenOptions): () => void {
    return this.#events.on(name, listener, options);
  }

  once<K extends keyof RoomEvents>(name: K, options?: ListenOptions): Promise<RoomEvents[K]> {
    return this.#events.once(name, options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave();
  }

  #accept(member: Writable<Member>): void {
    this.change(member, { changedFrom: undefined });
    this.setState('secure');
  }

  #verify(member: Writable<Member>): void {
    member.verified = true;
    if (member.changedFrom) this.#accept(member);
    this.security = { ...this.security, verified: this.members.every(({ verified }) => verified) };
    this.#events.emit('security', { kind: 'member-verified', member, status: this.security });
  }

  #add(message: Message, event?: 'message'): Message {
    this.#history.push(message);
    if (event) this.#events.emit(event, message);
    return message;
  }

  #nextId(): string {
    this.#ids += 1;
    return String(this.#ids).padStart(32, '0');
  }
}
