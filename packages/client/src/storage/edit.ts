import type { FlatMaps, KeyChange } from '@kith/shared'
import { decodeChanges, encodeChanges } from './changes-codec.ts'
import { checkLimits } from './content-limits.ts'
import { type DocumentName, documentNames } from './database.ts'
import type { Store } from './store.ts'
import type { Work } from './work.ts'

/** Plans a change on what stands at that moment, and writes it; resolves when it is on this device's disk [D1]. */
export async function edit(
  store: Store,
  document: DocumentName,
  plan: (view: FlatMaps) => readonly KeyChange[],
): Promise<void> {
  await store.work(async work => {
    const { view, standing } = work.documents[document]
    const changes = plan(view)
    if (changes.length === 0) return
    const { limits } = work.documents
    // What was refused takes no room: it must not hold back this one.
    checkLimits(document, standing, changes, limits, limit => work.documents.rosterBytes(limit))
    await record(work, document, changes)
  })
}

/** Writes changes that are known to be in order, and puts them into the outbox. */
async function record(work: Work, document: DocumentName, changes: readonly KeyChange[]): Promise<void> {
  work.willChange()
  await supersedeRefused(work, document, changes)
  const update = await work.documents.write(work.db, document, changes)
  if (!update) return
  await work.db.outbox.add({ document, update, changes: encodeChanges(changes) })
  work.wrote()
}

/** Makes refused changes anew, to be sent once more: the server's limits may have changed since [D5]. */
export async function retryRefused(store: Store): Promise<void> {
  if (documentNames.every(name => store.documents[name].refused.length === 0)) return
  await store.work(async work => {
    const rows = await work.db.outbox.filter(row => row.refusal !== undefined).toArray()
    for (const { document, changes } of rows) await record(work, document, decodeChanges(changes))
  })
}

/** A change of a key that a refused change holds takes that key from it. */
async function supersedeRefused(work: Work, document: DocumentName, changes: readonly KeyChange[]): Promise<void> {
  const own = work.documents[document]
  if (own.refused.length === 0) return
  const keys = new Set(changes.map(nameOf))
  if (!own.refused.some(change => keys.has(nameOf(change)))) return
  const rows = await work.db.outbox.filter(row => row.refusal !== undefined && row.document === document).toArray()
  const left: KeyChange[] = []
  for (const row of rows) {
    const kept = decodeChanges(row.changes).filter(change => !keys.has(nameOf(change)))
    if (kept.length > 0) await work.db.outbox.put({ ...row, changes: encodeChanges(kept) })
    else await work.db.outbox.delete(row.seq as number)
    left.push(...kept)
  }
  own.setRefused(left)
  if (document === 'roster') work.touch(changes)
}

function nameOf({ root, key }: KeyChange): string {
  return `${root} ${key}`
}
