import type { Randomness } from './clock.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** 96 unpredictable bits as 16 characters of base64url: for blocks, privacy settings, writers and message ids. */
export function newNonce(randomness: Randomness): string {
  let nonce = ''
  for (const byte of randomness.bytes(16)) nonce += alphabet[byte & 63]
  return nonce
}

/** A Yjs client id: 32 unpredictable bits, as Yjs makes them itself. Never 0. */
export function newClientId(randomness: Randomness): number {
  const bytes = randomness.bytes(4)
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) || 1
}
