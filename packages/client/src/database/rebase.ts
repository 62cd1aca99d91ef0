import { founderOf, isFounder, type KeyChange, mostRetired, type Retired, retiredOf } from '@kith/shared'
import * as Y from 'yjs'
import type { Randomness } from '../clock.ts'
import { decodeChanges, encodeChanges } from '../documents/changes-codec.ts'
import { keyName } from '../documents/lost.ts'
import type { DocumentName } from '../documents/name.ts'
import { OwnDocument } from '../documents/own-document.ts'
import type { RemovedKeys } from '../documents/removed-keys.ts'
import { newClientIdAbove, newRemakingClientId } from '../nonce.ts'
import { settleDoubtful } from './doubtful-removals.ts'
import { endReplacing } from './end-replacing.ts'
import { readMeta, writeMeta } from './meta.ts'
import { pendingEntries } from './outbox.ts'
import { type Rebuilt, writeEntries } from './rebuild.ts'
import { remadeEntries } from './remade-entries.ts'
import type { OutboxRow } from './schema.ts'
import { Seen } from './seen.ts'
import type { Store } from './store.ts'

/**
 * Replaces a document by the server's, which was refounded, and makes the unsent changes again upon it: by what they say,
 * since their Yjs updates build on a generation that has ended. What the device holds besides, the server once had; if it is
 * not in the server's document, it was removed, and doesn't come back. The exception is what came after the end of its
 * client's generation, as far as the server knows that: it had been acknowledged and was lost, so it is made again [D6].
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
    const due = all.filter(row => row.document !== name || !wasTaken(row, had))
    const dropped = overtaken(due, fresh, new Seen(all.filter(row => row.document === name)))
    const rows = due.map(row => (row.document === name ? without(row, dropped) : row))
    const merged = new OwnDocument(name, own.clientId)
    merged.take(Y.encodeStateAsUpdate(fresh.doc))
    const doubtful = await readMeta(work.db, 'doubtful')
    const removed = new Set([...(documents.removed[name] ?? []), ...(doubtful?.[name] ?? [])])
    const removals = removalsAgain(own, fresh.doc, { had, removed, rows: all })
    merged.write([...lostEntries(own, had, all), ...removals])
    const entries = remadeEntries({ name, fresh, merged, rows, suspect: undefined, isRosterFirst: false })
    await work.db.outbox.bulkDelete(all.map(row => row.seq as number))
    const rebuilt = await writeEntries(work, fresh, entries, newRemakingClientId(randomness), undefined)
    // What was known of entries of the generations before has no meaning in this one.
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
    return [] // Taking it in says what is wrong.
  }
}

/** The server had this before it refounded the document: since then other devices may have changed it. */
function wasTaken({ update }: OutboxRow, { ends }: Had): boolean {
  const { to } = Y.parseUpdateMeta(update)
  return to.size > 0 && [...to].every(([client, clock]) => clock <= (ends.get(client) ?? 0))
}

/**
 * Keys that the user has removed in the end, and that another device has set to something which the user had not seen: the set
 * stays, as it does in a merge [R6].
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

/** An entry that is left without changes is not made again. */
function without(row: OutboxRow, dropped: ReadonlySet<string>): OutboxRow {
  if (dropped.size === 0 || row.isRemade) return row
  const changes = decodeChanges(row.changes).filter(change => !dropped.has(keyName(change)))
  return { ...row, changes: encodeChanges(changes) }
}

/** What the server has had: of each client up to which clock; and whether it says so of all clients. */
interface Had {
  ends: Retired
  isAll: boolean
}

function hadBy(doc: Y.Doc): Had {
  const retired = retiredOf(doc)
  const ends = new Map([...retired, ...Y.decodeStateVector(Y.encodeStateVector(doc))])
  return { ends, isAll: retired.size < mostRetired }
}

/** Entries that a server had acknowledged after the state from which its document was refounded: it lost them. */
function lostEntries(own: OwnDocument, had: Had, rows: readonly OutboxRow[]): KeyChange[] {
  const unsent = unsentKeys(own.name, rows)
  // Where the server has forgotten the oldest clients, an unknown one counts as one of them.
  const endOf = (client: number): number => had.ends.get(client) ?? (had.isAll ? 0 : Number.POSITIVE_INFINITY)
  return own.roots.flatMap(root =>
    [...own.doc.getMap(root)._map].flatMap(([key, { id, deleted }]): KeyChange[] => {
      if (deleted || id.clock < endOf(id.client) || unsent.has(keyName({ root, key }))) return []
      return [{ root, key, value: own.standing.get(root, key) }]
    }),
  )
}

/**
 * Removals that are made again, of entries that the founder copied. Those that a server had acknowledged and lost before its
 * document was refounded can be told where this device had seen all that the document was founded from: then it would hold what
 * the founder wrote, had it not been removed. Others it remembers: a server had it build its document without the entry, or one
 * that had nothing of the document acknowledged the removal.
 */
function removalsAgain(
  own: OwnDocument,
  fresh: Y.Doc,
  { had, removed, rows }: { had: Had; removed: RemovedKeys; rows: readonly OutboxRow[] },
): KeyChange[] {
  const held = Y.decodeStateVector(Y.encodeStateVector(own.doc))
  const hasSeenAll = had.isAll && [...retiredOf(fresh)].every(([client, clock]) => (held.get(client) ?? 0) >= clock)
  const founder = founderOf(fresh.store.clients.keys())
  const unsent = unsentKeys(own.name, rows)
  return own.roots.flatMap(root =>
    [...fresh.getMap(root)._map].flatMap(([key, { id, deleted }]): KeyChange[] => {
      const name = keyName({ root, key })
      if (deleted || id.client !== founder || unsent.has(name)) return []
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

/** Whether what the server sent of a document is of another generation than this device's document. */
export function isOfOtherGeneration(own: OwnDocument, clients: Iterable<number>): boolean {
  const all = [...clients]
  const { clients: held } = own.doc.store
  if (held.size === 0) return false
  const retired = retiredOf(own.doc)
  return all.some(client => retired.has(client) || (isFounder(client) && !held.has(client)))
}
