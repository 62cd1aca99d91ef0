import { type KeyChange, sameValue } from '@kith/shared'
import * as Y from 'yjs'
import type { Randomness } from '../clock.ts'
import { partsOfSaid, placeOf } from '../database/ahead.ts'
import type { Tables } from '../database/contract.ts'
import { writeMeta } from '../database/meta.ts'
import type { OwnDocuments } from '../database/own-documents.ts'
import { encodeChanges } from '../documents/changes-codec.ts'
import { keyName } from '../documents/lost.ts'
import { type DocumentName, documentNames } from '../documents/name.ts'
import type { OwnDocument } from '../documents/own-document.ts'
import { goneKeys, removedAgain } from '../documents/removed-keys.ts'
import { type Known, saidAgain, standingOf } from '../documents/said-again.ts'
import { isRemakingClientId, newRemakingClientId } from '../nonce.ts'

/**
 * Lays the documents in memory over those of a database that another tab made. One of the two may be older than a rebuild on a
 * server's state [D6]. Its old entries then come back, and the values of the newer one are restored: nothing that was revoked
 * or removed meanwhile comes back [V6].
 */
export async function layOver(
  db: Tables,
  there: OwnDocuments,
  memory: OwnDocuments,
  randomness: Randomness,
): Promise<void> {
  for (const name of documentNames) await layOne(db, there, memory, name, randomness)
  await writeMeta(
    db,
    'known',
    each(name => latest(there.known[name], memory.known[name])),
  )
  await writeMeta(
    db,
    'originals',
    each(name => {
      const inOrder = newerOf(name, there, memory) === there ? [memory, there] : [there, memory]
      return new Map(inOrder.flatMap(({ originals }) => [...(originals[name] ?? [])]))
    }),
  )
  await writeMeta(
    db,
    'removed',
    each(name => new Set([...(there.removed[name] ?? []), ...(memory.removed[name] ?? [])])),
  )
}

async function layOne(
  db: Tables,
  there: OwnDocuments,
  memory: OwnDocuments,
  name: DocumentName,
  randomness: Randomness,
): Promise<void> {
  const newer = newerOf(name, there, memory)
  const before = standingOf(newer[name])
  const gone = goneKeys(newer[name], newer.removed[name])
  const neverTaken = [...there.neverTaken(name), ...memory.neverTaken(name)]
  const own = there[name]
  const later = [
    ...saidLater(own, memory[name], memory.known[name]),
    ...saidLater(memory[name], own, there.known[name]),
  ]
  await there.take(db, name, Y.encodeStateAsUpdate(memory[name].doc, Y.encodeStateVector(own.doc)))
  const known = newer.known[name]
  if (!known) return
  const isSaid = ({ root, key, value }: KeyChange): boolean => sameValue(own.standing.get(root, key), value)
  const laterKeys = new Set(later.map(keyName))
  const said = saidAgain(own, { known, before, originals: newer.originals[name], neverTaken })
  const again = [
    ...[...said.neverTaken, ...said.taken].filter(change => !laterKeys.has(keyName(change))),
    ...later.filter(change => !isSaid(change)),
  ]
  const pendingKeys = new Set(neverTaken.map(keyName))
  const isPending = (change: KeyChange): boolean => pendingKeys.has(keyName(change))
  const taken = [...again.filter(change => !isPending(change)), ...removedAgain(own, gone)]
  const remakingClientId = newRemakingClientId(randomness)
  for (const part of partsOfSaid({ neverTaken: again.filter(isPending), taken })) {
    const { changes, isRemade } = part
    const update = await there.write(db, name, changes, isRemade ? remakingClientId : undefined)
    const marks = { ...(isRemade && { isRemade }), ...(await placeOf(db, part)) }
    if (update) await db.outbox.add({ document: name, update, changes: encodeChanges(changes), ...marks })
  }
}

/**
 * Returns the values of one document for keys of which the other document has only an entry that was made again. Such an entry
 * has the value of its original. So an entry or a removal that replaced the original, and is not older than the other
 * document's rebuild, is later. Of two entries that were made again, the higher client id would win in Yjs and hide the value
 * by chance.
 */
function saidLater(own: OwnDocument, other: OwnDocument, otherKnown: Known = new Map()): KeyChange[] {
  return own.roots.flatMap(root =>
    [...own.doc.getMap(root)._map].flatMap(([key, { id, deleted }]) => {
      const theirs = other.doc.getMap(root)._map.get(key)
      if (!theirs || theirs.deleted || !isRemakingClientId(theirs.id.client)) return []
      const isOlder = id.clock < (otherKnown.get(id.client) ?? 0)
      if (isOlder || isIn(other, id) || (isRemakingClientId(id.client) && !deleted)) return []
      return [{ root, key, value: own.standing.get(root, key) }]
    }),
  )
}

function isIn({ doc }: OwnDocument, { client, clock }: Y.ID): boolean {
  return clock < Y.getState(doc.store, client)
}

/** Returns the documents that were rebuilt last on a server's state. */
function newerOf(name: DocumentName, there: OwnDocuments, memory: OwnDocuments): OwnDocuments {
  return knowsMore(memory.known[name], there.known[name]) ? memory : there
}

function knowsMore(one: Known | undefined, other: Known | undefined): boolean {
  return [...(one ?? [])].some(([client, clock]) => clock > (other?.get(client) ?? 0))
}

function latest(one: Known = new Map(), other: Known = new Map()): Known {
  const both = new Map(one)
  for (const [client, clock] of other) both.set(client, Math.max(both.get(client) ?? 0, clock))
  return both
}

/** Returns a value for each document, without empty ones. */
function each<T extends { size: number }>(of: (name: DocumentName) => T): Partial<Record<DocumentName, T>> {
  return Object.fromEntries(documentNames.map(name => [name, of(name)] as const).filter(([, value]) => value.size > 0))
}
