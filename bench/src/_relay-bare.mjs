import { createServer } from 'node:http';
import { Server } from 'socket.io';

/** The simplest relay Socket.IO can be: what comes from a member goes to everyone in its room. Nothing is checked, kept or acknowledged. */
const http = createServer();
const io = new Server(http, {
  path: '/qsec2/',
  transports: ['websocket'],
  serveClient: false,
  perMessageDeflate: false,
  maxHttpBufferSize: 4e6,
});
io.on('connection', (socket) => {
  socket.on('join', (request, reply) => {
    socket.join(request.room);
    socket.data.room = request.room;
    reply({ ok: true });
  });
  socket.on('push', (bytes) => io.to(socket.data.room).emit('batch', bytes));
});
http.listen(0, '127.0.0.1', () => console.log(`bare listens on http://127.0.0.1:${http.address().port}`));
process.once('SIGTERM', () => process.exit(0));
