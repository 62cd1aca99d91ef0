import * as Y from 'yjs'
import { StoredDocument } from '../../documents/stored-document.ts'
import type { DocumentName } from '../../relations/records.ts'
import { turnForSlice } from '../../turns.ts'
import { documentNumbers } from './codec.ts'
import type { Database } from './database.ts'
import { distinct } from './pages.ts'
import { partsOf } from './reads.ts'

/** The number of attempts for a document that is written meanwhile. */
const mostTries = 10

/** The result of a compaction of a database. */
export interface DatabaseCompactReport {
  documents: number
  /** Documents that were written during each attempt. */
  left: number
}

/**
 * Folds the updates of each document into one that contains nothing erased [V5], even while nodes use the database. The
 * previous content remains in PostgreSQL's files until they are rewritten. That is the operator's task.
 */
export async function compactDatabase(
  database: Database,
  onProgress?: (documents: number) => void,
): Promise<DatabaseCompactReport> {
  const report: DatabaseCompactReport = { documents: 0, left: 0 }
  for await (const id of distinct(database, 'document', 'id')) {
    for (const name of ['roster', 'profile'] as const) {
      if (!(await fold(database, id, name))) report.left++
      report.documents++
      if (report.documents % 1000 === 0) onProgress?.(report.documents)
      await turnForSlice()
    }
  }
  return report
}

/** Returns whether the document is folded, or does not exist. */
async function fold(database: Database, id: string, name: DocumentName): Promise<boolean> {
  for (let attempt = 0; attempt < mostTries; attempt++) {
    const { version, parts } = await partsOf(database, id, name)
    if (parts.length === 0) return true
    const document = new StoredDocument(name, parts)
    const update = Y.encodeStateAsUpdateV2(document.doc)
    document.destroy()
    const [row] = await database.rows<{ done: boolean }>({
      name: 'kith-fold',
      text: 'select fold_document($1, $2, $3, $4, $5) as done',
      values: [id, documentNumbers[name], parts.length, version, Buffer.from(update)],
    })
    if (row?.done) return true
  }
  return false
}
