import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
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
