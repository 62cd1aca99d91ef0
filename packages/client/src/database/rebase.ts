import { founderOf, isFounder, type KeyChange, retiredOf } from '@kith/shared'
import * as Y from 'yjs'
import type { Randomness } from '../clock.ts'
import { decodeChanges, encodeChanges } from '../documents/changes-codec.ts'
import { keyName } from '../documents/lost.ts'
import type { DocumentName } from '../documents/name.ts'
import { OwnDocument } from '../documents/own-document.ts'
import type { RemovedKeys } from '../documents/removed-keys.ts'
import type { Known, Originals } from '../documents/said-again.ts'
import { isRemakingClientId, newClientIdAbove, newRemakingClientId } from '../nonce.ts'
import { settleDoubtful } from './doubtful-removals.ts'
import { endReplacing } from './end-replacing.ts'
import { type Had, hadBy } from './had.ts'
import { LostGeneration } from './lost-generation.ts'
import { readMeta, writeMeta } from './meta.ts'
import { pendingEntries } from './outbox.ts'
import { type Rebuilt, writeEntries } from './rebuild.ts'
import { remadeEntries } from './remade-entries.ts'
import type { Original, OutboxRow } from './schema.ts'
import { Seen } from './seen.ts'
import type { Store } from './store.ts'

/**
 * Replaces a document by the server's refounded one, and makes the unsent changes again on it. Their content is used, since
 * their Yjs updates build on a generation that has ended. The server once had everything else on this device. If it is absent
 * from the server's document, it was removed, and does not come back. The exception is content after the end of its client's
 * generation, as far as the server knows that end: it was acknowledged and then lost, so it is made again [D6].
 */
export async function rebase(
  store: Store,
  name: DocumentName,
  serverState: Uint8Array,
  randomness: Randomness,
): Promise<Rebuilt> {
  return store.work(async work => {
    work.willChange()
    const { documents } = work
    const own = documents[name]
    const clients = [...own.doc.store.clients.keys()]
    const fresh = new OwnDocument(name, newClientIdAbove([...clients, ...clientsOf(serverState)], randomness))
    fresh.takeAll(serverState)
    const had = hadBy(fresh.doc)
    const all = await pendingEntries(work.db, undefined)
    const sent = (await readMeta(work.db, 'sent'))?.[name] ?? 0
    const neverSent = { client: own.clientId, clock: sent }
    const due = all.flatMap(row => (row.document === name ? untaken(row, own, had, neverSent) : [row]))
    const dropped = overtaken(due, fresh, new Seen(all.filter(row => row.document === name)))
    const rows = due.map(row => (row.document === name ? without(row, dropped) : row))
    const merged = new OwnDocument(name, own.clientId)
    merged.take(Y.encodeStateAsUpdate(fresh.doc))
    const doubtful = await readMeta(work.db, 'doubtful')
    const removed = new Set([
      ...(documents.removed[name] ?? []),
      ...(doubtful?.[name] ?? []),
      ...removalsMadeAgain(all.filter(row => row.document === name)),
    ])
    const lost = LostGeneration.of(own, fresh, had)
    const unsent = unsentKeys(name, all)
    const removals = [...removalsAgain(own, fresh.doc, { had, removed }), ...(lost?.removals() ?? [])]
    const again = [...lostEntries(own, { had, lost, originals: documents.originals[name] }), ...removals]
    merged.write(again.filter(change => !unsent.has(keyName(change))))
    // The server lost content, so it may lack acknowledged revocations, too [V6].
    const isRosterFirst = again.length > 0
    const entries = remadeEntries({ name, fresh, merged, rows, suspect: undefined, isRosterFirst })
    await work.db.outbox.bulkDelete(all.map(row => row.seq as number))
    const rebuilt = await writeEntries(work, fresh, entries, newRemakingClientId(randomness), undefined)
    // Facts about entries of earlier generations are meaningless in this one.
    await writeMeta(work.db, 'originals', others(documents.originals, name))
    await writeMeta(work.db, 'removed', others(documents.removed, name))
    await writeMeta(work.db, 'known', others(documents.known, name))
    await settleDoubtful(work, name)
    await endReplacing(work, fresh, randomness)
    return rebuilt
  })
}

function others<T>(values: Partial<Record<DocumentName, T>>, name: DocumentName): Partial<Record<DocumentName, T>> {
  return Object.fromEntries(Object.entries(values).filter(([key]) => key !== name))
}

function clientsOf(state: Uint8Array): number[] {
  try {
    return [...Y.parseUpdateMeta(state).to.keys()]
  } catch {
    return [] // Applying the state reports the error.
  }
}

/**
 * Returns the entry without the sets that the server had before it refounded the document, since other devices may have changed
 * them since. Nothing of it if the server had all of its structs. Structs from `neverSent` on never left this device: if the
 * server had some with these ids, a copy of this database wrote them.
 */
function untaken(row: OutboxRow, own: OwnDocument, { ends }: Had, neverSent: Original): OutboxRow[] {
  const { structs } = Y.decodeUpdate(row.update)
  const endOf = (client: number): number => {
    const end = ends.get(client) ?? 0
    return client === neverSent.client ? Math.min(end, neverSent.clock) : end
  }
  const had = structs.filter(({ id }) => id.clock < endOf(id.client))
  if (had.length === 0) return [row]
  if (structs.every(({ id, length }) => id.clock + length <= endOf(id.client))) return []
  const names = new Set(had.flatMap(({ id }) => keyOf(own, id) ?? []))
  const changes = decodeChanges(row.changes).filter(change => change.value === undefined || !names.has(keyName(change)))
  return [{ ...row, changes: encodeChanges(changes) }]
}

