import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a keyed hash stands for: one purpose cannot be confused with another. */
type Purpose = 'room' | 'token' | 'end token' | 'seat secret' | 'actor' | 'address';

/** Keyed hashes under the relay's pepper. Whoever gets the database alone can neither guess nor link what was hashed. */
export class Hasher {
  readonly #pepper: string | Buffer;

  constructor(pepper: string | Buffer) {
    this.#pepper = pepper;
  }

  /** 16 bytes as base64url: names a room, a seat or an address in the database and in the log. */
  name(purpose: Purpose, value: string): string {
    return this.#digest(purpose, value).subarray(0, 16).toString('base64url');
  }

  /** 32 bytes, to check a secret that is shown again. */
  secret(purpose: Purpose, value: string): Buffer {
    // Copied into Node's pool: it is kept as long as its room, and memory of its own costs several times its size.
    return Buffer.from(this.#digest(purpose, value));
  }

  #digest(purpose: Purpose, value: string): Buffer {
    return createHmac('sha256', this.#pepper).update(`${purpose}\0${value}`).digest();
  }
}

/** Compares two hashes without telling where they differ. */
export function sameHash(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

const pepperFile = (dataDir: string): string => join(dataDir, 'pepper');

export const hasKeptPepper = (dataDir: string): boolean => existsSync(pepperFile(dataDir));

/** The pepper kept in the data folder; made when there is none. */
export function keptPepper(dataDir: string): Buffer {
  const file = pepperFile(dataDir);
  mkdirSync(dataDir, { recursive: true });
  try {
    // "wx" fails when the file exists: of two processes starting at once, one makes it and both read it.
    writeFileSync(file, randomBytes(32), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const pepper = readFileSync(file);
  if (pepper.length !== 32) throw new Error(`the file ${file} does not hold a pepper of 32 bytes`);
  return pepper;
}
