import { applyChanges, type FieldValue, type FlatMaps, flatMapsOf, type KeyChange } from '@kith/shared'
import fc from 'fast-check'
import * as Y from 'yjs'

/** One device's copy of a document. It is edited through plans, and synchronised by exchanging updates. */
export interface Replica {
  doc: Y.Doc
  maps: FlatMaps
  /** Every update from this device's own edits, oldest first. */
  updates: Uint8Array[]
  edit: (changes: readonly KeyChange[]) => void
}

export function replica(clientId: number): Replica {
  const doc = new Y.Doc({ gc: true })
  doc.clientID = clientId
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array, origin: unknown) => {
    if (origin !== remote) updates.push(update)
  })
  return { doc, maps: flatMapsOf(doc), updates, edit: changes => applyChanges(doc, changes) }
}

const remote = 'remote'

export function receive(to: Replica, update: Uint8Array): void {
  Y.applyUpdate(to.doc, update, remote)
}

/** Two devices exchange updates. Afterwards each holds what either held. */
export function meet(a: Replica, b: Replica): void {
  const forB = Y.encodeStateAsUpdate(a.doc, Y.encodeStateVector(b.doc))
  const forA = Y.encodeStateAsUpdate(b.doc, Y.encodeStateVector(a.doc))
  receive(b, forB)
  receive(a, forA)
}

/** The devices exchange updates until each holds everything. */
export function meetAll(replicas: readonly Replica[]): void {
  for (let round = 0; round < 2; round++) {
    for (const each of replicas.slice(1)) meet(replicas[0] as Replica, each)
  }
}

/** The live content of the roots, in an order that does not depend on the document. */
export function contentOf({ maps }: Replica, roots: readonly string[]): [string, string, FieldValue][] {
  return roots.flatMap(root =>
    [...maps.entries(root)]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]): [string, string, FieldValue] => [root, key, value]),
  )
}

/** Yjs breaks ties by client id, so properties generate the client ids. */
export function clientIds(count: number): fc.Arbitrary<number[]> {
  return fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 32 - 1 }), { minLength: count, maxLength: count })
}
