import { isFounder } from '@kith/shared'
import type { Randomness } from './clock.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** 96 unpredictable bits as 16 characters of base64url: for blocks, privacy settings, writers and message ids. */
export function newNonce(randomness: Randomness): string {
  let nonce = ''
  for (const byte of randomness.bytes(16)) nonce += alphabet[byte & 63]
  return nonce
}

/** Client ids below this are used for content that is made again because a server lost it; see `newRemakingClientId`. */
const firstOrdinaryClientId = 2 ** 26

/** A Yjs client id for a device's changes: 32 unpredictable bits, as Yjs itself makes them, but never a low one. */
export function newClientId(randomness: Randomness): number {
  const id = uint32(randomness)
  return id < firstOrdinaryClientId ? id + firstOrdinaryClientId : id
}

/** How far above the other ids the id of a rebuilt document is drawn: the largest range, and the smallest one that is used. */
const [mostAbove, leastAbove] = [2 ** 26, 2 ** 16]

/**
 * A client id for a document that is rebuilt on a server's state, which may lack entries of these clients. If such an entry
 * comes back, removed or not, the highest client id wins in Yjs; so the changes that this device makes from now on win. If
 * hardly any higher ids are left, any id is returned.
 */
export function newClientIdAbove(clients: Iterable<number>, randomness: Randomness): number {
  let highest = firstOrdinaryClientId - 1
  for (const client of clients) if (!isFounder(client)) highest = Math.max(highest, client)
  const left = 2 ** 32 - 1 - highest
  if (left < leastAbove) return newClientId(randomness)
  return highest + 1 + (uint32(randomness) % Math.min(mostAbove, left))
}

/**
 * A client id for content that is made again because the server lacks it. It is lower than the id of any device. Of concurrent
 * entries under one key, the highest client id wins in Yjs. So if the original comes back, or its removal by another device,
 * the original counts, and not the entry that was made again [D6].
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
