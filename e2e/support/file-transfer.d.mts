/** What one process used for a transfer. Bytes above what it had before; seconds. */
export interface Use {
  growth: number;
  held: number;
  cpuSeconds: number;
}

export interface Side {
  outcome: string;
  size?: number;
  sha256: string;
  seconds: number;
  use: Use;
}

export interface Transfer {
  sent: Side;
  received: Side;
  relay: { before: number | undefined; peak: number | undefined; cpuSeconds: number | undefined };
  cuts: number;
  /** Files of chunks at the relay afterwards. */
  files: string[];
}

export interface TransferOptions {
  size: number;
  cuts?: number;
  crash?: boolean;
  relay?: Record<string, string>;
}

/** A TCP proxy whose connections can be cut, as a network does. */
export class CuttableProxy {
  static listen(targetPort: number): Promise<CuttableProxy>;
  readonly url: string;
  readonly cuts: number;
  /** Resets every connection, in the middle of whatever they carry. */
  cut(): void;
  /** Nothing comes through until `release`; connections stay open. */
  hold(): void;
  release(): void;
  close(): Promise<void>;
}

export function transfer(options: TransferOptions & { cancelAt: number }): Promise<Pick<Transfer, 'sent' | 'cuts' | 'files'>>;
export function transfer(options: TransferOptions): Promise<Transfer>;
