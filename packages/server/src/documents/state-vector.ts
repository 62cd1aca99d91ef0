import { founderOf, isOfEarlier, retiredOf } from '@kith/shared'
import * as decoding from 'lib0/decoding'
import * as Y from 'yjs'
import type { StoredDocument } from './stored-document.ts'

/** A client and its clock take a byte each at least. */
const leastBytesPerClient = 2

/**
 * How many clients a state vector says that it names, without reading them. `Infinity` for what is none: it says more than
 * its bytes can hold, or nothing.
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
 * Whether a state vector belongs to another generation than a document, or may. False for malformed bytes: the answer refuses
 * them.
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
