import type { Bytes } from '../wire/index.ts';
import { damage } from './damage.ts';
import type { StoragePort, StoredValue } from './port.ts';

/** Keys as a storage keeps them: as they are, or, where it cannot, as bytes (RFC 8410 PKCS #8 for Ed25519, raw for AES). */

export async function portable(port: StoragePort, key: CryptoKey): Promise<StoredValue> {
  if (port.keepsCryptoKeys) return key;
  return new Uint8Array(await crypto.subtle.exportKey(key.type === 'private' ? 'pkcs8' : 'raw', key));
}

export async function importStorageKey(stored: StoredValue): Promise<CryptoKey> {
  if (!(stored instanceof Uint8Array)) return asKept(stored);
  return imported(() => crypto.subtle.importKey('raw', stored as Bytes, 'AES-GCM', false, ['encrypt', 'decrypt']));
}

export async function importIdentity(stored: StoredValue): Promise<CryptoKey> {
  if (!(stored instanceof Uint8Array)) return asKept(stored);
  return imported(() => crypto.subtle.importKey('pkcs8', stored as Bytes, 'Ed25519', false, ['sign']));
}

function asKept(stored: CryptoKey): CryptoKey {
  if (stored instanceof CryptoKey) return stored;
  throw damage('Something else is stored where a key belongs.');
}

async function imported(importing: () => Promise<CryptoKey>): Promise<CryptoKey> {
  try {
    return await importing();
  } catch (cause) {
    throw damage('A stored key does not open.', cause);
  }
}
