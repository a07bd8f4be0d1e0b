import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type QuantumChannel, simulatedChannel } from '@qsec2/sdk/bb84';
import { afterEach, describe, expect, it } from 'vitest';
import { findSecrets } from '../packages/relay/src/testing/secret-scan.ts';
import { CaptureProxy } from './support/capture-proxy.ts';
import { RelayProcess } from './support/relay-process.ts';
import { buildSdk, OBSERVED, PLAIN, type Sdk } from './support/test-build.ts';

/** Everything a relay receives, stores and logs while two members agree keys and write, searched for everything it must not have. */

declare global {
  var __qsec2Secrets: [string, Uint8Array][];
}

const TEXTS = ['The meeting is at noon behind the mill', 'Then bring the second map, the first one is wrong'];
const NAMES = ['Ana of the lighthouse', 'Bo of the harbour'];

interface Conversation {
  /** What the relay had: received over the network, in its files, in its output. */
  had: { received: Buffer[]; stored: Buffer[]; logged: Buffer[] };
  secrets: Map<string, Uint8Array>;
}

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** Keeps what Alice prepared. */
function observedChannel(): QuantumChannel {
  const channel = simulatedChannel({ flip: 0.015 });
  return {
    ...channel,
    transmit(pulses) {
      globalThis.__qsec2Secrets.push(["Alice's bits", pulses.bits.slice()], ["Alice's bases", pulses.bases.slice()]);
      return channel.transmit(pulses);
    },
  };
}

async function converse({ connect }: Sdk): Promise<Conversation> {
  globalThis.__qsec2Secrets = [];
  const relay = await RelayProcess.start();
  cleanUp.push(() => relay.stop());
  const proxy = await CaptureProxy.listen(relay.port);
  cleanUp.push(() => proxy.close());

  const keyAgreement = { channel: observedChannel() };
  const ana = await connect({ relay: proxy.url, name: NAMES[0] as string, roomName: 'The mill room', keyAgreement });
  const bo = await connect({ relay: proxy.url, name: NAMES[1] as string, invite: ana.invite.code, keyAgreement });
  for (const room of [ana, bo]) while (room.state !== 'secure') await room.once('state');
  const [toBo, toAna] = [bo.once('message'), ana.once('message')];
  await (await ana.send(TEXTS[0] as string)).delivered;
  await (await bo.send(TEXTS[1] as string)).delivered;
  expect([(await toBo).text, (await toAna).text]).toEqual(TEXTS);
  expect(ana.members[0]?.name).toBe(NAMES[1]);

  const secrets = new Map<string, Uint8Array>(globalThis.__qsec2Secrets);
  for (const text of [...TEXTS, ...NAMES, 'The mill room']) secrets.set(`"${text}"`, Buffer.from(text));
  secrets.set('invite secret', ana.invite.secret);
  await bo.leave();
  await ana.leave();
  const stored = await filesBelow(relay.dataDir);
  await relay.kill('SIGTERM');
  stored.push(...(await filesBelow(relay.dataDir)));
  return { had: { received: proxy.received, stored, logged: [Buffer.from(relay.output)] }, secrets };
}

async function filesBelow(folder: string): Promise<Buffer[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return Promise.all(entries.filter((entry) => entry.isFile()).map((entry) => readFile(join(entry.parentPath, entry.name))));
}

const size = (parts: readonly Buffer[]) => parts.reduce((total, part) => total + part.length, 0);

describe('what a relay has of a conversation', () => {
  it('holds no text, name, invite secret, pulse, basis or key in any form', async () => {
    const { had, secrets } = await converse(await buildSdk(OBSERVED));
    expect([...secrets.keys()]).toEqual(
      expect.arrayContaining([
        "Alice's bits",
        "Alice's bases",
        "Bob's bases",
        "Bob's bits",
        'sifted and corrected key',
        'final key',
      ]),
    );
    // The agreement, the messages and the event log really went through.
    expect(size(had.received)).toBeGreaterThan(20_000);
    expect(size(had.stored)).toBeGreaterThan(20_000);
    expect(size(had.logged)).toBeGreaterThan(20);
    for (const parts of Object.values(had)) expect(findSecrets(parts, secrets)).toEqual([]);
  });

  it('would hold them if nothing were encrypted: the same search finds them', async () => {
    const { had, secrets } = await converse(await buildSdk({ ...OBSERVED, ...PLAIN }));
    for (const parts of [had.received, had.stored]) {
      const found = new Set(findSecrets(parts, secrets).map(({ secret }) => secret));
      for (const text of [...TEXTS, ...NAMES]) expect(found).toContain(`"${text}"`);
      expect(found).toContain("Bob's bases");
    }
  });
});

describe('the search', () => {
  const secret = Uint8Array.from({ length: 32 }, (_, i) => (i * 73 + 41) & 0xff);
  const bytes = Buffer.from(secret);
  const bits = [...secret].flatMap((byte) => Array.from({ length: 8 }, (_, i) => (byte >> (7 - i)) & 1));
  const shifted = Buffer.from(Array.from({ length: 31 }, (_, i) => (bytes.readUInt16BE(i) >> 5) & 0xff));

  it.each<[string, Buffer]>([
    ['raw', bytes],
    ['a part of it', bytes.subarray(0, 12)],
    ['hex', Buffer.from(bytes.toString('hex'))],
    ['base64', Buffer.from(bytes.toString('base64'))],
    ['base64url behind another byte', Buffer.from(Buffer.concat([Buffer.from('x'), bytes]).toString('base64url'))],
    ['bits as characters', Buffer.from(bits.join(''))],
    ['bits as bytes', Buffer.from(bits)],
    ['bits packed at another offset', shifted],
  ])('finds a secret written as %s', (_, written) => {
    const haystack = [Buffer.from('before'), Buffer.concat([Buffer.from('…'), written, Buffer.from('…')])];
    expect(findSecrets(haystack, new Map([['key', secret]]))).not.toEqual([]);
    expect(findSecrets(haystack, new Map([['other', secret.map((byte) => byte ^ 0x5a)]]))).toEqual([]);
  });
});
