import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/**
 * X-Wing (draft-connolly-cfrg-xwing-kem) from a platform's own ML-KEM-768, X25519, SHAKE and SHA-3: an implementation that shares no
 * code with ours. Needs Node 24.7 or newer, whose WebCrypto has ML-KEM. Run with such a Node, it writes the known answers again:
 *
 *   path/to/node24 e2e/vectors/native-kem.mjs
 */

const { subtle } = globalThis.crypto;
const LABEL = Buffer.from('5c2e2f2f5e5c', 'hex');
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const KEM = 'ML-KEM-768';

export async function hasNativeKem() {
  try {
    await subtle.generateKey(KEM, false, ['encapsulateBits', 'decapsulateBits']);
    return true;
  } catch {
    // An older platform: it says so by not knowing the name.
    return false;
  }
}

async function x25519(scalar, point) {
  const secret = await subtle.importKey('pkcs8', Buffer.concat([PKCS8, scalar]), 'X25519', false, ['deriveBits']);
  const base = Buffer.alloc(32);
  base[0] = 9;
  const publicKey = await subtle.importKey('raw', point ?? base, 'X25519', true, []);
  return Buffer.from(await subtle.deriveBits({ name: 'X25519', public: publicKey }, secret, 256));
}

async function keysFrom(seed) {
  const expanded = createHash('shake256', { outputLength: 96 }).update(seed).digest();
  const kem = await subtle.importKey('raw-seed', expanded.subarray(0, 64), KEM, true, ['decapsulateBits']);
  const kemPublic = await subtle.getPublicKey(kem, ['encapsulateBits']);
  const scalar = expanded.subarray(64);
  const publicKey = Buffer.concat([Buffer.from(await subtle.exportKey('raw-public', kemPublic)), await x25519(scalar)]);
  return { kem, kemPublic, scalar, publicKey };
}

const combine = (kem, shared, ciphertext, publicKey) =>
  createHash('sha3-256')
    .update(Buffer.concat([kem, shared, ciphertext, publicKey.subarray(1184), LABEL]))
    .digest();

export const nativePublicKey = async (seed) => (await keysFrom(seed)).publicKey;

export async function nativeDecapsulate(seed, ciphertext) {
  const { kem, scalar, publicKey } = await keysFrom(seed);
  const [forKem, point] = [ciphertext.subarray(0, 1088), ciphertext.subarray(1088)];
  const shared = Buffer.from(await subtle.decapsulateBits(KEM, kem, forKem));
  return combine(shared, await x25519(scalar, point), point, publicKey);
}

export async function nativeEncapsulate(publicKey, scalar) {
  const kem = await subtle.importKey('raw-public', publicKey.subarray(0, 1184), KEM, true, ['encapsulateBits']);
  const { sharedKey, ciphertext } = await subtle.encapsulateBits(KEM, kem);
  const point = await x25519(scalar);
  const shared = await x25519(scalar, publicKey.subarray(1184));
  return {
    ciphertext: Buffer.concat([Buffer.from(ciphertext), point]),
    sharedSecret: combine(Buffer.from(sharedKey), shared, point, publicKey),
  };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const answers = [];
  for (let i = 0; i < 4; i++) {
    const seed = createHash('sha256').update(`seed ${i}`).digest();
    const scalar = createHash('sha256').update(`scalar ${i}`).digest();
    const publicKey = await nativePublicKey(seed);
    const { ciphertext, sharedSecret } = await nativeEncapsulate(publicKey, scalar);
    answers.push(
      Object.fromEntries(Object.entries({ seed, publicKey, ciphertext, sharedSecret }).map(([k, v]) => [k, v.toString('hex')])),
    );
  }
  const file = new URL('../../packages/sdk/vectors/x-wing-openssl.json', import.meta.url);
  const about = `X-Wing by Node ${process.version} and its OpenSSL ${process.versions.openssl}, see e2e/vectors/native-kem.mjs.`;
  writeFileSync(file, `${JSON.stringify({ about, answers }, null, 2)}\n`);
}
