import type { Documents } from '../documents/documents.ts'
import { OutdatedDocument } from '../relations/outdated.ts'
import { type DocumentName, noFacts } from '../relations/records.ts'
import type { Store } from '../relations/store.ts'

export interface RefoundingContext {
  store: Store
  documents: Documents
  /** Ends the sessions of the user's devices that hold an earlier generation of the document. */
  outdate(user: string, document: DocumentName, founder: number): void
}

/**
 * Refounds a document: the same content without history, in one commit. Call this in a task of the user's account. The devices
 * reconnect, and apply their unsent changes to the new document. `isForced`: also if its history is small.
 */
export async function refound(
  { store, documents, outdate }: RefoundingContext,
  user: string,
  name: DocumentName,
  isForced = false,
): Promise<void> {
  for (;;) {
    const founded = await documents.found(user, name, isForced)
    if (!founded) return
    const { snapshot, settings, version, lapsed } = founded
    const stored = { update: snapshot, snapshot }
    const facts = new Map(lapsed.map(one => [one, noFacts]))
    try {
      const { position } = await store.commit({
        ...{ type: 'documents', user, registers: false, buildsOn: { [name]: version }, isRefounded: true },
        ...(name === 'roster' ? { roster: { ...stored, facts, settings } } : {}),
        ...(name === 'profile' ? { profile: { ...stored, levels: new Map() } } : {}),
      })
      documents.discard(user)
      await store.whenEverywhere(position)
      return outdate(user, name, await documents.founder(user, name))
    } catch (error) {
      documents.discard(user)
      if (!(error instanceof OutdatedDocument)) throw error
    }
  }
}
