import { mostRetired, type Retired, retiredOf } from '@kith/shared'
import * as Y from 'yjs'

/** What the server has had: the clock up to which it had each client, and whether this covers all clients. */
export interface Had {
  ends: Retired
  isAll: boolean
}

/** Reads it from the server's document. */
export function hadBy(doc: Y.Doc): Had {
  const retired = retiredOf(doc)
  const ends = new Map([...retired, ...Y.decodeStateVector(Y.encodeStateVector(doc))])
  return { ends, isAll: retired.size < mostRetired }
}
