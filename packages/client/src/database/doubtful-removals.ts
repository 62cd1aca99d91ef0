import { decodeChanges } from '../documents/changes-codec.ts'
import { keyName } from '../documents/lost.ts'
import type { DocumentName } from '../documents/name.ts'
import { mayComeBack } from '../documents/removed-keys.ts'
import { readMeta, writeMeta } from './meta.ts'
import type { OutboxRow } from './schema.ts'
import type { Work } from './work.ts'

/**
 * Notes removals that a doubtful server acknowledged: it had nothing of the document when the session began, although a server
 * had acknowledged content before. It may have been started on an empty folder, or it may lie. If the true server has refounded
 * the document meanwhile, these removals are made again on its document (`rebase.ts`) [D6].
 */
export async function noteDoubtful(work: Work, name: DocumentName, rows: readonly OutboxRow[]): Promise<void> {
  const changes = rows.flatMap(row => decodeChanges(row.changes))
  const removed = changes.filter(({ root, value }) => value === undefined && !mayComeBack.has(root)).map(keyName)
  if (removed.length === 0) return
  const doubtful = await readMeta(work.db, 'doubtful')
  const names = new Set([...(doubtful?.[name] ?? []), ...removed])
  await writeMeta(work.db, 'doubtful', { ...doubtful, [name]: names })
}

/** A server that held the document when the session began has all removals of this device. */
export async function settleDoubtful(work: Work, name: DocumentName): Promise<void> {
  const { [name]: settled, ...rest } = (await readMeta(work.db, 'doubtful')) ?? {}
  if (settled) await writeMeta(work.db, 'doubtful', rest)
}
