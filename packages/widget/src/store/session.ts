import type { ConnectOptions, Decided, KeyAgreementOptions, Member, Message, Room, SentMessage } from '@qsec2/sdk';
import type { Recording } from '@qsec2/sdk/voice';
import type { Phase, Problem } from '../types';
import { foldAgreement } from './agreement.logic';
import { invitationOf, leadsTo } from './link.logic';
import { loadError } from './load-error.logic';
import { isRefusal, problemFrom } from './problem.logic';
import { reloadPage } from './reload';
import { RoomListener } from './room-listener';
import { loadSdk } from './sdk';
import { whenSettled } from './settled';
import { messageItem, settle, upsert } from './timeline.logic';
import { type Outgoing, Uploads } from './uploads';
import { EMPTY_VIEW, type MessageItem, type TimelineItem, type View } from './view';

/** Reconnecting is told after this long: most drops heal before anyone looks. */
const SLOW_AFTER_MS = 2000;
/** `typing` is forgotten by the others after a few seconds, so it is repeated while the person writes. */
const TYPING_EVERY_MS = 2500;

/** By then a decision holds here; the others may take longer to confirm it. */
const DECIDED_AFTER_MS = 500;

export interface SessionOptions {
  relay: string;
  keyAgreement: KeyAgreementOptions | undefined;
  /** Where an invite link leads, if not to the page the person is on. */
  linkBase: string;
}

export interface CreateFields {
  name: string;
  roomName: string;
  capacity: number;
  /** Whether each newcomer has to be let in. */
  ask: boolean;
}

/** What the widget's element turns into DOM events. */
export interface SessionEvents {
  message: (message: Message) => void;
  error: (problem: Problem) => void;
}

/**
 * The one store between the SDK and the components. It holds the room, folds the room's events into a {@link View}, and
 * is the only place that calls the SDK.
 */
export class Session {
  view: View = EMPTY_VIEW;
  readonly #listeners = new Set<() => void>();
  readonly #options: () => SessionOptions;
  readonly #events: SessionEvents;
  #room: Room | undefined;
  /** A room that the page connected is the page's to leave. */
  #owned = false;
  #roomEvents: RoomListener | undefined;
  #uploads: Uploads | undefined;
  #connecting: AbortController | undefined;
  #again: (() => Promise<void>) | undefined;
  /** What was to be joined last, until there is a room. */
  #invite = '';
  #slow: ReturnType<typeof setTimeout> | undefined;
  #typedAt = 0;
  #seen = true;

  /** `options` is read at every connection, so that what the page set last counts. */
  constructor(options: () => SessionOptions, events: SessionEvents) {
    this.#options = options;
    this.#events = events;
  }

  get room(): Room | undefined {
    return this.#room;
  }

  /** See {@link whenSettled}; asked for here, so that the launcher is loaded without it. */
  settled(ms: number): Promise<void> {
    return whenSettled(this, ms);
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  create({ name, roomName, capacity, ask }: CreateFields): Promise<void> {
    return this.#connect({ ...withName(name), ...(roomName ? { roomName } : {}), capacity, join: ask ? 'approve' : 'auto' });
  }

  /** @param invite a link or the code after its `#` */
  join(invite: string, name: string): Promise<void> {
    if (!this.#room) return this.#connect({ ...withName(name), invite });
    if (!leadsTo(invite, this.#room)) this.#set({ otherInvite: invite });
    return Promise.resolve();
  }

  /** Leaves the open room, as {@link Session.leave}, for the one of the invite that was opened meanwhile. */
  async switchRoom(heir?: string): Promise<void> {
    const { otherInvite, name } = this.view;
    if (otherInvite && (await this.leave(heir))) await this.join(otherInvite, name);
  }

  /** Shows a room that the page connected by itself. */
  adopt(room: Room): void {
    if (room !== this.#room) this.#open(room, false);
  }

  #open(room: Room, owned: boolean): void {
    this.#roomEvents?.stop();
    this.#room = room;
    this.#owned = owned;
    this.#set({ ...EMPTY_VIEW, phase: 'connecting', before: 'connecting', ...factsOf(room), ...this.#invitation() });
    this.#tellLinkTrouble();
    this.#uploads?.stop();
    this.#uploads = new Uploads(room, {
      show: (item) => this.#message(item, undefined),
      sent: (upload, message) => this.#sentFile(upload, message),
    });
    this.#roomEvents = new RoomListener(room, {
      view: () => this.view,
      set: (change) => this.#set(change),
      phase: (phase) => this.#phase(phase),
      agreement: (event) => this.#set({ agreement: foldAgreement(this.view.agreement, event) }),
      message: (message, fresh) => this.#message(message, fresh),
      error: (problem) => this.#fail(problem),
      invitation: () => this.#invitation(),
    });
  }

