import { isFounder } from '@kith/shared'
import type { Randomness } from './clock.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** 96 unpredictable bits as 16 characters of base64url: for blocks, privacy settings, writers and message ids. */
export function newNonce(randomness: Randomness): string {
  let nonce = ''
  for (const byte of randomness.bytes(16)) nonce += alphabet[byte & 63]
  return nonce
}

/** Client ids below this make content again that a server has lost; see `newRemakingClientId`. */
const firstOrdinaryClientId = 2 ** 26

/** A Yjs client id for what a device writes: 32 unpredictable bits, as Yjs makes them itself, but never a low one. */
export function newClientId(randomness: Randomness): number {
  const id = uint32(randomness)
  return id < firstOrdinaryClientId ? id + firstOrdinaryClientId : id
}

/** As far above the others the id of a rebuilt document is drawn at most, and from so many ids at least. */
const [mostAbove, leastAbove] = [2 ** 26, 2 ** 16]

/**
 * A client id for a document that is built upon a server's state which may lack entries of these clients. Where such an
 * entry comes back, removed or not, Yjs lets the highest client id count, and so what this device writes from here on. When
 * hardly any ids are left above, any id is returned.
 */
export function newClientIdAbove(clients: Iterable<number>, randomness: Randomness): number {
  let highest = firstOrdinaryClientId - 1
  for (const client of clients) if (!isFounder(client)) highest = Math.max(highest, client)
  const left = 2 ** 32 - 1 - highest
  if (left < leastAbove) return newClientId(randomness)
  return highest + 1 + (uint32(randomness) % Math.min(mostAbove, left))
}

/**
 * A client id for content that is made again because the server lacks it. It is lower than that of any device: of
 * concurrent entries under one key Yjs lets the highest client id win, so wherever the original turns up, or its removal by
 * another device, that counts, and not what was made again [D6].
 */
export function newRemakingClientId(randomness: Randomness): number {
  return uint32(randomness) % firstOrdinaryClientId || 1
}

export function isRemakingClientId(id: number): boolean {
  return id < firstOrdinaryClientId
}

function uint32(randomness: Randomness): number {
  const bytes = randomness.bytes(4)
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0)
}
