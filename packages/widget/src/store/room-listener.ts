import type { FileProgress, KeyAgreementEvent, Member, Message, Right, Room, SecurityEvent } from '@qsec2/sdk';
import type { Phase, Problem } from '../types';
import { calledIn } from './called.logic';
import { problemFrom } from './problem.logic';
import { messageItem, newest, upsert } from './timeline.logic';
import type { MemberView, MessageItem, NoteItem, RulesView, View } from './view';

export interface RoomSink {
  view(): View;
  set(change: Partial<View>): void;
  phase(phase: Phase): void;
  agreement(event: KeyAgreementEvent): void;
  /** `fresh` is the message itself when it came just now. */
  message(item: MessageItem, fresh: Message | undefined): void;
  error(problem: Problem): void;
  /** How others come to the room. A removal renews it. */
  invitation(): Partial<View>;
}

/** Follows one room's events and writes what they mean into the view. */
export class RoomListener {
  readonly #room: Room;
  readonly #sink: RoomSink;
  readonly #stop = new AbortController();
  readonly #known = new Map<string, string>();
  /** Members with whom keys could not be renewed. */
  readonly #oldKeys = new Set<string>();
  #notes = 0;
  /** Who was gone last, as it was called. */
  #left: { id: string; name: string } | undefined;
  /** Id of who was removed last. */
  #removed: string | undefined;

