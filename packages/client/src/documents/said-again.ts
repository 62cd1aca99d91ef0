import { type FieldValue, type KeyChange, sameValue } from '@kith/shared'
import * as Y from 'yjs'
import type { Original } from '../database/schema.ts'
import { isRemakingClientId } from '../nonce.ts'
import { keyName } from './lost.ts'
import type { OwnDocument } from './own-document.ts'

/** How far this device knew each client id when it last built the document upon a server's state: client id → clock. */
export type Known = ReadonlyMap<number, number>

/** How a document stood before it took something in. */
export interface Before {
  get(root: string, key: string): FieldValue | undefined
  vector: ReadonlyMap<number, number>
}

/**
 * What this device knows to be overwritten or removed, though the document no longer says so: entries that it knew and the
 * server lacked when the document was built upon the server's state. The later of two such times counts.
 */
export function knownBefore(own: OwnDocument, sent: number, earlier: Known = new Map()): Known {
  const known = new Map(earlier)
  for (const [client, clock] of vectorOf(own)) {
    // What this device never sent, another copy of its database may have written under the same ids.
    const end = client === own.clientId ? Math.min(clock, sent) : clock
    known.set(client, Math.max(known.get(client) ?? 0, end))
  }
  return known
}

export function standingOf(own: OwnDocument): Before {
  const values = new Map(own.roots.map(root => [root, new Map(own.standing.entries(root))]))
  return { get: (root, key) => values.get(root)?.get(key), vector: vectorOf(own) }
}

/** Whether an update may bring back entries that this device knew and the document lacks. */
export function mayBringBack(own: OwnDocument, known: Known, update: Uint8Array): boolean {
  const { to } = Y.parseUpdateMeta(update)
  const isKnown = (client: number): boolean => (known.get(client) ?? 0) > Y.getState(own.doc.store, client)
  return [...to.keys()].some(isKnown)
}

/**
 * The changes that say once more what stood before the document took in an entry which this device knew, and which it had
 * overwritten or removed since. Refused changes lie over such an entry anyway.
 */
export function saidAgain(
  own: OwnDocument,
  known: Known,
  before: Before,
  laidOver: readonly KeyChange[] = own.refused,
): KeyChange[] {
  const refused = new Set(laidOver.map(keyName))
  return own.roots.flatMap(root =>
    [...own.doc.getMap(root)._map].flatMap(([key, { id, deleted }]) => {
      const isBack =
        !deleted && id.clock < (known.get(id.client) ?? 0) && id.clock >= (before.vector.get(id.client) ?? 0)
      const value = before.get(root, key)
      const isSaid = !isBack || sameValue(own.standing.get(root, key), value) || refused.has(keyName({ root, key }))
      return isSaid ? [] : [{ root, key, value }]
    }),
  )
}

/**
 * The entries that stand in `merged` and not on the server, by key; those made again before keep their originals. A refused
 * change lies over the entry of its key, which so is not what it was made of.
 */
export function originalsIn(
  merged: OwnDocument,
  server: OwnDocument,
  laidOver: readonly KeyChange[],
  earlier: ReadonlyMap<string, Original> = new Map(),
): ReadonlyMap<string, Original> {
  const originals = new Map(earlier)
  const refused = new Set(laidOver.map(keyName))
  for (const root of merged.roots) {
    for (const [key, { id, deleted }] of merged.doc.getMap(root)._map) {
      const isThere = id.clock < Y.getState(server.doc.store, id.client)
      if (deleted || isThere || isRemakingClientId(id.client) || refused.has(keyName({ root, key }))) continue
      originals.set(keyName({ root, key }), { client: id.client, clock: id.clock })
    }
  }
  return originals
}

function vectorOf({ doc }: OwnDocument): Map<number, number> {
  return Y.decodeStateVector(Y.encodeStateVector(doc))
}
