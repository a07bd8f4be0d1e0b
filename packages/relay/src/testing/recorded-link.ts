import { randomBytes } from 'node:crypto';
import { type Ack, type Batch, decodeBatch, encodePushes, type Push, type Range } from '@qsec2/sdk/wire';
import type { EncodedBatch } from '../frames/encoded-batch.ts';
import { type Frame, frameFromPush, place } from '../frames/item.ts';
import { parsePushes } from '../frames/parse-pushes.ts';
import type { Link } from '../hub/link.ts';
import { random16 } from './client.ts';

/** A connection that writes down what it is sent and told, and takes what waits when the test says so. */
export class RecordedLink implements Link {
  readonly id: string;
  pending = 0;
  stalledMs = 0;
  readonly batches: Batch[] = [];
  readonly encoded: EncodedBatch[] = [];
  readonly acks: Ack[] = [];
  readonly events: [event: string, payload: unknown][] = [];
  /** What was done to it, in order. */
  readonly did: string[] = [];
  /** Keeps what it is sent until {@link drain}. */
  holding = false;
  #drained: () => void = () => {};

  constructor(id = `here.${random16()}`) {
    this.id = id;
  }

  get gaps(): Range[] {
    return this.of('gap') as Range[];
  }

  get seqs(): number[] {
    return this.batches.flatMap(({ deliveries }) => deliveries.map(({ seq }) => seq));
  }

  of(event: string): unknown[] {
    return this.events.filter(([name]) => name === event).map(([, payload]) => payload);
  }

  send(event: string, payload?: unknown): void {
    this.events.push([event, payload]);
  }

  sendBatch(batch: EncodedBatch): void {
    if (this.holding) this.pending += batch.bytes;
    this.encoded.push(batch);
    this.batches.push(decodeBatch(batch.plain));
  }

  sendAck(ack: Ack): void {
    this.acks.push(ack);
  }

  flush(): void {
    this.did.push('flush');
  }

  onDrain(listener: () => void): void {
    this.#drained = listener;
  }

  /** Takes what waits, but for so many bytes. */
  drain(left = 0): void {
    this.pending = left;
    this.#drained();
  }

  stopReading(): void {
    this.did.push('stop');
  }

  goOnReading(): void {
    this.did.push('go on');
  }

  close(): void {
    this.did.push('close');
  }

  terminate(): void {
    this.did.push('terminate');
  }
}

/** A frame as a push makes it, from one seat, at a place of the log if it has one. */
export function frameOf(seq: number, { body = Buffer.from('text'), ...push }: Partial<Push> = {}, from = random16()): Frame {
  const bytes = Buffer.from(encodePushes([{ cid: randomBytes(16), body, ...push } as Push]));
  const frame = frameFromPush(bytes, parsePushes(bytes)![0]!, Buffer.from(from, 'base64url'), from, 1234);
  if (seq > 0) place(frame, seq);
  return frame;
}
