import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A disk of a few MiB that can be filled, emptied and made read-only. */
export interface SmallDisk {
  folder: string;
  /** Takes everything that is left. */
  fill(): void;
  free(): void;
  /** No file may be open for writing. */
  makeReadOnly(): void;
  dispose(): void;
}

/** @returns the disk, or why there can be none: a file system is mounted by root only. */
export function smallDisk(mebibytes: number): SmallDisk | { reason: string } {
  const folder = mkdtempSync(join(tmpdir(), 'qsec2-disk-'));
  const failure = run('mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=755`, 'tmpfs', folder);
  if (failure !== undefined) {
    rmSync(folder, { recursive: true });
    return { reason: `no small disk can be mounted here: ${failure}` };
  }
  const ballast = join(folder, 'ballast');
  return {
    folder,
    fill: () => fill(ballast),
    free: () => rmSync(ballast, { force: true }),
    makeReadOnly() {
      const refused = run('mount', '-o', 'remount,ro', folder);
      if (refused !== undefined) throw new Error(refused);
    },
    dispose() {
      // The children of a process that was killed may hold it for a moment.
      if (run('umount', folder) !== undefined) run('umount', '-l', folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Nobody can write to a file from now on, though it is open: what a disk does that was mounted anew after an error. */
export function makeImmutable(file: string, immutable: boolean): void {
  const refused = run('chattr', immutable ? '+i' : '-i', file);
  if (refused !== undefined) throw new Error(refused);
}

/** Why files cannot be made immutable in a folder; undefined: they can. */
export function whyNotImmutable(folder: string): string | undefined {
  const file = join(folder, 'probe');
  closeSync(openSync(file, 'w'));
  try {
    makeImmutable(file, true);
    makeImmutable(file, false);
    return undefined;
  } catch (error) {
    return `no file can be made immutable here: ${(error as Error).message}`;
  } finally {
    rmSync(file, { force: true });
  }
}

function fill(file: string): void {
  const descriptor = openSync(file, 'a');
  try {
    for (const size of [65_536, 4096]) writeUntilFull(descriptor, Buffer.alloc(size));
  } finally {
    closeSync(descriptor);
  }
}

function writeUntilFull(descriptor: number, block: Buffer): void {
  try {
    while (writeSync(descriptor, block) === block.length);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

/** @returns why it failed. */
function run(command: string, ...args: string[]): string | undefined {
  const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}