  constructor(room: Room, sink: RoomSink) {
    this.#room = room;
    this.#sink = sink;
    const signal = { signal: this.#stop.signal };
    room.on('state', (state) => this.#sink.phase(state), signal);
    room.on('members', () => this.refresh(), signal);
    room.on('keyAgreement', (event) => this.#onAgreement(event), signal);
    room.on('security', (event) => this.#onSecurity(event), signal);
    room.on('message', (message) => this.#show(message, true), signal);
    room.on('update', (message) => this.#show(message, false), signal);
    room.on('progress', (progress) => this.#onProgress(progress), signal);
    room.on('typing', ({ member, typing }) => this.#onTyping(member, typing), signal);
    room.on('gap', ({ member }) => this.#note('gap', this.#called(member)), signal);
    room.on('error', (error) => this.#sink.error(problemFrom(error)), signal);
    for (const message of room.history()) this.#show(message, false);
    this.refresh();
    this.#sink.phase(room.state);
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Puts one of our own messages on screen. */
  show(message: Message): void {
    this.#show(message, true);
  }

  /** Something was decided here, and these members have not confirmed it. */
  decided(pending: readonly Member[]): void {
    if (pending.length > 0) this.#note('pending', pending.map((member) => this.#called(member)).join(', '));
  }

  /** Reads members and protection again. */
  refresh(): void {
    const { policy } = this.#room;
    const delegates = new Set(policy.delegates.map(({ id }) => id));
    const members = this.#room.members.map((member) => snapshot(member, this.#called(member), delegates.has(member.id)));
    const left = [...this.#known].filter(([id]) => members.every((member) => member.id !== id));
    for (const [id, name] of left) {
      this.#known.delete(id);
      this.#left = { id, name };
      if (id !== this.#removed) this.#note('left', name);
    }
    // Who asked to be let in and went away was never here.
    for (const { id, name, waiting } of members) if (!waiting) this.#known.set(id, name);
    const here = new Set(members.map(({ name }) => name));
    const typing = this.#sink.view().typing.filter((name) => here.has(name));
    const { security } = this.#room;
    const rules = rulesOf(this.#room);
    this.#sink.set({ members, rules, typing, security, capacity: policy.capacity, ...this.#sink.invitation() });
  }

  #onAgreement(event: KeyAgreementEvent): void {
    this.#sink.agreement(event);
    if (event.stage !== 'confirmed') return;
    const { agreement, timeline } = this.#sink.view();
    if (!agreement) return;
    const item = { kind: 'key' as const, id: this.#nextId(), at: new Date(), agreement };
    this.#sink.set({ timeline: upsert(timeline, item) });
  }

  #onSecurity({ kind, member }: SecurityEvent): void {
    if (kind === 'member-removed') this.#removedMember(member);
    this.refresh();
    if (kind === 'known-name') this.#note('known-name', this.#called(member));
    if (kind === 'rekey-failed' || kind === 'rekeyed') this.#onRenewal(kind, member);
    if (kind === 'no-admin') this.#note('no-admin', '');
    if (kind === 'member-verified') this.#note('verified', this.#called(member));
    if (kind === 'unattested') this.#note('unattested', this.#called(member));
  }

  /** Keys are renewed all the time: it is only worth a line where it had failed. */
  #onRenewal(kind: 'rekey-failed' | 'rekeyed', member: Member | undefined): void {
    if (!member) return;
    if (kind === 'rekey-failed') this.#oldKeys.add(member.id);
    else if (!this.#oldKeys.delete(member.id)) return;
    this.#note(kind, this.#called(member));
    if (this.#oldKeys.size === 0 && this.#sink.view().notice?.code === 'REKEY_FAILED') this.#sink.set({ notice: undefined });
  }

  /** Told once, by what happened rather than by its being gone. */
  #removedMember(member: Member | undefined): void {
    if (!member) return;
    const name = this.#known.get(member.id) ?? (this.#left?.id === member.id ? this.#left.name : member.name);
    const told = this.#sink
      .view()
      .timeline.findLast((item) => item.kind === 'note' && item.note === 'left' && item.name === name);
    if (told) this.#sink.set({ timeline: this.#sink.view().timeline.filter((item) => item !== told) });
    this.#removed = member.id;
    this.#note('removed', name);
  }

  #onProgress({ direction, message, done, state }: FileProgress): void {
    if (direction !== 'receive') return;
    const item = this.#sink.view().timeline.find(({ id }) => id === message);
    if (item?.kind !== 'message') return;
    this.#sink.message({ ...item, done: state === 'running' ? done : undefined }, undefined);
  }

  #onTyping(member: Member, typing: boolean): void {
    const called = this.#called(member);
    const others = this.#sink.view().typing.filter((name) => name !== called);
    this.#sink.set({ typing: typing ? [...others, called] : others });
  }

  #show(message: Message, fresh: boolean): void {
    const item = messageItem(message, message.from === 'me' ? this.#room.me.name : this.#called(message.from), fresh);
    const { timeline } = this.#sink.view();
    const known = timeline.find(({ id }) => id === item.id);
    this.#sink.message(newest(known, item, !fresh), fresh && !known ? message : undefined);
  }

  #note(note: NoteItem['note'], name: string): void {
    const { timeline } = this.#sink.view();
    this.#sink.set({ timeline: upsert(timeline, { kind: 'note', id: this.#nextId(), at: new Date(), note, name }) });
  }

  #called(member: Member | undefined): string {
    return member ? calledIn(this.#room, member) : '';
  }

  #nextId(): string {
    this.#notes += 1;
    return `note-${this.#notes}`;
  }
}

function snapshot(member: Member, name: string, delegate: boolean): MemberView {
  const { id, presence, creator, identity, safetyNumber, emoji, qr, verified, attested, report, waiting } = member;
  const changedFrom = member.changedFrom && { name: member.changedFrom.name, safetyNumber: member.changedFrom.safetyNumber };
  return {
    id,
    name,
    presence,
    creator,
    identity,
    safetyNumber,
    emoji,
    qr,
    verified,
    attested,
    report,
    waiting,
    delegate,
    changedFrom,
  };
}

/** What we may decide: the creator everything, a delegate what it was given. */
function rulesOf({ me, policy, needsDelegate }: Room): RulesView {
  const rights = policy.delegates.find(({ id }) => id === me.id)?.rights ?? [];
  const may = (right: Right) => me.creator || rights.includes(right);
  return {
    locked: policy.locked,
    approve: policy.join === 'approve',
    may: { approve: may('approve'), lock: may('lock'), remove: may('remove') },
    needsDelegate,
  };
}
