import { afterEach, describe, expect, it, vi } from 'vitest';
import { platformCrypto } from '../platform/crypto.ts';
import { MemoryRelay } from '../testing/memory-relay.ts';
import type { Transport, TransportFactory } from '../transport/transport.ts';
import { connect } from './connect.ts';
import type { Message, Room, RoomState } from './types.ts';

const open: Room[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(open.splice(0).map((room) => room.leave()));
});

async function reach(room: Room, state: RoomState): Promise<void> {
  while (room.state !== state) await room.once('state');
}

/** Holds the next signature check back until three that began after it have ended. */
function slowCheck() {
  const state: { hold: boolean; overtaken: number } = { hold: false, overtaken: 0 };
  let release: (() => void) | undefined;
  const original = platformCrypto.verifier;
  vi.spyOn(platformCrypto, 'verifier').mockImplementation((key) => {
    const check = original(key);
    return async (message, signature) => {
      if (state.hold) {
        state.hold = false;
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        return check(message, signature);
      }
      const valid = await check(message, signature);
      if (release && ++state.overtaken === 3) release();
      return valid;
    };
  });
  return state;
}

describe('frames that come together', () => {
  it('are checked while others are opened, and shown in order though the check of a later one ends first', async () => {
    const check = slowCheck();
    const relay = new MemoryRelay();
    let bos: Transport | undefined;
    const observed: TransportFactory = (url, handlers) => {
      bos = relay.transport(url, handlers);
      return bos;
    };
    const ana = await connect({ relay: 'http://relay.test', transport: relay.transport, name: 'Ana' });
    const bo = await connect({ relay: 'http://relay.test', transport: observed, name: 'Bo', invite: ana.invite });
    open.push(ana, bo);
    await Promise.all([reach(ana, 'secure'), reach(bo, 'secure')]);
    // The epoch is known on both sides before the connection drops: its keys are not among what comes together.
    const first = bo.once('message');
    await ana.send('first');
    await first;

    relay.cut(bos);
    await reach(bo, 'reconnecting');
    const texts = Array.from({ length: 20 }, (_, i) => `text ${i}`);
    for (const text of texts) await ana.send(text);
    const shown: string[] = [];
    const all = new Promise<void>((resolve) => {
      bo.on('message', ({ text = '' }: Message) => {
        shown.push(text);
        if (shown.length === texts.length) resolve();
      });
    });
    check.hold = true;
    relay.restore(bos);
    await all;
    expect(shown).toEqual(texts);
    expect(check.overtaken).toBeGreaterThanOrEqual(3);
  });
});
