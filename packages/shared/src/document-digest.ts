import { digest } from 'lib0/hash/sha256'
import * as Y from 'yjs'

/** Enough that no two documents have the same digest by chance. */
export const documentDigestBytes = 16
/** A document whose entries and removals take no more to name is compared by naming them, as y-protocols does. */
const mostNamedBytes = 32

/**
 * A digest of all entries and removals of a document: two documents with the same digest hold the same. `undefined` for a
 * document with so short a history that naming it costs hardly more.
 */
export function documentDigest(doc: Y.Doc): Uint8Array | undefined {
  // The state vector and the removed ranges, both in a fixed order, however the document came about.
  const summary = Y.encodeSnapshot(Y.snapshot(doc))
  return summary.length > mostNamedBytes ? digest(summary).slice(0, documentDigestBytes) : undefined
}
