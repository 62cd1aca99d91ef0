import { namedUsers } from '@kith/shared'
import type { Randomness } from '../clock.ts'
import type { OwnDocument } from '../documents/own-document.ts'
import { offerRefusedHere } from './edit.ts'
import { readMeta, writeMeta } from './meta.ts'
import type { Work } from './work.ts'

/**
 * Replaces this device's document by another one, at the end of the transaction that made the new document and its outbox. The
 * count of sent structs is reset, since it is about the old document. The rows of all users that either document names are
 * updated.
 */
export async function endReplacing(work: Work, document: OwnDocument, randomness: Randomness): Promise<void> {
  const { db, documents } = work
  const { name } = document
  const both = { roster: documents.roster, profile: documents.profile, [name]: document }
  await documents.writeSnapshots(db, both, documents.generation + 1)
  const sent = (await readMeta(db, 'sent')) ?? { roster: 0, profile: 0 }
  await writeMeta(db, 'sent', { ...sent, [name]: 0 })
  const before = namedUsers(documents.roster.view)
  const now = await work.reload()
  await offerRefusedHere({ ...work, documents: now }, name, randomness)
  if (name === 'profile') work.ownProfileChanged()
  else work.touchUsers([...before, ...namedUsers(now.roster.view)])
}
