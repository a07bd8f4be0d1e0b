import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { library } from './ml-kem-library.ts';
import { platformMlKem } from './ml-kem-platform.ts';
import { randomBytes } from './random.ts';

const closed = expect.objectContaining({
  code: 'CLOSED',
  message: 'These keys were destroyed: nothing can be sealed or opened with them any more.',
});

const own = process.versions;
/** As if this were another Node: the older ones warn of their ML-KEM. */
const inNode = (node: string) => Object.defineProperty(process, 'versions', { value: { ...own, node } });

beforeEach(() => {
  vi.resetModules();
  inNode('26.0.0');
});
afterEach(() => {
  inNode(own.node);
  vi.unstubAllGlobals();
  vi.doUnmock('./ml-kem-platform.ts');
});

describe('ML-KEM of the platform', () => {
  /** A platform that has it, and says what it was asked. */
  function platform(change: Record<string, unknown> = {}) {
    const asked: unknown[][] = [];
    const told =
      (name: string, value: unknown) =>
      async (...values: unknown[]) => {
        asked.push([name, ...values]);
        return value;
      };
    const encapsulated = { sharedKey: Uint8Array.of(5, 5).buffer, ciphertext: Uint8Array.of(6).buffer };
    const subtle = {
      importKey: told('importKey', 'imported'),
      getPublicKey: told('getPublicKey', 'public'),
      exportKey: told('exportKey', Uint8Array.of(7, 7).buffer),
      encapsulateBits: told('encapsulateBits', encapsulated),
      decapsulateBits: told('decapsulateBits', Uint8Array.of(8).buffer),
      ...change,
    };
    vi.stubGlobal('crypto', { subtle });
    return asked;
  }

  it.each(['encapsulateBits', 'getPublicKey'])('is not taken where there is no %s', async (name) => {
    const asked = platform({ [name]: undefined });
    expect(await platformMlKem()).toBeUndefined();
    expect(asked).toEqual([]);
  });

  it('is taken from the first Node on that does not warn of it as an experiment', async () => {
    platform();
    const taken = async (node: string) => {
      inNode(node);
      return (await platformMlKem()) !== undefined;
    };
    expect(await Promise.all([taken('24.22.3'), taken('25.9.0')])).toEqual([false, false]);
    expect(await Promise.all([taken('26.0.0'), taken('26.12.1'), taken('100.0.0')])).toEqual([true, true, true]);
  });

  it('is not taken where its methods are without the algorithm', async () => {
    platform({ importKey: () => Promise.reject(new Error('no such algorithm')) });
    expect(await platformMlKem()).toBeUndefined();
  });

  it('is tried before it is taken, with a seed of the right size', async () => {
    const asked = platform();
    expect(await platformMlKem()).toBeDefined();
    expect(asked[0]).toEqual(['importKey', 'raw-seed', new Uint8Array(64), 'ML-KEM-768', false, ['decapsulateBits']]);
  });

  it('makes a key pair from a seed that nobody gets to see again, and opens with it until it is destroyed', async () => {
    const asked = platform();
    const kem = await platformMlKem();
    asked.length = 0;
    const seed = new Uint8Array(64).fill(3);
    const pair = await kem?.keyPair(seed);
    expect(asked).toEqual([
      ['importKey', 'raw-seed', seed, 'ML-KEM-768', false, ['decapsulateBits']],
      ['getPublicKey', 'imported', ['encapsulateBits']],
      ['exportKey', 'raw-public', 'public'],
    ]);
    expect(pair?.publicKey).toEqual(Uint8Array.of(7, 7));
    asked.length = 0;
    const ciphertext = new Uint8Array(1088).fill(4);
    expect(await pair?.decapsulate(ciphertext)).toEqual(Uint8Array.of(8));
    expect(asked).toEqual([['decapsulateBits', 'ML-KEM-768', 'imported', ciphertext]]);
    asked.length = 0;
    pair?.destroy();
    await expect(pair?.decapsulate(ciphertext)).rejects.toEqual(closed);
    expect(asked).toEqual([]);
  });

  it('seals for a public key', async () => {
    const asked = platform();
    const kem = await platformMlKem();
    asked.length = 0;
    const publicKey = new Uint8Array(1184).fill(3);
    const sealed = await kem?.encapsulate(publicKey, new Uint8Array(32));
    expect(sealed).toEqual({ ciphertext: Uint8Array.of(6), sharedSecret: Uint8Array.of(5, 5) });
    expect(asked).toEqual([
      ['importKey', 'raw-public', publicKey, 'ML-KEM-768', true, ['encapsulateBits']],
      ['encapsulateBits', 'ML-KEM-768', 'imported'],
    ]);
  });
});

describe('ML-KEM of a library', () => {
  it('gives both sides one secret, and opens nothing once its key was destroyed', async () => {
    const pair = await library.keyPair(randomBytes(64));
    const { ciphertext, sharedSecret } = await library.encapsulate(pair.publicKey, randomBytes(32));
    expect(await pair.decapsulate(ciphertext)).toEqual(sharedSecret);
    pair.destroy();
    await expect(pair.decapsulate(ciphertext)).rejects.toEqual(closed);
  });

  it('uses the randomness it is given', async () => {
    const { publicKey } = await library.keyPair(new Uint8Array(64).fill(1));
    const randomness = randomBytes(32);
    const [one, two] = [
      await library.encapsulate(publicKey, randomness.slice()),
      await library.encapsulate(publicKey, randomness),
    ];
    expect(one).toEqual(two);
  });
});

describe('the ML-KEM that is used', () => {
  const withPlatform = async (platform: () => Promise<unknown>) => {
    vi.doMock('./ml-kem-platform.ts', () => ({ platformMlKem: platform }));
    return import('./ml-kem.ts');
  };

  it('is the platform’s where it has one, asked for once', async () => {
    const own = { keyPair: vi.fn(), encapsulate: vi.fn() };
    const platform = vi.fn(async () => own);
    const { mlKem } = await withPlatform(platform);
    expect(await mlKem()).toBe(own);
    expect(await mlKem()).toBe(own);
    expect(platform).toHaveBeenCalledOnce();
  });

  it('is the library elsewhere', async () => {
    const { mlKem, libraryMlKem } = await withPlatform(async () => undefined);
    expect(await mlKem()).toBe(await libraryMlKem());
  });

  it('is asked for again when it did not arrive', async () => {
    const own = { keyPair: vi.fn(), encapsulate: vi.fn() };
    const platform = vi.fn(async (): Promise<unknown> => own);
    platform.mockRejectedValueOnce(new Error('no network'));
    const { mlKem } = await withPlatform(platform);
    await expect(mlKem()).rejects.toThrow('no network');
    expect(await mlKem()).toBe(own);
    expect(platform).toHaveBeenCalledTimes(2);
  });
});
