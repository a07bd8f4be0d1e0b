import type { Ack, RelayToClient } from '@qsec2/sdk/wire';
import type { EncodedBatch } from '../frames/encoded-batch.ts';

/** Events the hub sends besides batches and acknowledgements. */
export type ControlEvents = Omit<RelayToClient, 'batch' | 'ack'>;

/** What the hub needs of a connection. */
export interface Link {
  /** Unique in the whole cluster. */
  readonly id: string;
  /** Bytes handed over and not yet taken by the operating system. */
  readonly pending: number;
  send<E extends keyof ControlEvents>(event: E, ...payload: Parameters<ControlEvents[E]>): void;
  sendBatch(batch: EncodedBatch): void;
  /** Goes out together with the next batch, or by {@link flush}. */
  sendAck(ack: Ack): void;
  flush(): void;
  /** Called whenever pending bytes were taken. */
  onDrain(listener: () => void): void;
  /** How long something has been waiting without any of it being taken, milliseconds. */
  readonly stalledMs: number;
  /** Stops, or goes on, taking what the client sends, because a member of its room is far behind. */
  stopReading(reason: 'room'): void;
  goOnReading(reason: 'room'): void;
  close(): void;
  /** Closes without a farewell, and drops what waits. */
  terminate(): void;
}
