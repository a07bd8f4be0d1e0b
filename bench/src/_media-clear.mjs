import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';

/** The same bytes without sealing: through the relay by the same requests, and through the simplest Socket.IO server there can be. */

const WINDOW = 8;
const text = (bytes) => randomBytes(bytes).toString('base64url');

async function member(url, room) {
  const socket = io(url, { path: '/qsec2/', transports: ['websocket'], forceNew: true });
  await once(socket, 'connect');
  if (room.fresh) await socket.emitWithAck('create', { ...room.terms, endToken: text(32), capacity: 2 });
  room.fresh = false;
  const { error } = await socket.emitWithAck('join', { ...room.terms, seat: text(16), seatSecret: text(32) });
  if (error) throw new Error(error.code);
  return socket;
}

/** Runs `request` for 0 … count - 1, `WINDOW` of them at a time. */
async function windowed(count, request) {
  let next = 0;
  const worker = async () => {
    while (next < count) await request(next++);
  };
  await Promise.all(Array.from({ length: WINDOW }, worker));
}

/** Chunks stored at the relay by one connection and then fetched by another: what a sealed file does, without the seals. */
export async function clearTransfer(url, chunks) {
  const room = { fresh: true, terms: { room: text(16), token: text(32) } };
  const [ana, bo] = [await member(url, room), await member(url, room)];
  const blob = text(16);
  const started = performance.now();
  await windowed(chunks.length, async (index) => {
    const { error } = await ana.emitWithAck('blob:put', { blob, index, last: index === chunks.length - 1 }, chunks[index]);
    if (error) throw new Error(error.code);
  });
  let bytes = 0;
  await windowed(chunks.length, async (index) => {
    const { ok } = await bo.emitWithAck('blob:get', { blob, index });
    bytes += ok.data.length;
  });
  const seconds = (performance.now() - started) / 1000;
  if (bytes !== chunks.reduce((sum, { length }) => sum + length, 0)) throw new Error('bytes were lost');
  await ana.emitWithAck('blob:drop', { blob });
  for (const socket of [ana, bo]) socket.disconnect();
  return seconds;
}

/** A server that passes every chunk on to the other connection, and its acknowledgement back. Nothing is checked or kept. */
export async function bareServer() {
  const http = createServer();
  const server = new Server(http, { transports: ['websocket'], perMessageDeflate: false, maxHttpBufferSize: 4e6 });
  server.on('connection', (socket) => {
    socket.on('chunk', (chunk, done) => {
      for (const [id, other] of server.sockets.sockets) if (id !== socket.id) other.emit('chunk', chunk, done);
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  process.send?.({ url: `http://127.0.0.1:${http.address().port}` });
}

export async function bareTransfer(url, chunks) {
  const connect = async () => {
    const socket = io(url, { transports: ['websocket'], forceNew: true });
    await once(socket, 'connect');
    return socket;
  };
  const [ana, bo] = [await connect(), await connect()];
  bo.on('chunk', (_, done) => done());
  const started = performance.now();
  await windowed(chunks.length, (index) => ana.emitWithAck('chunk', chunks[index]));
  const seconds = (performance.now() - started) / 1000;
  for (const socket of [ana, bo]) socket.disconnect();
  return seconds;
}

if (process.argv[2] === 'bare') await bareServer();
