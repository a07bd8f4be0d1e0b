import { beforeAll, describe, expect, it } from 'vitest';
import type { Room } from '../../packages/sdk/src/index.ts';
import { buildLab, type Edit, type Lab } from './support/lab.ts';
import { enter, settled, until } from './support/people.ts';

/** Eve is a member and keeps every order that comes to her. Orders are signed, so she cannot make one; she hands old ones on again. */

declare global {
  var __qsec2Orders: Uint8Array[] | undefined;
  var __qsec2Again: Uint8Array | undefined;
}

const LOCK = 11;
const POLICY = 7;
const REMOVAL = 10;

/** Eve's client keeps what is sealed for her alone, and sends what she chooses whenever she could say that she is typing. */
const HOARDING: readonly Edit[] = [
  {
    file: 'protocol/content.ts',
    find: 'export function decodePairContent(bytes: Uint8Array): PairContent {',
    put: 'export function decodePairContent(bytes: Uint8Array): PairContent { globalThis.__qsec2Orders?.push(bytes.slice());',
  },
  {
    file: 'room/conversation.ts',
    find: 'async sendTyping(): Promise<void> {',
    put: `async sendTyping(): Promise<void> {
      if (globalThis.__qsec2Again)
        for (const peer of this.#membership.peers) await this.#membership.sendToPeer(peer, globalThis.__qsec2Again as never);`,
  },
];

let honest: Lab;
let eves: Lab;
beforeAll(async () => {
  honest = await buildLab();
  eves = await buildLab({ edits: HOARDING });
});

const sees = (room: Room, others: readonly Room[]) =>
  until(
    room,
    () =>
      room.state === 'secure' &&
      room.members.length === others.length &&
      room.members.every(({ presence }) => presence === 'present'),
  );
const together = (...rooms: Room[]) =>
  Promise.all(
    rooms.map((room) =>
      sees(
        room,
        rooms.filter((other) => other !== room),
      ),
    ),
  );

/** Ana, who made the room, Bo and others as built by `lab`, and Eve with a client of her own. */
async function roomOf(lab: Lab, ...more: string[]) {
  globalThis.__qsec2Again = undefined;
  globalThis.__qsec2Orders = [];
  const relay = new lab.testing.HostileRelay();
  const ana = await enter(lab, relay, { name: 'Ana', capacity: 5 });
  const bo = await enter(lab, relay, { name: 'Bo', invite: ana.invite });
  const others: Room[] = [];
  for (const name of more) others.push(await enter(lab, relay, { name, invite: ana.invite }));
  const eve = await enter(eves, relay, { name: 'Eve', invite: ana.invite.code });
  await together(ana, bo, ...others, eve);
  await settled(ana, bo, ...others, eve);
  return { ana, bo, eve, others };
}

const member = (room: Room, { me }: Room) => {
  const found = room.members.find(({ id }) => id === me.id);
  if (!found) throw new Error(`${room.me.name} does not see ${me.name}`);
  return found;
};

/** The orders of a kind that came to Eve, oldest first. */
const orders = (kind: number) => (globalThis.__qsec2Orders ?? []).filter(([first]) => first === kind);

/** Eve hands an order on again; what Bo was sent before a message that comes after it, he has worked off with it. */
async function again(order: Uint8Array | undefined, { bo, eve }: { bo: Room; eve: Room }, taken?: () => boolean): Promise<void> {
  if (!order) throw new Error('Eve got no such order');
  globalThis.__qsec2Again = order;
  const heard = bo.once('message');
  eve.typing();
  if (taken) return until(bo, taken);
  await eve.send('after it');
  await heard;
}

describe('an order that opened the room', () => {
  async function opensAgain(lab: Lab): Promise<boolean> {
    const room = await roomOf(lab);
    const { ana, bo, eve } = room;
    const everywhere = (locked: boolean) => Promise.all([bo, eve].map((one) => until(one, () => one.policy.locked === locked)));
    await ana.lock();
    await everywhere(true);
    await ana.unlock();
    await everywhere(false);
    const opening = orders(LOCK).at(-1);
    await ana.lock();
    await everywhere(true);
    await again(opening, room, lab === honest ? undefined : () => !bo.policy.locked);
    return !bo.policy.locked;
  }

  it('does not open it again after it was locked', async () => {
    expect(await opensAgain(honest)).toBe(false);
  });

  it('would, if the number of an order did not count', async () => {
    const edit: Edit = {
      file: 'room/authority.ts',
      find: 'if (this.#lock && !outranks(policy, lock, this.#lock))',
      put: 'if (false && !outranks(policy, lock, this.#lock as Lock))',
    };
    expect(await opensAgain(await buildLab({ edits: [edit] }))).toBe(true);
  });
});

