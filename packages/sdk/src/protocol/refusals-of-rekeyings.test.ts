import { describe, expect, it } from 'vitest';
import { type Bytes, concat, Reader, Writer } from '../wire/index.ts';
import { oneFlightSource } from './one-flight-source.fixture.ts';
import { randomBytes } from './random.ts';
import { beginsRekeying, Rekeying, type RekeyingOptions } from './rekeying.ts';

/** Every refusal of a rekeying. Its payloads travel in the pairwise channel: what comes is the peer's, and may still be wrong. */

const policy = { required: true, source: 'bb84', pulses: 64, threshold: 0.11 } as const;
const secret = randomBytes(32);

const options = (role: 'a' | 'b'): RekeyingOptions => ({
  role,
  epoch: 5,
  secret,
  agreement: { own: policy, theirs: policy },
  keySource: oneFlightSource(),
  onStage: () => undefined,
});

const KIND = { r1: 1, r2: 2, flight: 3, confirm: 4 } as const;
const section = (kind: number, content: Uint8Array): Bytes => new Writer().u8(kind).variable(content).bytes();

function sections(payload: Uint8Array): { kind: number; content: Bytes }[] {
  const reader = new Reader(payload);
  const found: { kind: number; content: Bytes }[] = [];
  while (reader.remaining > 0) found.push({ kind: reader.u8(), content: reader.variable().slice() });
  return found;
}

/** The section of one kind in a payload, as it travels. */
function only(payload: Bytes | undefined, kind: number): Bytes {
  const found = sections(payload as Bytes).find((each) => each.kind === kind);
  if (!found) throw new Error(`no section of kind ${kind}`);
  return section(kind, found.content);
}

/** A that sent R1, and B that answered it. */
async function begun(full = false) {
  const a = await Rekeying.initiate(options('a'), full);
  const b = await Rekeying.respond(options('b'), a.payload);
  return { a: a.rekeying, r1: a.payload, b: b.rekeying, answer: b.step.payload as Bytes, atB: b.step.result };
}

const refusal = (message: string, code = 'HANDSHAKE_FAILED') =>
  expect.objectContaining({ code, message: expect.stringContaining(message) });

describe('a rekeying begins', () => {
  it.each<[string, (r1: Bytes) => Bytes, ReturnType<typeof refusal>]>([
    ['with R2', (r1) => concat(section(KIND.r2, randomBytes(1120)), r1), refusal('has to begin with R1')],
    ['with a flight', () => section(KIND.flight, randomBytes(40)), refusal('has to begin with R1')],
    ['with an unknown section', () => section(9, randomBytes(3)), refusal('has to begin with R1')],
    ['with nothing', () => new Uint8Array(0), refusal('has to begin with R1')],
    ['for the epoch before the next', (r1) => epoch(r1, 4), refusal('begins pair epoch 4; the next one is 5')],
    ['for the epoch after the next', (r1) => epoch(r1, 6), refusal('begins pair epoch 6; the next one is 5')],
    ['neither light nor full, but 2', (r1) => full(r1, 2), refusal('unknown values in R1', 'INVALID_ARGUMENT')],
    ['neither light nor full, but 255', (r1) => full(r1, 255), refusal('unknown values in R1', 'INVALID_ARGUMENT')],
    ['with a section behind it', (r1) => concat(r1, section(KIND.confirm, randomBytes(32))), refusal('appended to R1')],
    ['twice', (r1) => concat(r1, r1), refusal('appended to R1')],
    ['with a byte behind it', (r1) => concat(r1, Uint8Array.of(2)), refusal('truncated', 'INVALID_ARGUMENT')],
    ['with a key cut short', (r1) => section(KIND.r1, r1.slice(5, -1)), refusal('a public key of 1215 bytes')],
    ['with a key too long', (r1) => section(KIND.r1, concat(r1.slice(5), randomBytes(1))), refusal('a public key of 1217 bytes')],
  ])('not %s', async (_, forge, expected) => {
    const { payload } = await Rekeying.initiate(options('a'), false);
    await expect(Rekeying.respond(options('b'), forge(payload))).rejects.toEqual(expected);
    await expect(Rekeying.respond(options('b'), payload)).resolves.toBeDefined();
  });
});

