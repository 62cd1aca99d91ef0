import { digest } from 'lib0/hash/sha256'
import * as Y from 'yjs'

/** Long enough that two documents never have the same digest by chance. */
export const documentDigestBytes = 16
/** If a document's entries and removals can be listed in this many bytes, it is compared by listing them, as in y-protocols. */
const mostNamedBytes = 32

/**
 * A digest of all entries and removals of a document: two documents with the same digest have the same content. `undefined` for
 * a document with so short a history that listing it costs hardly more.
 */
export function documentDigest(doc: Y.Doc): Uint8Array | undefined {
  // The state vector and the removed ranges, both in a fixed order, however the document was built.
  const summary = Y.encodeSnapshot(Y.snapshot(doc))
  return summary.length > mostNamedBytes ? digest(summary).slice(0, documentDigestBytes) : undefined
}
