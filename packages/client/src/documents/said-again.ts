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
  /** Whether what stood had been made again. */
  isRemade(root: string, key: string): boolean
  vector: ReadonlyMap<number, number>
}

/** Of the entries that were made again, the originals: `root key` → their Yjs id. */
export type Originals = ReadonlyMap<string, Original>

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
  const isOfRemade = ([, { id }]: [string, Y.Item]): boolean => isRemakingClientId(id.client)
  const remade = new Map(
    own.roots.map(root => {
      const entries = [...own.doc.getMap(root)._map].filter(isOfRemade)
      return [root, new Set(entries.map(([key]) => key))]
    }),
  )
  return {
    get: (root, key) => values.get(root)?.get(key),
    isRemade: (root, key) => remade.get(root)?.has(key) ?? false,
    vector: vectorOf(own),
  }
}

/** Whether an update may bring back entries that this device knew and the document lacks. */
export function mayBringBack(own: OwnDocument, known: Known, update: Uint8Array): boolean {
  const { to } = Y.parseUpdateMeta(update)
  const isKnown = (client: number): boolean => (known.get(client) ?? 0) > Y.getState(own.doc.store, client)
  return [...to.keys()].some(isKnown)
}

export interface SayingAgain {
  known: Known
  before: Before
  originals: Originals | undefined
  /** The changes that no server has taken yet. */
  unsent: readonly KeyChange[]
  laidOver?: readonly KeyChange[]
}

/** Roots whose entries show something to others. */
const showing: ReadonlySet<string> = new Set(['contacts', 'grants', 'fields'])

/**
 * The changes that say once more what stood before the document took in an entry which this device knew, and which it had
 * overwritten or removed since. Refused changes lie over such an entry anyway.
 *
 * The entry may come back removed, and still count above what this device wrote upon a state without it: then that is
 * absent although no device removed it. It is said again, with two exceptions. Its own original came back removed: that is
 * a removal by another device. And a server had it, and it shows something to others: another device may have removed it.
 */
export function saidAgain(own: OwnDocument, { known, before, originals, unsent, laidOver }: SayingAgain): KeyChange[] {
  const refused = new Set((laidOver ?? own.refused).map(keyName))
  const pending = new Set(unsent.map(keyName))
  const isBack = ({ client, clock }: Y.ID): boolean =>
    clock < (known.get(client) ?? 0) && clock >= (before.vector.get(client) ?? 0)
  const mayBeRemoved = (root: string, key: string): boolean => {
    const name = keyName({ root, key })
    if (before.isRemade(root, key) && isOriginalThere(own, originals, name)) return true
    return showing.has(root) && !pending.has(name)
  }
  return own.roots.flatMap(root =>
    [...own.doc.getMap(root)._map].flatMap(([key, { id, deleted }]) => {
      const value = before.get(root, key)
      if (!isBack(id) || sameValue(own.standing.get(root, key), value)) return []
      if (refused.has(keyName({ root, key })) || (deleted && mayBeRemoved(root, key))) return []
      return [{ root, key, value }]
    }),
  )
}

/** Whether the document has the original of an entry that was made again, or had it before it was removed. */
export function isOriginalThere({ doc }: OwnDocument, originals: Originals | undefined, name: string): boolean {
  const original = originals?.get(name)
  return original !== undefined && original.clock < Y.getState(doc.store, original.client)
}

/**
 * The entries that stand in `merged` and not on the server, by key; those made again before keep their originals. A refused
 * change lies over the entry of its key, which so is not what it was made of.
 */
export function originalsIn(
  merged: OwnDocument,
  server: OwnDocument,
  laidOver: readonly KeyChange[],
  earlier: Originals = new Map(),
): Originals {
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
