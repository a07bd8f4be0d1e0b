import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach } from 'vitest';
import { createRelay, type Relay, type RelayOptions } from '../relay.ts';
import { newRoom, type RoomSecrets, TestClient } from './client.ts';

/** Removes what a test made, after it, in reverse order. */
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

export const afterThisTest = (clean: () => unknown): void => {
  cleanups.push(clean);
};

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'qsec2-relay-'));
  afterThisTest(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** One that all tests of a group use: to be called while they are described. */
export function sharedFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'qsec2-relay-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Running {
  relay: Relay;
  url: string;
  dataDir: string;
  client(options?: ConstructorParameters<typeof TestClient>[1]): Promise<TestClient>;
}

/** A relay on a free port of the loopback address, with data of its own. */
export async function startRelay(options: RelayOptions = {}): Promise<Running> {
  const dataDir = options.dataDir ?? temporaryFolder();
  const relay = await createRelay({
    host: '127.0.0.1',
    port: 0,
    databaseUrl: `sqlite:${join(dataDir, 'relay.db')}`,
    dataDir,
    logger: pino({ level: 'silent' }),
    awayAfterMs: 0,
    ...options,
  });
  const url = await relay.listen();
  afterThisTest(() => relay.close());
  const client = async (clientOptions?: ConstructorParameters<typeof TestClient>[1]) => {
    const made = new TestClient(url, clientOptions);
    afterThisTest(() => made.close());
    return made.connected();
  };
  return { relay, url, dataDir, client };
}

/** A room with members who joined it. */
export async function joinedRoom(running: Running, members = 2): Promise<{ room: RoomSecrets; clients: TestClient[] }> {
  const room = newRoom();
  const clients = await Promise.all(Array.from({ length: members }, () => running.client()));
  await clients[0]!.create(room, { capacity: Math.max(2, members) });
  for (const client of clients) {
    const reply = await client.join(room);
    if (!reply.ok) throw new Error(reply.error.code);
  }
  return { room, clients };
}
