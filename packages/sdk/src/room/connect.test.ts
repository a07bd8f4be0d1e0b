import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ConnectOptions } from '../options.ts';
import { MemoryRelay } from '../testing/memory-relay.ts';
import { memoryStorage } from '../testing/memory-storage.ts';
import type { TransportFactory } from '../transport/transport.ts';
import { connect } from './connect.ts';
import type { Room } from './types.ts';

/** Entering a room, and giving that up. */

const open: Room[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((room) => room.leave()));
  vi.unstubAllGlobals();
});

async function enter(relay: Pick<MemoryRelay, 'transport'>, options: Partial<ConnectOptions> = {}): Promise<Room> {
  const room = await connect({ relay: 'http://relay.test', transport: relay.transport, ...options });
  open.push(room);
  return room;
}

const cancelled = { code: 'ABORTED', message: 'Connecting was cancelled.' };

/** A relay that never answers. */
function silent() {
  const state = { asked: 0, closed: 0 };
  const transport: TransportFactory = (_, handlers) => {
    queueMicrotask(() => handlers.open());
    const never = () => {
      state.asked++;
      return new Promise<never>(() => undefined);
    };
    return { create: never, join: never, close: () => void state.closed++ } as never;
  };
  return { state, transport };
}

describe('connecting that is cancelled', () => {
  it('before it began asks the relay for nothing, and stores nothing', async () => {
    const [relay, storage] = [new MemoryRelay(), memoryStorage()];
    const kept = { persist: 'device' as const, storage };
    const reason = new Error('enough');
    await expect(enter(relay, { ...kept, signal: AbortSignal.abort(reason) })).rejects.toMatchObject({
      ...cancelled,
      cause: reason,
    });
    expect([relay.seen, storage.entries.size]).toEqual([[], 0]);
  });

  it('before it began leaves the invite in the address, for another try', async () => {
    const ana = await enter(new MemoryRelay(), { name: 'Ana' });
    const { code } = ana.invite;
    const replaceState = vi.fn();
    vi.stubGlobal('location', { pathname: '/', search: '', hash: `#${code}` });
    vi.stubGlobal('history', { state: null, replaceState });
    await expect(enter(new MemoryRelay(), { invite: code, signal: AbortSignal.abort() })).rejects.toMatchObject(cancelled);
    expect(replaceState).not.toHaveBeenCalled();
  });

  it('while its keys are made asks the relay for nothing, and lets go of what it stored', async () => {
    const relay = new MemoryRelay();
    const kept = { persist: 'device' as const, storage: memoryStorage() };
    const other = await enter(relay, { name: 'Ana' });
    const before = relay.seen.length;
    const stop = new AbortController();
    const entering = enter(relay, { ...kept, invite: other.invite, signal: stop.signal });
    stop.abort();
    await expect(entering).rejects.toMatchObject(cancelled);
    expect(relay.seen.length).toBe(before);
    // The room is not held as one that is open elsewhere.
    await enter(relay, { ...kept, invite: other.invite });
  });

  it('while the relay is waited for closes the connection', async () => {
    const { state, transport } = silent();
    const stop = new AbortController();
    const entering = enter({ transport }, { signal: stop.signal });
    await expect.poll(() => state.asked).toBe(1);
    stop.abort();
    await expect(entering).rejects.toMatchObject(cancelled);
    expect(state.closed).toBe(1);
  });

  it('later leaves the room', async () => {
    const relay = new MemoryRelay();
    const stop = new AbortController();
    const ana = await enter(relay, { name: 'Ana' });
    const bo = await enter(relay, { name: 'Bo', invite: ana.invite, signal: stop.signal });
    stop.abort();
    await expect.poll(() => bo.state).toBe('closed');
    await expect.poll(() => ana.members.length).toBe(0);
  });
});

describe('connecting', () => {
  it('is refused by the relay with its reason', async () => {
    const relay = new MemoryRelay();
    const ana = await enter(relay, { name: 'Ana' });
    const { invite } = ana;
    await ana.leave();
    await enter(relay, { invite }).catch((error: unknown) => expect(error).toMatchObject({ code: 'ROOM_NOT_FOUND' }));
    const full = await enter(relay, { name: 'Ana' });
    await enter(relay, { invite: full.invite });
    await expect(enter(relay, { invite: full.invite })).rejects.toMatchObject({ code: 'ROOM_FULL' });
  });

  it('without WebCrypto says what is missing', async () => {
    const relay = new MemoryRelay();
    const missing = {
      code: 'UNSUPPORTED',
      message: 'WebCrypto is missing: the page has to be served over HTTPS or from localhost.',
    };
    for (const crypto of [undefined, {}]) {
      vi.stubGlobal('crypto', crypto);
      await expect(enter(relay)).rejects.toMatchObject(missing);
    }
    vi.unstubAllGlobals();
    expect(relay.seen).toEqual([]);
  });

  it('takes the invite out of the address, which others see', async () => {
    const relay = new MemoryRelay();
    const ana = await enter(relay, { name: 'Ana' });
    const { code } = ana.invite;
    const replaced: unknown[] = [];
    const history = { state: { page: 1 }, replaceState: (...given: unknown[]) => replaced.push(given) };
    vi.stubGlobal('location', { pathname: '/chat', search: '?lang=de', hash: `#${code}` });
    vi.stubGlobal('history', history);
    const bo = await enter(relay, { name: 'Bo', invite: code });
    expect(replaced).toEqual([[{ page: 1 }, '', '/chat?lang=de']]);
    await bo.leave();
    // An address without it stays as it is.
    vi.stubGlobal('location', { pathname: '/chat', search: '', hash: '#top' });
    await enter(relay, { name: 'Bo', invite: ana.invite });
    expect(replaced).toHaveLength(1);
  });

  it('in a page gives the seat up with the page, unless the room or the page is kept', async () => {
    const relay = new MemoryRelay();
    const listeners = new Set<(event: { persisted: boolean }) => void>();
    vi.stubGlobal('document', {});
    vi.stubGlobal('addEventListener', (name: string, listener: never) => name === 'pagehide' && listeners.add(listener));
    vi.stubGlobal('removeEventListener', (name: string, listener: never) => name === 'pagehide' && listeners.delete(listener));
    const hide = (persisted: boolean) => {
      for (const listener of [...listeners]) listener({ persisted });
    };
    const ana = await enter(relay, { name: 'Ana', persist: 'device', storage: memoryStorage() });
    const bo = await enter(relay, { name: 'Bo', invite: ana.invite });
    expect(listeners.size).toBe(2);
    hide(true);
    expect([ana.state === 'closed', bo.state === 'closed']).toEqual([false, false]);
    hide(false);
    expect([ana.state === 'closed', bo.state]).toEqual([false, 'closed']);
    await expect.poll(() => ana.members.length).toBe(0);
    expect(listeners.size).toBe(1);
  });
});