  /** The page named another address for invite links. */
  linkBaseChanged(): void {
    if (!this.#room) return;
    this.#set(this.#invitation());
    this.#tellLinkTrouble();
  }

  #invitation(): Partial<View> {
    const invite = this.#room?.invite;
    if (!invite) return {};
    const { code } = invite;
    return invitationOf({ code, link: (base) => invite.link(base) }, this.#options().linkBase, location.href);
  }

  #tellLinkTrouble(): void {
    const { linkTrouble } = this.view;
    if (!linkTrouble) return;
    const named = linkTrouble === 'wrong-base' ? 'The link-base that is set' : 'The address of this page';
    this.#events.error({
      code: 'INVALID_ARGUMENT',
      message: `${named} makes no invite link: others can open only an http or https address.`,
      remediation: 'Set link-base of <qsec2-chat> to the https address of the page that an invite is to open.',
    });
  }

  async send(text: string): Promise<SentMessage> {
    if (!this.#room) throw new Error('<qsec2-chat> has no open room to send to.');
    this.#typedAt = 0;
    const sent = await this.#room.send(text);
    this.#roomEvents?.show(sent);
    return sent;
  }

  /** Sends a message that did not arrive once more: at its place, or at the end where the room does not hold it any more. */
  async resend(id: string): Promise<void> {
    const item = this.view.timeline.find((one) => one.id === id);
    if (item?.kind !== 'message') return;
    try {
      if (await this.#sendAgain(id)) return;
      this.discard(id);
      const { file } = item;
      if (file) await this.sendFile({ name: file.name, type: file.type, voice: file.voice, blob: await file.blob() });
      else await this.send(item.text);
    } catch (error) {
      this.#fail(problemFrom(error));
    }
  }

  /** As the same message, at its place, where the room still holds it. What never became a message it does not know. */
  async #sendAgain(id: string): Promise<boolean> {
    if (!this.#room?.history().some((message) => message.id === id)) return false;
    try {
      await this.#room.retry(id);
      return true;
    } catch (error) {
      if (problemFrom(error).code === 'EXPIRED') return false;
      throw error;
    }
  }

  /** Sends a file or a voice message. What goes wrong is told where it is shown. */
  async sendFile(outgoing: Outgoing): Promise<void> {
    await this.#uploads?.send(outgoing);
  }

  async sendVoice(recording: Recording): Promise<void> {
    const { blob, type, durationMs, peaks } = recording;
    await this.sendFile({ blob, type, name: 'voice', voice: { durationMs, peaks }, recording });
  }

  /** Stops sending a file. */
  cancel(id: string): void {
    this.#uploads?.cancel(id);
  }

  /** Takes a message that failed off the screen. */
  discard(id: string): void {
    this.#set({ timeline: this.view.timeline.filter((item) => item.id !== id) });
  }

  typing(): void {
    const now = Date.now();
    if (this.view.phase !== 'secure' || now - this.#typedAt < TYPING_EVERY_MS) return;
    this.#typedAt = now;
    this.#room?.typing();
  }

  verify(memberId: string): void {
    this.#member(memberId)?.verify();
    this.#roomEvents?.refresh();
  }

  /** Goes on with a member under its other identity, unverified. */
  accept(memberId: string): void {
    this.#member(memberId)?.accept();
    this.#roomEvents?.refresh();
  }

  /**
   * Lets a member in who waits for it.
   * @param under what the person decided about its identity, where it has the name of a verified member
   */
  approve(id: string, under?: 'verified' | 'unverified'): Promise<void> {
    return this.#decide(id, (room, member) => {
      if (under === 'verified') member.verify();
      if (under === 'unverified') member.accept();
      return room.approve(member);
    });
  }

  /** Removes a member for good; everyone else gets another link. */
  removeMember(id: string): Promise<void> {
    return this.#decide(id, (room, member) => room.removeMember(member));
  }

  /** Lets a member decide in the creator's stead, or no more. */
  delegate(id: string, on: boolean): Promise<void> {
    return this.#decide(id, (room, member) => room.delegate(member, on ? ['approve', 'lock', 'remove'] : []));
  }

  /** Has newcomers ask to be let in, or lets everybody in who has the link. */
  async setLocked(locked: boolean): Promise<void> {
    await this.#attempt(async () => (locked ? this.#room?.lock() : this.#room?.unlock()));
  }

  #member(id: string): Member | undefined {
    return this.#room?.members.find((member) => member.id === id);
  }

  async #decide(id: string, act: (room: Room, member: Member) => Promise<unknown>): Promise<void> {
    const room = this.#room;
    const member = this.#member(id);
    if (room && member) await this.#attempt(() => act(room, member));
  }

  /** Resolves once something is decided here. Whether everybody has it is told later, between the messages. */
  async #attempt(act: () => Promise<unknown>): Promise<void> {
    const events = this.#roomEvents;
    const told = act().then(
      (decided) => events?.decided((decided as Decided | undefined)?.pending ?? []),
      (error: unknown) => this.#fail(problemFrom(error)),
    );
    await Promise.race([told, new Promise((resolve) => setTimeout(resolve, DECIDED_AFTER_MS))]);
    this.#roomEvents?.refresh();
  }

  /** Tries again what failed: the connection, or the key agreement. */
  retry(): void {
    if (this.view.phase === 'aborted') {
      this.#set({ agreement: undefined, notice: undefined });
      this.#room?.retry();
    } else if (this.#again) {
      void this.#again();
    }
  }

  /** What needs a part of the widget failed: the page is told. That the part did not come is said by whoever can ask for it again. */
  missed(error: unknown): Problem {
    const problem = problemFrom(loadError(error));
    if (problem.code === 'NOT_LOADED') this.#events.error(problem);
    else this.#fail(problem);
    return problem;
  }

  /** Loads the page again, once we have left. An invite that has not led to a room yet is followed then. */
  async reloadPage(): Promise<void> {
    const invite = this.#room ? '' : this.#invite;
    await this.leave();
    reloadPage(invite.slice(invite.indexOf('#') + 1));
  }

  reconnect(): void {
    this.#room?.reconnect();
  }

  dismiss(): void {
    this.#set({ notice: undefined, otherInvite: undefined });
  }

  /** Whether a person is looking at the messages. */
  look(seen: boolean): void {
    this.#seen = seen;
    if (seen && this.view.unread > 0) this.#set({ unread: 0 });
  }

  /**
   * Leaves the room, or stops reaching for it, and is back at the start.
   * @param heir id of the member to hand the room over to before. Where that fails we stay; returns whether we left
   */
  async leave(heir?: string): Promise<boolean> {
    const room = this.#room;
    if (room && heir !== undefined && !(await this.#handOver(room, heir))) return false;
    this.#connecting?.abort();
    this.#drop();
    this.#set({ ...EMPTY_VIEW, name: this.view.name });
    await room?.leave();
    return true;
  }

  async #handOver(room: Room, heir: string): Promise<boolean> {
    const delegate = this.#member(heir);
    try {
      if (delegate) await room.leave({ delegate });
    } catch (error) {
      this.#fail(problemFrom(error));
      return false;
    }
    return delegate !== undefined;
  }

  /**
   * Ends what is open because the element is gone from the page: a room of its own is left, and whoever comes back is told so. A room that
   * is the page's own goes on and is only not followed any more.
   */
  end(): void {
    const room = this.#room;
    this.#connecting?.abort();
    if (!room && this.view.phase !== 'connecting') return;
    this.#drop();
    if (room && !this.#owned) return;
    this.#set({ ...EMPTY_VIEW, name: this.view.name, phase: 'closed' });
    room?.leave().catch((error: unknown) => this.#events.error(problemFrom(error)));
  }

  async #connect(fields: Omit<ConnectOptions, 'relay'>): Promise<void> {
    this.#connecting?.abort();
    const controller = new AbortController();
    this.#connecting = controller;
    this.#again = () => this.#connect(fields);
    this.#invite = typeof fields.invite === 'string' ? fields.invite : '';
    this.#set({ ...EMPTY_VIEW, phase: 'connecting', name: fields.name ?? '' });
    try {
      const { relay, keyAgreement } = this.#options();
      const { connect } = await loadSdk().catch((error: unknown) => {
        throw loadError(error);
      });
      const room = await connect({ ...fields, relay, ...(keyAgreement ? { keyAgreement } : {}), signal: controller.signal });
      if (controller.signal.aborted) await room.leave();
      else this.#open(room, true);
    } catch (error) {
      if (!controller.signal.aborted) this.#end(problemFrom(error));
    }
  }

  #message(item: TimelineItem, fresh: Message | undefined): void {
    const unread = fresh && !this.#seen && fresh.from !== 'me' ? this.view.unread + 1 : this.view.unread;
    this.#set({ timeline: upsert(this.view.timeline, item), unread });
    if (fresh) this.#events.message(fresh);
  }

  #sentFile(upload: MessageItem, message: Message): void {
    this.#set({ timeline: settle(this.view.timeline, upload, messageItem(message, upload.name)) });
    this.#events.message(message);
  }

  #phase(phase: Phase): void {
    clearTimeout(this.#slow);
    if (phase === 'reconnecting') {
      this.#slow = setTimeout(() => this.#set({ slow: true }), SLOW_AFTER_MS);
      this.#set({ phase });
      return;
    }
    // What went wrong before there was a key is over once there is one.
    this.#set({ phase, before: phase, slow: false, ...(phase === 'secure' && { notice: undefined, entered: true }) });
  }

  /** A failure without a call to reject: the end for a newcomer who was refused, a notice for everyone else. */
  #fail(problem: Problem): void {
    const newcomer = !this.view.creator && !this.view.timeline.some(({ kind }) => kind === 'key');
    if (isRefusal(problem, newcomer) || this.#room?.state === 'closed') {
      const room = this.#room;
      this.#end(problem);
      room?.leave().catch((error: unknown) => this.#events.error(problemFrom(error)));
      return;
    }
    this.#set({ notice: problem });
    this.#events.error(problem);
  }

  #end(problem: Problem): void {
    this.#drop();
    this.#set({ ...EMPTY_VIEW, name: this.view.name, timeline: this.view.timeline, phase: 'failed', problem });
    this.#events.error(problem);
  }

  #drop(): void {
    clearTimeout(this.#slow);
    this.#roomEvents?.stop();
    this.#roomEvents = undefined;
    this.#uploads?.stop();
    this.#uploads = undefined;
    this.#room = undefined;
  }

  #set(change: Partial<View>): void {
    this.view = { ...this.view, ...change };
    for (const listener of [...this.#listeners]) listener();
  }
}

const withName = (name: string): { name?: string } => (name ? { name } : {});

const factsOf = ({ policy, me }: Room): Partial<View> => ({
  roomName: policy.name,
  capacity: policy.capacity,
  creator: me.creator,
  name: me.name,
});
