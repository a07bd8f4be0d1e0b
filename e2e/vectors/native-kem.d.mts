export function hasNativeKem(): Promise<boolean>;
export function nativePublicKey(seed: Uint8Array): Promise<Buffer>;
export function nativeDecapsulate(seed: Uint8Array, ciphertext: Buffer): Promise<Buffer>;
export function nativeEncapsulate(
  publicKey: Buffer,
  scalar: Uint8Array,
): Promise<{ ciphertext: Buffer<ArrayBuffer>; sharedSecret: Buffer }>;
