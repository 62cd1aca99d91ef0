import { bytesPerStruct } from '../documents/document-weight.ts'
import type { Documents } from '../documents/documents.ts'
import type { Merged } from '../documents/merge.ts'
import type { DocumentName } from '../relations/records.ts'
import type { Write } from './account-queue.ts'
import type { Writer } from './writer.ts'

/** The admitted part of a run of writes to one document. */
export interface Admitted extends Merged {
  /** The weight of the document. */
  weight: number
  /** The version of the document into which the writes were merged. */
  version: number
  /** Reports the outcome of each write to the device. */
  say: () => void
  /** A document that the server requested from the device was admitted, even if it is empty [F3]. */
  isAnswered: boolean
}

/** The session wrote to a generation of the document that has ended. */
export class EarlierGeneration extends Error {
  readonly document: DocumentName

  constructor(document: DocumentName) {
    super(`the ${document} was refounded`)
    this.document = document
  }
}

/**
 * An update near the size limit takes time in proportion to the size of its document. So the larger the document is, the fewer
 * updates are admitted together: no other user is served until they are admitted [S1].
 */
const maxRunBytes = 16 * 1024 * 1024

/** Returns how many of these writes may be admitted together. At least one. */
export async function mostAtOnce(documents: Documents, user: string, run: readonly Write[]): Promise<number> {
  let bytes = 1
  for (const name of new Set(run.map(({ document }) => document))) bytes += await documents.weight(user, name)
  return Math.ceil(maxRunBytes / bytes)
}

/**
 * Applies the valid writes to one document as one transaction. Returns `undefined` if the run has no write to that document.
 */
export async function admitWrites(
  documents: Documents,
  { user, writer, name }: { user: string; writer: Writer; name: DocumentName },
  run: readonly Write[],
): Promise<Admitted | undefined> {
  const writes = run.filter(write => write.document === name)
  if (writes.length === 0) return undefined
  const known = writer.founderOf(name)
  if (known !== undefined && known !== (await documents.founder(user, name))) throw new EarlierGeneration(name)
  const updates = writes.map(({ update }) => update)
  const merged = await documents.merge(user, name, updates, writer.hasGeneration(name))
  writer.looked(merged.weight * writes.length + bytesPerStruct * merged.steps)
  const isAnswered = merged.outcomes.some(
    ({ state }, index) => state === 'admitted' && writes[index]?.isAnswered === true,
  )
  const say = (): void => {
    for (const outcome of merged.outcomes) {
      if (outcome.state === 'refused') writer.refuse(name, outcome.code, outcome.what)
      else if (outcome.state === 'missing') writer.resend(name, merged.stateVector as Uint8Array)
      else if (outcome.state === 'outdated') writer.outdate(name)
    }
  }
  return { ...merged, isAnswered, say }
}