describe('a policy that gave rights', () => {
  async function rulesAgain(lab: Lab): Promise<boolean> {
    const room = await roomOf(lab);
    const { ana, bo, eve } = room;
    const everywhere = (count: number) =>
      Promise.all([bo, eve].map((one) => until(one, () => one.policy.delegates.length === count)));
    await ana.delegate(member(ana, eve), ['approve', 'lock', 'remove']);
    await everywhere(1);
    const mine = orders(POLICY).at(-1);
    await ana.delegate(member(ana, eve), []);
    await everywhere(0);
    await again(mine, room, lab === honest ? undefined : () => bo.policy.delegates.length > 0);
    return bo.policy.delegates.some(({ id }) => id === eve.me.id);
  }

  it('does not give them again after they were taken back', async () => {
    expect(await rulesAgain(honest)).toBe(false);
  });

  it('would, if the number of a policy did not count', async () => {
    const edit: Edit = { file: 'room/authority.ts', find: 'if (signed.n <= (this.#policy?.n ?? 0)) return false;', put: '' };
    expect(await rulesAgain(await buildLab({ edits: [edit] }))).toBe(true);
  });
});

describe('a removal', () => {
  /** Cy is removed, then Di, who knows the link that the first removal made. Eve hands that first one on again: where Bo is then. */
  async function leadsBack(lab: Lab): Promise<number> {
    const room = await roomOf(lab, 'Cy', 'Di');
    const { ana, bo, eve, others } = room;
    const [cy, di] = others as [Room, Room];
    await ana.removeMember(member(ana, cy));
    await together(ana, bo, di, eve);
    const first = orders(REMOVAL).find((order) => order.length > 200);
    await ana.removeMember(member(ana, di));
    await together(ana, bo, eve);
    await again(first, room, lab === honest ? undefined : () => bo.invite.generation === 1);
    return bo.invite.generation;
  }

  it('leads nobody back to a link that somebody removed knows', async () => {
    expect(await leadsBack(honest)).toBe(2);
  });

  it('would, if orders did not follow one another', async () => {
    const edit: Edit = {
      file: 'room/authority.ts',
      find: 'if (removal.generation === generation + 1 || (ours && removal.generation > generation)) return removal;',
      put: 'return removal;',
    };
    expect(await leadsBack(await buildLab({ edits: [edit] }))).toBe(1);
  });
});

describe('an admission', () => {
  /** Eve was let in once, under a link that was renewed since. Whether her word from then still counts. */
  async function stillCounts(lab: Lab): Promise<boolean> {
    const { generateSigningKey, signAdmission, signRemoval, isAdmitted, randomBytes, fingerprint } = lab.protocol;
    const [ana, eve, cy] = [await generateSigningKey(), await generateSigningKey(), await generateSigningKey()];
    const [roomId, secret] = [randomBytes(16), randomBytes(32)];
    const invite = new lab.Invite({ generation: 0, roomId, secret, creator: fingerprint(ana.publicKey) });
    const admission = await signAdmission(invite, ana, eve.publicKey, 2);
    const powers = { creator: ana.publicKey, delegates: [] };
    if (!(await isAdmitted(invite, powers, eve.publicKey, admission))) throw new Error('Eve was never let in');
    const { renewed } = await signRemoval(invite, ana, cy.publicKey, 3);
    return isAdmitted(renewed, powers, eve.publicKey, admission);
  }

  it('counts for the link that it was given for, and no other', async () => {
    expect(await stillCounts(honest)).toBe(false);
  });

  it('would go on to count, if it did not name the link', async () => {
    const edit: Edit = {
      file: 'protocol/orders.ts',
      find: 'new Writer().fixed(roomId).u32(generation).fixed(identity).u32(n).bytes()',
      put: 'new Writer().fixed(roomId).u32(0 * generation).fixed(identity).u32(n).bytes()',
    };
    expect(await stillCounts(await buildLab({ edits: [edit] }))).toBe(true);
  });
});
