import { createCipheriv, createDecipheriv, createHash, randomBytes, randomInt } from 'node:crypto';

/**
 * A small model of the exchange that this project was asked to re-create: photons, bases and measured bits pass the relay in clear, the
 * receiver takes the sender's bits, and privacy amplification has a constant seed and a linear congruential generator. And the relay
 * that computes the room's key from what passes through it.
 */

export type SeedEvent =
  | { event: 'photons'; bits: number[]; bases: number[] }
  | { event: 'client-bases'; bases: number[] }
  | { event: 'room-key'; nonce: string; box: string }
  | { event: 'message'; nonce: string; box: string };

const PHOTONS = 4096;
const KEY_BYTES = 32;
/** Every run amplifies with the same one. */
const AMPLIFICATION_SEED = 0x5eed;

const coins = (count: number): number[] => Array.from({ length: count }, () => randomInt(2));

const sift = (bits: readonly number[], alice: readonly number[], bob: readonly number[]): number[] =>
  bits.filter((_, i) => alice[i] === bob[i]);

function amplify(sifted: readonly number[]): Buffer {
  let state = AMPLIFICATION_SEED;
  const next = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 16) & 1;
  };
  const out = Buffer.alloc(KEY_BYTES);
  for (let bit = 0; bit < 8 * KEY_BYTES; bit++) {
    let parity = 0;
    for (const value of sifted) parity ^= value & next();
    out[bit >> 3] = (out[bit >> 3] ?? 0) | (parity << (bit & 7));
  }
  return createHash('sha256').update(out).digest();
}

function seal(key: Buffer, text: Buffer): { nonce: string; box: string } {
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const box = Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  return { nonce: nonce.toString('base64'), box: box.toString('base64') };
}

function open(key: Buffer, { nonce, box }: { nonce: string; box: string }): Buffer {
  const bytes = Buffer.from(box, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64')).setAuthTag(bytes.subarray(-16));
  return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]);
}

/** Two members agree a key and one writes; returns everything that passed the relay. */
export function converseAsTheSeed(text: string): SeedEvent[] {
  const relay: SeedEvent[] = [];
  const [bits, bases, bobs] = [coins(PHOTONS), coins(PHOTONS), coins(PHOTONS)];
  relay.push({ event: 'photons', bits, bases });
  relay.push({ event: 'client-bases', bases: bobs });
  const sessionKey = amplify(sift(bits, bases, bobs));
  const roomKey = randomBytes(KEY_BYTES);
  relay.push({ event: 'room-key', ...seal(sessionKey, roomKey) });
  relay.push({ event: 'message', ...seal(roomKey, Buffer.from(text)) });
  return relay;
}

/** What a relay reads that only looks at what passes through it. */
export function readAsTheRelay(passed: readonly SeedEvent[]): string[] {
  const find = <E extends SeedEvent['event']>(event: E) =>
    passed.filter((each): each is Extract<SeedEvent, { event: E }> => each.event === event);
  const [photons, measured, sealedKey] = [find('photons')[0], find('client-bases')[0], find('room-key')[0]];
  if (!photons || !measured || !sealedKey) return [];
  const roomKey = open(amplify(sift(photons.bits, photons.bases, measured.bases)), sealedKey);
  return find('message').map((message) => open(roomKey, message).toString());
}
