import { founderOf, mostRetired, type Retired, retiredOf } from '@kith/shared'
import * as Y from 'yjs'

/** What the server has had: the clock up to which it had each client, and whether this covers all clients. */
export interface Had {
  ends: Retired
  isAll: boolean
  /** Whether a device is filling the server with a refounded document: `retired` is sent last, and has not arrived. */
  isPart: boolean
}

/** Reads it from the server's document. */
export function hadBy(doc: Y.Doc): Had {
  const retired = retiredOf(doc)
  const ends = new Map([...retired, ...Y.decodeStateVector(Y.encodeStateVector(doc))])
  const isPart = retired.size === 0 && founderOf(doc.store.clients.keys()) !== 0
  return { ends, isAll: retired.size < mostRetired, isPart }
}
