import * as Y from 'yjs'
import type { StoredDocument } from './stored-document.ts'

/** Updates of one document, in the encoding of the wire or in that of the disk. */
export type Updates = { v1: readonly Uint8Array[] } | { v2: readonly Uint8Array[] }

export function bytesOf(updates: Updates): number {
  const all = 'v1' in updates ? updates.v1 : updates.v2
  return all.reduce((sum, update) => sum + update.length, 0)
}

/**
 * Returns the content that updates added to a document, as it is now. Content that was overwritten since is not included [V5].
 */
export function newestOf({ doc }: StoredDocument, updates: Updates): Uint8Array {
  const clocks = Y.decodeStateVector(Y.encodeStateVector(doc))
  const metas =
    'v1' in updates
      ? updates.v1.map(update => Y.parseUpdateMeta(update))
      : updates.v2.map(update => Y.parseUpdateMetaV2(update))
  for (const { from } of metas) {
    for (const [client, clock] of from) clocks.set(client, Math.min(clocks.get(client) ?? 0, clock))
  }
  return Y.encodeStateAsUpdate(doc, Y.encodeStateVector(clocks))
}

/** Returns the content of a document that a device lacks, or `undefined` if the state vector is malformed. */
export function missingFrom({ doc }: StoredDocument, stateVector: Uint8Array): Uint8Array | undefined {
  try {
    return Y.encodeStateAsUpdate(doc, stateVector)
  } catch {
    // The only input is the vector. If it is malformed, that is the sender's mistake, and the sender gets the error.
    return undefined
  }
}
