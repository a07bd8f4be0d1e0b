import { describe, expect, it } from 'vitest';
import { equalBytes, utf8 } from '../wire/index.ts';
import { expandLabel, extract, hash, mac } from './key-schedule.ts';
import { encapsulate, generateKeyPair } from './x-wing.ts';

const fromHex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));

describe('key schedule', () => {
  it('extracts as RFC 5869, test case 1, does', () => {
    const prk = extract(fromHex('000102030405060708090a0b0c'), fromHex('0b'.repeat(22)));
    expect(prk).toEqual(fromHex('077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5'));
  });

  it('hashes and authenticates as FIPS 180-4 and RFC 4231 do', () => {
    expect(hash(utf8('a'), utf8('bc'))).toEqual(fromHex('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'));
    expect(mac(utf8('Jefe'), utf8('what do ya want for nothing?'))).toEqual(
      fromHex('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'),
    );
  });

  it('separates labels, contexts and lengths', () => {
    const secret = new Uint8Array(32).fill(7);
    const outputs = [
      expandLabel(secret, 'a', utf8('x')),
      expandLabel(secret, 'b', utf8('x')),
      expandLabel(secret, 'a', utf8('y')),
      expandLabel(secret, 'a', utf8('x'), 33).slice(0, 32),
    ];
    for (const one of outputs) for (const other of outputs) expect(equalBytes(one, other)).toBe(one === other);
  });
});

describe('X-Wing', () => {
  it('gives both sides one secret, and another one for a changed ciphertext', async () => {
    const pair = await generateKeyPair();
    const { ciphertext, sharedSecret } = await encapsulate(pair.publicKey);
    expect(await pair.decapsulate(ciphertext)).toEqual(sharedSecret);

    const other = await generateKeyPair();
    const sealed = await encapsulate(other.publicKey);
    sealed.ciphertext[0] = (sealed.ciphertext[0] as number) ^ 1;
    expect(await other.decapsulate(sealed.ciphertext)).not.toEqual(sealed.sharedSecret);
  });

  it('refuses keys of a wrong size, unreduced keys and low-order points', async () => {
    const { publicKey } = await generateKeyPair();
    await expect(encapsulate(publicKey.subarray(1))).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
    const unreduced = publicKey.slice();
    unreduced.fill(0xff, 0, 3);
    await expect(encapsulate(unreduced)).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
    const lowOrder = publicKey.slice();
    lowOrder.fill(0, 1184);
    await expect(encapsulate(lowOrder)).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
  });
});
