import { join } from 'node:path';
import type { BlobLimits } from '@qsec2/sdk/wire';
import type { Socket } from 'socket.io';
import type { Clock } from '../clock.ts';
import type { RelaySettings } from '../config/settings.ts';
import type { Store } from '../store/store.ts';
import { BLOB_REQUESTS_IN_FLIGHT, BlobSession, type BlobSessionOptions } from './blob-session.ts';
import type { BlobFigures } from './blob-store.ts';
import { FileBlobStore } from './file-blob-store.ts';

const SWEEP_MS = 60_000;

export interface BlobsOptions {
  settings: Pick<
    RelaySettings,
    'dataDir' | 'durability' | 'retentionMs' | 'blobRoomBytes' | 'blobTotalBytes' | 'blobRetentionMs'
  >;
  clock: Clock;
  store: Pick<Store, 'find'>;
  onError(error: unknown): void;
}

/** The relay's part that keeps sealed files. */
export class Blobs {
  /** Announced to members at join. */
  readonly limits: BlobLimits;
  readonly #store: FileBlobStore;
  readonly #onError: (error: unknown) => void;
  readonly #timer: NodeJS.Timeout;

  private constructor(store: FileBlobStore, { settings, onError }: BlobsOptions) {
    const { blobRoomBytes: roomBytes, blobRetentionMs: retentionMs } = settings;
    this.limits = { roomBytes, retentionMs, inFlight: BLOB_REQUESTS_IN_FLIGHT };
    this.#store = store;
    this.#onError = onError;
    this.#timer = setInterval(() => void store.sweep().catch(onError), SWEEP_MS);
    this.#timer.unref();
  }

  static async open(options: BlobsOptions): Promise<Blobs> {
    const { settings, clock, store, onError } = options;
    const files = await FileBlobStore.open({
      dir: join(settings.dataDir, 'blobs'),
      clock,
      limits: {
        roomBytes: settings.blobRoomBytes,
        totalBytes: settings.blobTotalBytes,
        retentionMs: settings.blobRetentionMs,
        // Whoever is away for longer than that is gone, and comes back under another seat.
        unfinishedMs: settings.retentionMs,
      },
      fsync: settings.durability === 'fsync',
      roomExists: async (room) => (await store.find(room)) !== undefined,
      onError,
    });
    return new Blobs(files, options);
  }

  /** For one connection's requests about blobs. */
  session(socket: Socket, options: Pick<BlobSessionOptions, 'member' | 'draining'>): BlobSession {
    return new BlobSession(socket, { blobs: this.#store, onError: this.#onError, ...options });
  }

  /** Deletes what is left of a room that ended. */
  endRoom(room: string): void {
    this.#store.endRoom(room).catch(this.#onError);
  }

  /** @throws {StorageLost} when what is stored now would be lost. */
  inPlace(): void {
    this.#store.inPlace();
  }

  figures(): BlobFigures {
    return this.#store.figures();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#store.close();
  }
}
