import { founderOf, isOfEarlier, retiredOf } from '@kith/shared'
import * as decoding from 'lib0/decoding'
import * as Y from 'yjs'
import type { StoredDocument } from './stored-document.ts'

/** A client and its clock take at least one byte each. */
const leastBytesPerClient = 2

/**
 * Returns the number of clients that a state vector claims to contain, without reading them. Returns `Infinity` for malformed
 * bytes, that is, if the number is missing or larger than the bytes can hold.
 */
export function clientsNamed(stateVector: Uint8Array): number {
  try {
    const count = decoding.readVarUint(decoding.createDecoder(stateVector))
    return count * leastBytesPerClient < stateVector.length ? count : Number.POSITIVE_INFINITY
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

/**
 * Whether a state vector belongs, or may belong, to another generation than a document. False for malformed bytes, which are
 * refused when they are answered.
 */
export function isOfOther({ doc, founder }: StoredDocument, stateVector: Uint8Array): boolean {
  const clients = clientsOf(stateVector)
  const theirs = founderOf(clients)
  if (theirs === founder) return false
  return theirs > 0 ? doc.store.clients.size > 0 : isOfEarlier(retiredOf(doc), clients)
}

function clientsOf(stateVector: Uint8Array): number[] {
  try {
    return [...Y.decodeStateVector(stateVector).keys()]
  } catch {
    return []
  }
}
