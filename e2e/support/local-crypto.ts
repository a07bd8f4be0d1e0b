import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';

/**
 * The operations of WebCrypto that the SDK needs, by the same OpenSSL, on this thread: an operation on a thread of its own costs several
 * times what it computes, and its end comes when it likes.
 */

const TAG_BYTES = 16;
const OKP_BYTES = 32;
/** Public keys that are read, and signatures that are checked, once: one room after the other shows them to each of its members. */
const MAX_KNOWN = 4_096;

interface LocalKey extends CryptoKey {
  /** Of AES-GCM the 32 bytes. */
  material: KeyObject | Uint8Array;
}

interface GcmParams {
  iv: Uint8Array;
  additionalData: Uint8Array;
}

type Given = string | { name: string };

/** A `CryptoKey` to whoever asks, with what it is about as its own properties. */
function keyOf(type: KeyType, material: LocalKey['material'], extractable: boolean): CryptoKey {
  const key = Object.create(CryptoKey.prototype, { type: { value: type }, extractable: { value: extractable } });
  return Object.defineProperty(key, 'material', { value: material });
}

const serials = new WeakMap<KeyObject, number>();
let last = 0;

function serialOf(key: KeyObject): number {
  const serial = serials.get(key) ?? ++last;
  serials.set(key, serial);
  return serial;
}

const materialOf = (key: CryptoKey) => (key as LocalKey).material;
const pairKey = (key: CryptoKey) => materialOf(key) as KeyObject;
const secretKey = (key: CryptoKey) => materialOf(key) as Uint8Array;

const nameOf = (algorithm: Given): string => (typeof algorithm === 'string' ? algorithm : algorithm.name);

const copyOf = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer;

/** What `compute` gives for a name, computed once. */
function once<T>(known: Map<string, T>, name: string, compute: () => T): T {
  const value = known.get(name) ?? compute();
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(name, value);
  return value;
}

const keys = new Map<string, CryptoKey>();
const verdicts = new Map<string, boolean>();

function accepts(key: KeyObject, signature: Uint8Array, message: Uint8Array): boolean {
  const name = `${serialOf(key)} ${Buffer.from(signature).toString('latin1')} ${Buffer.from(message).toString('latin1')}`;
  return once(verdicts, name, () => verify(null, message, key, signature));
}

function publicKey(crv: string, raw: Uint8Array): CryptoKey {
  if (raw.length !== OKP_BYTES) throw new DOMException('Invalid key length', 'DataError');
  const x = Buffer.from(raw).toString('base64url');
  const read = () => keyOf('public', createPublicKey({ key: { kty: 'OKP', crv, x }, format: 'jwk' }), true);
  return once(keys, `${crv} ${x}`, read);
}

/** Not as a JWK, which has the public half, too: newer ones of Node look whether that belongs to it. */
function privateKey(pkcs8: Uint8Array, extractable: boolean): CryptoKey {
  return keyOf('private', createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' }), extractable);
}

const OPERATIONS = {
  importKey(format: string, bytes: Uint8Array, algorithm: Given, extractable: boolean): CryptoKey {
    const name = nameOf(algorithm);
    if (name === 'AES-GCM') return keyOf('secret', bytes.slice(), extractable);
    return format === 'raw' ? publicKey(name, bytes) : privateKey(bytes, extractable);
  },
  exportKey(format: string, key: CryptoKey): ArrayBuffer {
    if (!key.extractable) throw new DOMException('key is not extractable', 'InvalidAccessError');
    if (key.type === 'secret') return copyOf(secretKey(key));
    if (format === 'pkcs8') return copyOf(pairKey(key).export({ format: 'der', type: 'pkcs8' }));
    return copyOf(Buffer.from(pairKey(key).export({ format: 'jwk' }).x as string, 'base64url'));
  },
  generateKey(algorithm: Given, extractable: boolean): CryptoKey | CryptoKeyPair {
    if (nameOf(algorithm) === 'AES-GCM') return keyOf('secret', crypto.getRandomValues(new Uint8Array(32)), extractable);
    const pair = generateKeyPairSync('ed25519');
    return { privateKey: keyOf('private', pair.privateKey, extractable), publicKey: keyOf('public', pair.publicKey, true) };
  },
  sign: (_: Given, key: CryptoKey, message: Uint8Array): ArrayBuffer => copyOf(sign(null, message, pairKey(key))),
  verify: (_: Given, key: CryptoKey, signature: Uint8Array, message: Uint8Array): boolean =>
    accepts(pairKey(key), signature, message),
  /** A zero result means a point of low order: OpenSSL refuses it as WebCrypto does. */
  deriveBits: ({ public: point }: { public: CryptoKey }, key: CryptoKey): ArrayBuffer =>
    copyOf(diffieHellman({ privateKey: pairKey(key), publicKey: pairKey(point) })),
  digest: (_: Given, data: Uint8Array): ArrayBuffer => copyOf(createHash('sha256').update(data).digest()),
  encrypt({ iv, additionalData }: GcmParams, key: CryptoKey, plaintext: Uint8Array): ArrayBuffer {
    const cipher = createCipheriv('aes-256-gcm', secretKey(key), iv).setAAD(additionalData);
    return copyOf(Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
  },
  decrypt({ iv, additionalData }: GcmParams, key: CryptoKey, box: Uint8Array): ArrayBuffer {
    if (box.length < TAG_BYTES) throw new DOMException('The provided data is too small.', 'OperationError');
    const decipher = createDecipheriv('aes-256-gcm', secretKey(key), iv).setAAD(additionalData);
    decipher.setAuthTag(box.subarray(-TAG_BYTES));
    return copyOf(Buffer.concat([decipher.update(box.subarray(0, -TAG_BYTES)), decipher.final()]));
  },
};

/** What takes the place of the operations of `crypto.subtle`, by their names. */
export const localCrypto = Object.entries(OPERATIONS).map(([name, operation]) => {
  const local = async (...values: never[]) => (operation as (...values: never[]) => unknown)(...values);
  return [name as keyof typeof OPERATIONS, local] as const;
});

/** What takes the place of `KeyObject.from` for those keys. */
export const localKeyObject = (key: CryptoKey): KeyObject => pairKey(key);

/** What takes the place of `crypto.verify` with a callback, which would check on a thread of its own. */
export function localVerify(
  _: null,
  message: Uint8Array,
  key: KeyObject,
  signature: Uint8Array,
  callback: (error: Error | null, valid: boolean) => void,
): void {
  const valid = accepts(key, signature, message);
  queueMicrotask(() => callback(null, valid));
}
