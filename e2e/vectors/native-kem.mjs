import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

/**
 * X-Wing (draft-connolly-cfrg-xwing-kem) from a platform's own ML-KEM-768, X25519, SHAKE and SHA-3: an implementation that shares no
 * code with ours. Needs Node 24.7 or newer, whose WebCrypto has ML-KEM. Run with such a Node, it writes the known answers again:
 *
 *   path/to/node24 e2e/vectors/native-kem.mjs
 *
 * and with `answer` it answers one request on its standard input (see known-answers.test.ts).
 */

const { subtle } = globalThis.crypto;
const LABEL = Buffer.from('5c2e2f2f5e5c', 'hex');
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const KEM = 'ML-KEM-768';

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

async function decapsulate(seed, ciphertext) {
  const { kem, scalar, publicKey } = await keysFrom(seed);
  const [forKem, point] = [ciphertext.subarray(0, 1088), ciphertext.subarray(1088)];
  const shared = Buffer.from(await subtle.decapsulateBits(KEM, kem, forKem));
  return combine(shared, await x25519(scalar, point), point, publicKey);
}

async function encapsulate(publicKey, scalar) {
  const kem = await subtle.importKey('raw-public', publicKey.subarray(0, 1184), KEM, true, ['encapsulateBits']);
  const { sharedKey, ciphertext } = await subtle.encapsulateBits(KEM, kem);
  const point = await x25519(scalar);
  const shared = await x25519(scalar, publicKey.subarray(1184));
  return {
    ciphertext: Buffer.concat([Buffer.from(ciphertext), point]),
    sharedSecret: combine(Buffer.from(sharedKey), shared, point, publicKey),
  };
}

/** Both ways, X-Wing and ML-KEM alone: what was sealed for a seed is opened, and something is sealed for a public key. */
async function answer({ seed, publicKey, ciphertext, kemSeed, kemPublicKey, kemCiphertext }) {
  const sealed = await encapsulate(publicKey, Buffer.from(globalThis.crypto.getRandomValues(new Uint8Array(32))));
  const kem = await subtle.importKey('raw-seed', kemSeed, KEM, true, ['decapsulateBits']);
  const theirKem = await subtle.importKey('raw-public', kemPublicKey, KEM, true, ['encapsulateBits']);
  const kemSealed = await subtle.encapsulateBits(KEM, theirKem);
  return {
    publicKey: (await keysFrom(seed)).publicKey,
    opened: await decapsulate(seed, ciphertext),
    ciphertext: sealed.ciphertext,
    sharedSecret: sealed.sharedSecret,
    kemOpened: Buffer.from(await subtle.decapsulateBits(KEM, kem, kemCiphertext)),
    kemCiphertext: Buffer.from(kemSealed.ciphertext),
    kemSharedSecret: Buffer.from(kemSealed.sharedKey),
  };
}

async function writeAnswers() {
  const answers = [];
  for (let i = 0; i < 4; i++) {
    const seed = createHash('sha256').update(`seed ${i}`).digest();
    const scalar = createHash('sha256').update(`scalar ${i}`).digest();
    const { publicKey } = await keysFrom(seed);
    const { ciphertext, sharedSecret } = await encapsulate(publicKey, scalar);
    answers.push(inHex({ seed, publicKey, ciphertext, sharedSecret }));
  }
  const file = new URL('../../packages/sdk/vectors/x-wing-openssl.json', import.meta.url);
  const about = `X-Wing by Node ${process.version} and its OpenSSL ${process.versions.openssl}, see e2e/vectors/native-kem.mjs.`;
  writeFileSync(file, `${JSON.stringify({ about, answers }, null, 2)}\n`);
}

const inHex = (fields) => Object.fromEntries(Object.entries(fields).map(([name, bytes]) => [name, bytes.toString('hex')]));
const fromHex = (fields) => Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, Buffer.from(text, 'hex')]));

if (process.argv[2] === 'answer') console.log(JSON.stringify(inHex(await answer(fromHex(JSON.parse(readFileSync(0, 'utf8')))))));
else await writeAnswers();
