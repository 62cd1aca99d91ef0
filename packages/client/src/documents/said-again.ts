import { type FieldValue, type KeyChange, sameValue } from '@kith/shared'
import * as Y from 'yjs'
import type { Original } from '../database/schema.ts'
import { isRemakingClientId } from '../nonce.ts'
import { addressOf, keyName } from './lost.ts'
import type { OwnDocument } from './own-document.ts'

/** The clock up to which this device knew each client id when it last rebuilt the document on a server's state. */
export type Known = ReadonlyMap<number, number>

/** The state of a document before it applied an update. */
export interface Before {
  get(root: string, key: string): FieldValue | undefined
  /** Whether the entry at that time had been made again. */
  isRemade(root: string, key: string): boolean
  vector: ReadonlyMap<number, number>
}

/** The originals of entries that were made again: `root key` → their Yjs id. */
export type Originals = ReadonlyMap<string, Original>

/**
 * Which entries this device knows to be overwritten or removed although the document has no trace of it: entries that it knew
 * and that the server lacked when the document was rebuilt on the server's state. Of two such rebuilds, the later counts.
 */
export function knownBefore(own: OwnDocument, sent: number, earlier: Known = new Map()): Known {
  const known = new Map(earlier)
  for (const [client, clock] of vectorOf(own)) {
    // Another copy of this database may have written under the ids that this device never sent.
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
  /** The user's changes that no server has accepted yet. */
  neverTaken: readonly KeyChange[]
  /** The refused changes, if they are others than those of the document. */
  laidOver?: readonly KeyChange[]
}

/** Changes that restore values. */
export interface SaidAgain {
  /** Restores changes that no server has accepted yet. */
  neverTaken: KeyChange[]
  /**
   * Restores values that a server has had. They are written under a low client id, since another device may have changed or
   * removed the original meanwhile.
   */
  taken: KeyChange[]
}

/** Roots whose entries show something to others. */
const showing: ReadonlySet<string> = new Set(['contacts', 'grants', 'fields'])

/**
 * An update brought back an entry that this device knew, and had overwritten or removed since. Returns the changes that restore
 * the value from before the update. Refused changes are shown over such an entry anyway.
 *
 * The entry may come back removed, and still win over this device's entry, which was written on a state without it. Then the
 * value is absent although no device removed it. It is restored, with two exceptions. If the original of this device's entry
 * came back removed, another device removed it. If a server had the value, and the value shows something to others, another
 * device may have removed it.
 */
export function saidAgain(
  own: OwnDocument,
  { known, before, originals, neverTaken, laidOver = own.refused }: SayingAgain,
): SaidAgain {
  const refused = new Set(laidOver.map(keyName))
  const pending = new Set(neverTaken.map(keyName))
  const isPending = (change: KeyChange): boolean => pending.has(keyName(change))
  const isBack = ({ client, clock }: Y.ID): boolean =>
    clock < (known.get(client) ?? 0) && clock >= (before.vector.get(client) ?? 0)
  const mayBeRemoved = (root: string, key: string): boolean => {
    const name = keyName({ root, key })
    if (before.isRemade(root, key) && isOriginalThere(own, originals, name)) return true
    return showing.has(root) && !pending.has(name)
  }
  const again = own.roots.flatMap(root =>
    [...own.doc.getMap(root)._map].flatMap(([key, { id, deleted }]): KeyChange[] => {
      const value = before.get(root, key)
      if (!isBack(id) || sameValue(own.standing.get(root, key), value)) return []
      if (refused.has(keyName({ root, key })) || (deleted && mayBeRemoved(root, key))) return []
      return [{ root, key, value }]
    }),
  )
  return { neverTaken: again.filter(isPending), taken: again.filter(change => !isPending(change)) }
}

/** Whether the document has the original of an entry that was made again, or had it before it was removed. */
export function isOriginalThere({ doc }: OwnDocument, originals: Originals | undefined, name: string): boolean {
  const original = originals?.get(name)
  return original !== undefined && original.clock < Y.getState(doc.store, original.client)
}

/**
 * The entries that are in `merged` and not on the server, by key. Entries that were made again earlier keep their originals.
 * Where a refused change is laid over the entry of its key, that entry is not its original.
 */
export function originalsIn(
  merged: OwnDocument,
  server: OwnDocument,
  laidOver: readonly KeyChange[],
  earlier: Originals = new Map(),
): Originals {
  const refused = new Set(laidOver.map(keyName))
  const isMadeAgain = (name: string): boolean => {
    const { root, key } = addressOf(name)
    const last = merged.doc.getMap(root)._map.get(key)
    return refused.has(name) || (last !== undefined && isRemakingClientId(last.id.client))
  }
  const originals = new Map([...earlier].filter(([name]) => isMadeAgain(name)))
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
