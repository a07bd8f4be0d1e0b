import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file from one Node process to another through a relay of its own: what arrived, how fast, and how much memory each one took. */

const PEER = fileURLToPath(new URL('./file-peer.mjs', import.meta.url));
const RELAY = fileURLToPath(new URL('../../packages/relay/dist/cli.js', import.meta.url));

/** @returns {Promise<number>} a port that nobody listens on at this moment */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** A TCP proxy whose connections can be cut, as a network does. */
export class CuttableProxy {
  #server = createServer();
  #sockets = new Set();
  /** From socket to socket. */
  #ways = new Map();
  #held = false;
  cuts = 0;

  static async listen(targetPort) {
    const proxy = new CuttableProxy();
    proxy.#server.on('connection', (client) => {
      const target = createConnection(targetPort, '127.0.0.1');
      for (const socket of [client, target]) {
        proxy.#sockets.add(socket);
        socket.on('error', () => socket.destroy());
      }
      for (const [from, to] of [
        [client, target],
        [target, client],
      ]) {
        proxy.#ways.set(from, to);
        if (!proxy.#held) from.pipe(to);
        from.on('close', () => {
          proxy.#sockets.delete(from);
          proxy.#ways.delete(from);
          to.destroy();
        });
      }
    });
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  /** Nothing comes through until `release`; connections stay open. */
  hold() {
    this.#held = true;
    for (const [from, to] of this.#ways) from.unpipe(to);
  }

  release() {
    this.#held = false;
    for (const [from, to] of this.#ways) from.pipe(to);
  }

  /** Resets every connection, in the middle of whatever they carry. */
  cut() {
    this.cuts++;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close() {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

class Relay {
  static async start(env) {
    const relay = new Relay();
    relay.dataDir = await mkdtemp(join(tmpdir(), 'qsec2-media-'));
    relay.port = await freePort();
    relay.env = env;
    await relay.start();
    relay.memoryBefore = await relay.memory('VmRSS');
    return relay;
  }

  /** Starts the process, on the data there is, and waits until it answers. */
  async start() {
    const { port, dataDir } = this;
    this.child = spawn(process.execPath, [RELAY, 'serve'], {
      env: {
        ...process.env,
        PORT: String(port),
        RELAY_HOST: '127.0.0.1',
        RELAY_DATABASE_URL: `sqlite:${join(dataDir, 'relay.db')}`,
        RELAY_DATA_DIR: dataDir,
        RELAY_LOG_LEVEL: 'warn',
        // What is measured is the transfer, not the operator's bound on it.
        RELAY_RATE_BYTES: String(2 ** 40),
        ...this.env,
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    while (
      !(await fetch(`http://127.0.0.1:${port}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      ))
    ) {
      if (this.child.exitCode !== null) throw new Error(`the relay ended with ${this.child.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Ends without a chance to do anything, and comes back on what is on the disk. */
  async crash() {
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
    await this.start();
  }

  /** Bytes, from what Linux tells of a process; undefined elsewhere. */
  async memory(field) {
    const status = await readFile(`/proc/${this.child.pid}/status`, 'utf8').catch(() => '');
    const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  }

  /** Processor time so far, from what Linux tells of a process in ticks of 10 ms; undefined elsewhere. */
  async cpuSeconds() {
    const stat = await readFile(`/proc/${this.child.pid}/stat`, 'utf8').catch(() => undefined);
    const [, , , , , , , , , , , user, system] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
    return stat && (Number(user) + Number(system)) / 100;
  }

  /** Files of chunks that are kept. */
  async files() {
    const names = await readdir(join(this.dataDir, 'blobs'), { recursive: true });
    return names.filter((name) => /\.(part|whole)$/.test(name));
  }

  async stop() {
    this.child.kill('SIGTERM');
    if (this.child.exitCode === null) await once(this.child, 'exit');
    await rm(this.dataDir, { recursive: true, force: true });
  }
}

/** One side; what it tells is kept, and can be waited for. */
class Peer {
  told = [];
  #listeners = new Set();

  constructor(...args) {
    this.child = fork(PEER, args.map(String), { execArgv: ['--expose-gc'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.child.on('message', (message) => {
      if (!message.progress) this.told.push(message);
      for (const listener of this.#listeners) listener(message);
    });
    this.child.on('exit', (code) => {
      for (const listener of this.#listeners) listener({ exit: code });
    });
  }

  on(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The first message with this field. */
  async says(field) {
    const known = this.told.find((message) => field in message);
    if (known) return known;
    return new Promise((resolve, reject) => {
      const off = this.on((message) => {
        if (field in message) resolve(message);
        else if ('exit' in message) reject(new Error(`a peer ended with ${message.exit}`));
        else return;
        off();
      });
    });
  }

  async leave() {
    if (this.child.exitCode !== null) return;
    this.child.send('leave');
    await once(this.child, 'exit');
  }
}

/** Calls `then` when a transfer has come so far, as a share of the whole. */
function atShare(peer, size, share, then) {
  const off = peer.on(({ progress }) => {
    if (!progress || progress.done < share * size) return;
    off();
    then();
  });
}

/**
 * Sends `size` bytes from one process to another.
 *
 * @param {{ size: number, cuts?: number, crash?: boolean, cancelAt?: number, relay?: Record<string, string> }} options `cuts`: how often all
 *   connections are cut while it is sent, and again while it is fetched; `crash`: the relay is killed half-way, each way; `cancelAt`: share at which the sender gives up.
 */
export async function transfer({ size, cuts = 0, crash = false, cancelAt, relay: env = {} }) {
  const relay = await Relay.start(env);
  const proxy = await CuttableProxy.listen(relay.port);
  const peers = [];
  try {
    const sender = new Peer('send', proxy.url, size);
    peers.push(sender);
    const { invite } = await sender.says('invite');
    const receiver = new Peer('receive', proxy.url, invite);
    peers.push(receiver);
    for (const peer of peers) {
      for (let i = 1; i <= cuts; i++) atShare(peer, size, i / (cuts + 1), () => proxy.cut());
    }
    if (crash) for (const peer of peers) atShare(peer, size, 0.5, () => void relay.crash());
    if (cancelAt !== undefined) atShare(sender, size, cancelAt, () => sender.child.send('cancel'));
    const sent = await sender.says('outcome');
    if (cancelAt !== undefined) {
      while ((await relay.files()).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
      return { sent, files: await relay.files(), cuts: proxy.cuts };
    }
    const received = await receiver.says('outcome');
    const relayUse = {
      before: relay.memoryBefore,
      peak: await relay.memory('VmHWM'),
      cpuSeconds: await relay.cpuSeconds(),
    };
    const files = await relay.files();
    for (const peer of peers) await peer.leave();
    return { sent, received, relay: relayUse, cuts: proxy.cuts, files };
  } finally {
    for (const peer of peers) if (peer.child.exitCode === null) peer.child.kill('SIGTERM');
    await proxy.close();
    await relay.stop();
  }
}
