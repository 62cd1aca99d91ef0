import { type ErrorCode, isNarrowing, type KeyChange, namedUsers } from '@kith/shared'
import type { Randomness } from '../clock.ts'
import { newClientId } from '../nonce.ts'
import { decodeChanges, encodeChanges } from './changes-codec.ts'
import { type DocumentName, type OutboxRow, readMeta, writeMeta } from './database.ts'
import { pendingEntries } from './outbox.ts'
import { OwnDocument } from './own-document.ts'
import type { Store } from './store.ts'
import type { Work } from './work.ts'

/** An entry that the server refused, when it is known which one. */
export interface Refusal {
  seq: number
  code: ErrorCode
}

interface Entry {
  document: DocumentName
  changes: KeyChange[]
  /** As it was stored; of the document rebuilt, as it is made anew. */
  update: Uint8Array
}

/**
 * Puts the server's state in place of one document, and makes this device's unsent changes anew upon it, under a new
 * client id: first what takes something away from others, then the rest in its order [D5]. A refused change is not made,
 * but stays in the outbox and in view.
 */
export async function rebuild(
  store: Store,
  name: DocumentName,
  serverState: Uint8Array,
  randomness: Randomness,
  refusal: Refusal | undefined,
): Promise<void> {
  await store.work(async work => {
    work.willChange()
    if (refusal) await work.db.outbox.update(refusal.seq, { refusal: refusal.code, update: new Uint8Array() })
    const fresh = new OwnDocument(name, newClientId(randomness))
    fresh.take(serverState)
    await rewriteOutbox(work, name, fresh)
    const { documents } = work
    await documents.writeSnapshots(
      work.db,
      { roster: documents.roster, profile: documents.profile, [name]: fresh },
      documents.generation + 1,
    )
    await writeMeta(work.db, 'sent', { ...((await readMeta(work.db, 'sent')) ?? { roster: 0, profile: 0 }), [name]: 0 })
    const before = namedUsers(documents.roster.view)
    const rebuilt = await work.reload()
    if (name === 'profile') work.ownProfileChanged()
    else work.touchUsers([...before, ...namedUsers(rebuilt.roster.view)])
  })
}

async function rewriteOutbox(work: Work, name: DocumentName, fresh: OwnDocument): Promise<void> {
  const rows = await pendingEntries(work.db, undefined)
  const entries = narrowingFirst(name, rows)
  await work.db.outbox.bulkDelete(rows.map(row => row.seq as number))
  for (const { document, changes, update } of entries) {
    const made = document === name ? fresh.write(changes) : update
    if (made) await work.db.outbox.add({ document, update: made, changes: encodeChanges(changes) })
  }
}

/** Of several changes of one key only the last counts, so taking some of them first changes nothing in the end. */
function narrowingFirst(name: DocumentName, rows: readonly OutboxRow[]): Entry[] {
  const decoded = rows.map(row => ({ ...row, changes: decodeChanges(row.changes) }))
  const last = new Map<string, KeyChange>()
  for (const row of decoded) {
    if (row.document === name) for (const change of row.changes) last.set(`${change.root} ${change.key}`, change)
  }
  const counts = (change: KeyChange): boolean => last.get(`${change.root} ${change.key}`) === change
  const [first, rest]: [Entry[], Entry[]] = [[], []]
  for (const { document, update, changes } of decoded) {
    if (document !== name) {
      rest.push({ document, update, changes })
      continue
    }
    const kept = changes.filter(counts)
    // A field that is set anew also removes what other devices set: that isn't done ahead of the set itself.
    const isSplit = name === 'roster' || kept.every(isNarrowing)
    const narrowing = isSplit ? kept.filter(isNarrowing) : []
    const others = isSplit ? kept.filter(change => !isNarrowing(change)) : kept
    if (narrowing.length > 0) first.push({ document, update, changes: narrowing })
    if (others.length > 0) rest.push({ document, update, changes: others })
  }
  return [...first, ...rest]
}