/** The key that a struct of this device's document sets, as `root key`. */
function keyOf(own: OwnDocument, id: Y.ID): string | undefined {
  const item = Y.getItem(own.doc.store, id)
  if (!(item instanceof Y.Item) || item.parentSub === null) return undefined
  const root = own.roots.find(name => own.doc.getMap(name) === item.parent)
  return root && keyName({ root, key: item.parentSub })
}

/** Removals that were made again and that no server has acknowledged yet. */
function removalsMadeAgain(rows: readonly OutboxRow[]): string[] {
  const again = rows.filter(row => row.isRemade).flatMap(row => decodeChanges(row.changes))
  return again.filter(({ value }) => value === undefined).map(keyName)
}

/**
 * Keys that the user finally removed, and that another device has set to a value which the user had not seen. That value stays,
 * as in a merge [R6].
 */
function overtaken(rows: readonly OutboxRow[], fresh: OwnDocument, seen: Seen): ReadonlySet<string> {
  const last = new Map<string, KeyChange>()
  for (const row of rows.filter(({ document, isRemade }) => document === fresh.name && !isRemade)) {
    for (const change of decodeChanges(row.changes)) last.set(keyName(change), change)
  }
  const isOvertaken = ([name, { root, key, value }]: [string, KeyChange]): boolean => {
    const standing = fresh.standing.get(root, key)
    return value === undefined && standing !== undefined && !seen.has(name, standing)
  }
  return new Set([...last].filter(isOvertaken).map(([name]) => name))
}

/** Returns the entry without the dropped keys. An entry without changes is not made again. */
function without(row: OutboxRow, dropped: ReadonlySet<string>): OutboxRow {
  if (dropped.size === 0 || row.isRemade) return row
  const changes = decodeChanges(row.changes).filter(change => !dropped.has(keyName(change)))
  return { ...row, changes: encodeChanges(changes) }
}

/**
 * Entries that a server had acknowledged after the state on which the document was refounded: the server lost them. An entry
 * that this device made again is not lost if the server had its original: if the original is absent, it was removed. While
 * another device is filling the server, it is not known which grants were revoked before the refounding, so none is made again.
 */
function lostEntries(
  own: OwnDocument,
  { had, lost, originals }: { had: Had; lost: LostGeneration | undefined; originals: Originals | undefined },
): KeyChange[] {
  // If the server has forgotten the oldest clients, an unknown client counts as one of them.
  const endOf = (client: number): number => had.ends.get(client) ?? (had.isAll ? 0 : Number.POSITIVE_INFINITY)
  const wasHad = ({ client, clock }: Original): boolean => clock < endOf(client)
  return own.roots.flatMap(root =>
    [...own.doc.getMap(root)._map].flatMap(([key, { id, deleted }]): KeyChange[] => {
      if (deleted || wasHad(id) || lost?.isOutdatedCopy(root, key, id) || (had.isPart && root === 'grants')) return []
      const original = isRemakingClientId(id.client) ? originals?.get(keyName({ root, key })) : undefined
      if (original && wasHad(original)) return []
      return [{ root, key, value: own.standing.get(root, key) }]
    }),
  )
}

/**
 * Removals, of entries that the founder copied, that are made again. A removal was acknowledged and then lost before the
 * refounding if this device had seen everything on which the document was founded: it would then hold the founder's entry if
 * the entry had not been removed. Other removals this device remembers: a server made it rebuild its document without the
 * entry, or a server that had nothing of the document acknowledged the removal.
 */
function removalsAgain(
  own: OwnDocument,
  fresh: Y.Doc,
  { had, removed }: { had: Had; removed: RemovedKeys },
): KeyChange[] {
  const held = hadBy(own.doc).ends
  const hasSeenAll = had.isAll && [...retiredOf(fresh)].every(([client, clock]) => (held.get(client) ?? 0) >= clock)
  const founder = founderOf(fresh.store.clients.keys())
  return own.roots.flatMap(root =>
    [...fresh.getMap(root)._map].flatMap(([key, { id, deleted }]): KeyChange[] => {
      const name = keyName({ root, key })
      if (deleted || id.client !== founder) return []
      const isLost = hasSeenAll && own.doc.getMap(root)._map.get(key)?.deleted === true
      const isRemembered = removed.has(name) && own.standing.get(root, key) === undefined
      return isLost || isRemembered ? [{ root, key, value: undefined }] : []
    }),
  )
}

function unsentKeys(name: DocumentName, rows: readonly OutboxRow[]): ReadonlySet<string> {
  const own = rows.filter(row => row.document === name && !row.isRemade)
  return new Set(own.flatMap(row => decodeChanges(row.changes).map(keyName)))
}

/**
 * Whether the server's data of a document has another generation than this device's document. `known`: what the document had
 * when the device last rebuilt it. If a server refused all of it, the document is empty, and does not show its generation.
 */
export function isOfOtherGeneration(own: OwnDocument, clients: Iterable<number>, known: Known | undefined): boolean {
  const all = [...clients]
  const { clients: held } = own.doc.store
  if (held.size === 0) return known !== undefined && all.some(client => isFounder(client) && !known.has(client))
  const retired = retiredOf(own.doc)
  return all.some(client => retired.has(client) || (isFounder(client) && !held.has(client)))
}
