import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import * as ws from 'ws';
import { EncodedBatch } from '../frames/encoded-batch.ts';
import { Reading } from './reading.ts';
import { type RelaySocket, SocketLink } from './socket-link.ts';

/** What a link does with a Socket.IO socket, written down. */
function observedLink(webSocket: object) {
  const written: Buffer[][] = [];
  const emitted: unknown[][] = [];
  const conn = Object.assign(new EventEmitter(), {
    writeBuffer: [],
    transport: { socket: webSocket },
    write: (_: string, { wsPreEncodedFrame }: { wsPreEncodedFrame: Buffer[] }) => written.push(wsPreEncodedFrame),
  });
  const emit = (...event: unknown[]) => emitted.push(event);
  const link = new SocketLink({ id: 'x', conn, emit } as unknown as RelaySocket, new Reading(() => {}), 'node');
  return { link, written, emitted };
}

const batch = new EncodedBatch(1, 1, 1, Buffer.alloc(60, 7));
const ack = { upTo: 1, seq: [1] };

describe('acknowledgements and batches', () => {
  it('leave as one write, in that order', () => {
    const { link, written } = observedLink({ _sender: { sendFrame() {} } });
    link.sendAck(ack);
    link.sendBatch(batch);
    expect(written).toHaveLength(1);
    const text = Buffer.concat(written[0]!).toString('latin1');
    expect(text.indexOf('42["ack",{"upTo":1,"seq":[1]}]')).toBe(2);
    expect(text.indexOf('451-["batch"')).toBeGreaterThan(30);
  });

  it('can go that way with the version of ws installed, which writes two buffers at once', () => {
    const calls: string[] = [];
    const net = { cork: () => calls.push('cork'), uncork: () => calls.push('uncork'), write: (b: Buffer) => calls.push(`${b}`) };
    const { Sender } = ws as unknown as { Sender: new (socket: object) => { sendFrame(list: Buffer[]): void } };
    new Sender(net).sendFrame([Buffer.from('header'), Buffer.from('items')]);
    expect(calls).toEqual(['cork', 'header', 'items', 'uncork']);
  });

  it('wait for no batch when there is none', () => {
    const { link, written } = observedLink({ _sender: { sendFrame() {} } });
    link.sendAck(ack);
    expect(written).toEqual([]);
    link.flush();
    link.flush();
    expect(written).toHaveLength(1);
  });

  it('are ordinary events where ws does not offer its way', () => {
    const { link, written, emitted } = observedLink({});
    link.sendAck(ack);
    link.sendBatch(batch);
    expect(written).toEqual([]);
    expect(emitted).toEqual([
      ['ack', ack],
      ['batch', batch.plain],
    ]);
  });
});

describe('a connection', () => {
  /** A link whose engine keeps what is written until the test says that it left. */
  function link({ fast = true } = {}) {
    const callbacks: (() => void)[] = [];
    const webSocket = { ...(fast && { _sender: { sendFrame() {} } }), terminate: vi.fn() };
    const conn = Object.assign(new EventEmitter(), {
      writeBuffer: [] as unknown[],
      transport: { socket: webSocket },
      write: (_: string, __: object, written?: () => void) => {
        if (written) callbacks.push(written);
      },
      close: vi.fn(),
    });
    const socket = { id: 'x', conn, emit: vi.fn(), disconnect: vi.fn() };
    const said: boolean[] = [];
    const made = new SocketLink(socket as unknown as RelaySocket, new Reading((on) => said.push(on)), 'node');
    /** So many packets wait. */
    const waiting = (packets: number) => {
      conn.writeBuffer = Array(packets).fill(0);
    };
    return { link: made, conn, socket, webSocket, said, waiting, left: () => callbacks.shift()?.() };
  }

  it('has a name that no other one has in the cluster', () => {
    expect(link().link.id).toBe('node.x');
  });

  it('counts what was not taken yet, and since when nothing was', () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(1000);
    const { link: made, left } = link();
    const drained = vi.fn();
    made.onDrain(drained);
    now.mockReturnValue(2000);
    expect([made.pending, made.stalledMs]).toEqual([0, 0]);
    made.sendBatch(batch);
    now.mockReturnValue(2500);
    made.sendBatch(batch);
    expect([made.pending, made.stalledMs]).toEqual([2 * batch.bytes, 500]);
    left();
    expect([made.pending, made.stalledMs, drained.mock.calls.length]).toEqual([batch.bytes, 0, 1]);
    now.mockReturnValue(3000);
    expect(made.stalledMs).toBe(500);
    left();
    now.mockReturnValue(9000);
    expect([made.pending, made.stalledMs, drained.mock.calls.length]).toEqual([0, 0, 2]);
    now.mockRestore();
  });

  it('counts what was not taken also where ws does not offer its way', () => {
    const { link: made, conn, socket } = link({ fast: false });
    made.sendBatch(batch);
    expect(made.pending).toBe(batch.bytes);
    expect(socket.emit).toHaveBeenCalledExactlyOnceWith('batch', batch.plain);
    conn.emit('drain');
    expect(made.pending).toBe(0);
    conn.emit('drain');
    expect(made.pending).toBe(0);
  });

  it('is not read from while more than 1024 packets wait for it', () => {
    const { link: made, conn, said, waiting } = link();
    waiting(1024);
    made.send('slow', { pauseMs: 1 });
    expect(said).toEqual([]);
    waiting(1025);
    made.send('slow', { pauseMs: 1 });
    made.checkIsRead();
    expect(said).toEqual([false]);
    conn.emit('drain');
    expect(said).toEqual([false]);
    waiting(1024);
    conn.emit('drain');
    expect(said).toEqual([false, true]);
    waiting(1025);
    made.sendAck(ack);
    expect(said).toHaveLength(2);
    made.flush();
    expect(said).toEqual([false, true, false]);
    expect(conn.listenerCount('drain')).toBe(1);
  });

  it('that takes none of very many packets is stalled, though no batch waits', () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(0);
    const { link: made, waiting, conn } = link();
    waiting(1025);
    made.checkIsRead();
    now.mockReturnValue(700);
    expect(made.stalledMs).toBe(700);
    conn.emit('drain');
    expect(made.stalledMs).toBe(0);
    now.mockRestore();
  });

  it('sends an acknowledgement that waits when another one comes', () => {
    const { link: made, conn } = link();
    const write = vi.spyOn(conn, 'write');
    made.sendAck(ack);
    made.sendAck({ upTo: 2, seq: [2] });
    expect(write).toHaveBeenCalledTimes(1);
    made.sendBatch(batch);
    expect(write).toHaveBeenCalledTimes(2);
    made.flush();
    expect(write).toHaveBeenCalledTimes(2);
  });

  it('is held for the room, and no longer once it closes', () => {
    const { link: made, said, socket, conn, webSocket } = link();
    made.stopReading('room');
    made.goOnReading('room');
    made.stopReading('room');
    expect(said).toEqual([false, true, false]);
    made.close();
    expect(said).toEqual([false, true, false, true]);
    expect(socket.disconnect).toHaveBeenCalledExactlyOnceWith(true);
    expect(conn.close).toHaveBeenCalledTimes(1);
    expect(webSocket.terminate).not.toHaveBeenCalled();
    made.terminate();
    expect(webSocket.terminate).toHaveBeenCalledTimes(1);
  });
});