describe('A refuses', () => {
  it.each<[string, (answer: Bytes, r1: Bytes) => Bytes, ReturnType<typeof refusal>]>([
    ['R1 of the other side in the middle', (_, r1) => r1, refusal('R1 came in the middle')],
    ['an unknown section', () => section(9, randomBytes(3)), refusal('R1 came in the middle')],
    ['a confirmation before R2', (answer) => only(answer, KIND.confirm), refusal('A confirmation came out of turn')],
    ['a flight before R2', () => section(KIND.flight, randomBytes(40)), refusal('A flight came out of turn')],
    ['R2 cut short', () => section(KIND.r2, randomBytes(1119)), refusal('a ciphertext of 1119 bytes')],
  ])('%s, and goes on with the genuine answer', async (_, forge, expected) => {
    const { a, b, r1, answer } = await begun();
    await expect(a.receive(forge(answer, r1))).rejects.toEqual(expected);
    const { payload, result } = await a.receive(answer);
    expect(result?.epoch).toBe(5);
    await expect(b.receive(payload as Bytes)).resolves.toMatchObject({ confirmed: true });
  });

  it('a second R2: the root of the first one stays', async () => {
    const { a, answer, atB } = await begun();
    const other = await Rekeying.respond(options('b'), (await Rekeying.initiate(options('a'), false)).payload);
    const r2 = only(answer, KIND.r2);
    await a.receive(r2);
    for (const second of [r2, only(other.step.payload, KIND.r2)])
      await expect(a.receive(second)).rejects.toEqual(refusal('R2 came out of turn'));
    const { result } = await a.receive(only(answer, KIND.confirm));
    expect(result?.root).toEqual(atB?.root);
  });

  it('a flight in a light rekeying, which has none', async () => {
    const { a, answer } = await begun();
    await a.receive(only(answer, KIND.r2));
    await expect(a.receive(section(KIND.flight, randomBytes(40)))).rejects.toEqual(refusal('A flight came out of turn'));
  });

  it('a confirmation of another root, and goes on with the right one', async () => {
    const { a, answer } = await begun();
    await a.receive(only(answer, KIND.r2));
    const wrong = section(KIND.confirm, randomBytes(32));
    await expect(a.receive(wrong)).rejects.toEqual(refusal('ended with another root'));
    await expect(a.receive(only(answer, KIND.confirm))).resolves.toMatchObject({ confirmed: true });
  });

  it('its own confirmation, sent back to it', async () => {
    const { a, b, answer } = await begun();
    const { payload } = await a.receive(answer);
    await expect(a.receive(payload as Bytes)).rejects.toEqual(refusal('ended with another root'));
    await expect(b.receive(payload as Bytes)).resolves.toMatchObject({ confirmed: true });
  });

  it('a confirmation before the key agreement of a full rekeying is finished', async () => {
    const { a, answer } = await begun(true);
    await a.receive(answer);
    await expect(a.receive(section(KIND.confirm, randomBytes(32)))).rejects.toEqual(refusal('confirmation came out of turn'));
  });
});

describe('B refuses', () => {
  it.each<[string, (answer: Bytes, r1: Bytes) => Bytes, ReturnType<typeof refusal>]>([
    ['a second R1', (_, r1) => r1, refusal('R1 came in the middle')],
    ['R2, which only A takes', (answer) => only(answer, KIND.r2), refusal('R2 came out of turn')],
    ['its own confirmation, sent back to it', (answer) => only(answer, KIND.confirm), refusal('ended with another root')],
    ['a confirmation without a byte', () => section(KIND.confirm, new Uint8Array(0)), refusal('ended with another root')],
    ['a flight in a light rekeying', () => section(KIND.flight, randomBytes(40)), refusal('A flight came out of turn')],
  ])('%s, and takes the confirmation of A afterwards', async (_, forge, expected) => {
    const { a, b, r1, answer } = await begun();
    await expect(b.receive(forge(answer, r1))).rejects.toEqual(expected);
    const { payload } = await a.receive(answer);
    await expect(b.receive(payload as Bytes)).resolves.toMatchObject({ confirmed: true });
  });

  it('a confirmation before the key agreement of a full rekeying is finished', async () => {
    const { b } = await begun(true);
    await expect(b.receive(section(KIND.confirm, randomBytes(32)))).rejects.toEqual(refusal('confirmation came out of turn'));
  });
});

describe('the steps of a rekeying', () => {
  it('tell B of the root with its answer and A with the confirmation, each once', async () => {
    const begun = await Rekeying.initiate(options('a'), false);
    const answered = await Rekeying.respond(options('b'), begun.payload);
    expect(Object.keys(answered.step)).toEqual(['payload', 'result']);
    const r2 = await begun.rekeying.receive(only(answered.step.payload, KIND.r2));
    expect(r2).toEqual({});
    const atA = await begun.rekeying.receive(only(answered.step.payload, KIND.confirm));
    expect(Object.keys(atA)).toEqual(['payload', 'result', 'confirmed']);
    expect(atA.result).toEqual(answered.step.result);
    expect(await answered.rekeying.receive(atA.payload as Bytes)).toEqual({ confirmed: true });
  });

  it('of a full one do so once its agreement is finished', async () => {
    const { a, answer, atB, b } = await begun(true);
    expect(atB).toBeUndefined();
    expect(sections(answer).map(({ kind }) => kind)).toEqual([KIND.r2]);
    const pulses = await a.receive(answer);
    expect(Object.keys(pulses)).toEqual(['payload']);
    const finished = await b.receive(pulses.payload as Bytes);
    expect(sections(finished.payload as Bytes).map(({ kind }) => kind)).toEqual([KIND.flight, KIND.confirm]);
    expect(Object.keys(finished)).toEqual(['payload', 'result']);
    const atA = await a.receive(finished.payload as Bytes);
    expect(atA.result).toEqual(finished.result);
    expect(atA.result).toMatchObject({ epoch: 5, report: {}, refusal: undefined });
    expect(await b.receive(atA.payload as Bytes)).toEqual({ confirmed: true });
  });

  it('are told from the payload that begins another one', async () => {
    const { r1, answer } = await begun();
    expect(beginsRekeying(r1)).toBe(true);
    expect(beginsRekeying(answer)).toBe(false);
    for (const kind of [KIND.flight, KIND.confirm]) expect(beginsRekeying(section(kind, randomBytes(32)))).toBe(false);
  });
});

/** R1 with another value in the place of light or full. */
function full(payload: Bytes, value: number): Bytes {
  const content = payload.slice(5);
  content[4] = value;
  return section(KIND.r1, content);
}

/** R1 for another epoch. */
function epoch(payload: Bytes, value: number): Bytes {
  const content = payload.slice(5);
  new DataView(content.buffer).setUint32(0, value);
  return section(KIND.r1, content);
}
