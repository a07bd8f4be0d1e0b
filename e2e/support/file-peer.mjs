import { createHash } from 'node:crypto';
import { connect } from '@qsec2/sdk';

/**
 * One side of a file transfer, in a process of its own, driven by messages of the process that started it.
 *
 * node --expose-gc file-peer.mjs send RELAY SIZE | receive RELAY INVITE
 */

const [role, relay, argument] = process.argv.slice(2);
const PIECE_BYTES = 262_144;
const SAMPLE_MS = 20;
/** Every so many samples what is garbage is collected first: what is left is what the transfer really holds. */
const COLLECT_EVERY = 10;

const tell = (message) => process.send?.(message);

/** `size` bytes that do not repeat, made as they are read, and their hash. */
function generated(size, hash) {
  let made = 0;
  let state = 0x9e3779b9;
  return new ReadableStream(
    {
      pull(controller) {
        if (made === size) return controller.close();
        const words = new Uint32Array(PIECE_BYTES / 4);
        for (let i = 0; i < words.length; i++) {
          // xorshift32: cheap, and long enough a period for any file.
          state ^= state << 13;
          state ^= state >>> 17;
          state ^= state << 5;
          words[i] = state;
        }
        const piece = new Uint8Array(words.buffer, 0, Math.min(PIECE_BYTES, size - made));
        made += piece.length;
        hash.update(piece);
        controller.enqueue(piece);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Watches how much memory and processor time a transfer takes: bytes above what the process had before, seconds. */
function watchUse() {
  globalThis.gc?.();
  const before = process.memoryUsage();
  let peak = before.rss;
  let held = 0;
  let samples = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
    if (++samples % COLLECT_EVERY !== 0) return;
    // Buffers are freed beside the collection; a second one waits for them.
    globalThis.gc?.();
    globalThis.gc?.();
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    held = Math.max(held, arrayBuffers + heapUsed - before.arrayBuffers - before.heapUsed);
  }, SAMPLE_MS);
  const cpu = process.cpuUsage();
  return () => {
    clearInterval(timer);
    const { user, system } = process.cpuUsage(cpu);
    return { growth: peak - before.rss, held, cpuSeconds: (user + system) / 1e6 };
  };
}

async function enter(options) {
  const room = await connect({ relay, ...options });
  room.on('state', (state) => {
    tell({ state });
    // The back-off of a real network would only make the test longer.
    if (state === 'reconnecting') setTimeout(() => room.reconnect(), 50);
  });
  room.on('progress', ({ done, total, state }) => tell({ progress: { done, total, state } }));
  return room;
}

const secure = async (room) => {
  while (room.state !== 'secure') await room.once('state');
};

async function send(size) {
  const stop = new AbortController();
  process.on('message', (order) => order === 'cancel' && stop.abort());
  const room = await enter({ name: 'Sender' });
  tell({ invite: room.invite.code });
  await secure(room);
  const hash = createHash('sha256');
  const use = watchUse();
  const started = performance.now();
  const outcome = await room.sendFile(generated(size, hash), { name: 'generated.bin', signal: stop.signal }).then(
    () => 'sent',
    (error) => error.code ?? String(error),
  );
  tell({ outcome, sha256: hash.digest('hex'), seconds: (performance.now() - started) / 1000, use: use() });
  return room;
}

async function receive(invite) {
  const room = await enter({ name: 'Receiver', invite, files: { fetchUpTo: 0 } });
  room.on('message', async ({ file }) => {
    const hash = createHash('sha256');
    const use = watchUse();
    const started = performance.now();
    let size = 0;
    try {
      for await (const piece of file.stream()) {
        size += piece.length;
        hash.update(piece);
      }
      const seconds = (performance.now() - started) / 1000;
      tell({ outcome: 'received', size, sha256: hash.digest('hex'), seconds, use: use() });
    } catch (error) {
      tell({ outcome: error.code ?? String(error), size, use: use() });
    }
  });
  await secure(room);
  tell({ ready: true });
  return room;
}

const room = await (role === 'send' ? send(Number(argument)) : receive(argument));
process.on('message', async (order) => {
  if (order !== 'leave') return;
  await room.leave();
  process.exit(0);
});
