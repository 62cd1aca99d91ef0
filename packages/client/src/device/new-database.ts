import * as Y from 'yjs'
import type { Clock, Randomness } from '../clock.ts'
import type { Table, Tables } from '../database/contract.ts'
import type { OwnDocuments } from '../database/own-documents.ts'
import { rowsOf } from '../database/person-rows.ts'
import { type MetaValues, schemaRow } from '../database/schema.ts'
import { documentNames } from '../documents/name.ts'
import { newClientId, newNonce } from '../nonce.ts'

/** More rows than one database ever has. The numbers of the next database begin above it. */
const mostRows = 1e9

/** Writes the initial rows of a new database of a new device. */
export async function setUp(db: Tables, user: string, randomness: Randomness, clock: Clock): Promise<void> {
  const first = clock.now()
  await db.meta.bulkPut(metaRows(newHead(randomness, 0, first), { user, writer: newNonce(randomness), first }))
  await Promise.all(numberFrom(db, first))
}

/**
 * Writes the initial rows of a new database of a device that had one before: its documents, and its unsent changes, under the
 * same numbers. The client ids and the writer are new, so no device reuses the ids of structs that only the lost database held.
 * The feed begins from the start, so its data is not included.
 *
 * Makes all its writes synchronously, so that it can run while the database is being created; if that fails, the writes fail.
 */
export function fillFromMemory(
  db: Tables,
  memory: OwnDocuments,
  identity: { user: string; writer: string; device: string },
  randomness: Randomness,
  clock: Clock,
): Promise<unknown> {
  const first = Math.max(clock.now(), memory.firstNumber + mostRows)
  const head = newHead(randomness, memory.generation + 1, first)
  const numbered = memory.unsent.filter(row => row.seq !== undefined)
  const unnumbered = memory.unsent.filter(row => row.seq === undefined)
  return Promise.all([
    db.meta.bulkPut([
      ...metaRows(head, { ...identity, first }),
      ...(['limits', 'hands', 'known', 'originals', 'removed'] as const).map(key => ({ key, value: memory[key] })),
      // Otherwise, the content would count as that of a new device, and be restored to another account [D7].
      ...(memory.incarnation ? [{ key: 'incarnation', value: memory.incarnation }] : []),
    ]),
    db.snapshots.bulkPut(
      documentNames.map(document => ({ document, update: Y.encodeStateAsUpdateV2(memory[document].doc) })),
    ),
    db.outbox.bulkPut(numbered),
    ...numberFrom(db, first),
    db.outbox.bulkAdd(unnumbered),
    db.people.bulkPut(rowsOf(memory.roster.view, memory.hands)),
  ])
}

/** Rows are numbered above all rows of earlier databases of this name, so that no tab takes a new row for an old one. */
function numberFrom(db: Tables, first: number): PromiseLike<unknown>[] {
  const tables = [db.updates, db.outbox] as unknown as Table<object, number>[]
  return tables.flatMap(table => [table.put({ seq: first }), table.delete(first)])
}

function newHead(randomness: Randomness, generation: number, snapshotSeq: number): MetaValues['head'] {
  return {
    ...{ generation, snapshotSeq },
    clientIds: { roster: newClientId(randomness), profile: newClientId(randomness) },
  }
}

function metaRows(
  head: MetaValues['head'],
  identity: MetaValues['identity'],
): { key: keyof MetaValues; value: unknown }[] {
  return [schemaRow, { key: 'identity', value: identity }, { key: 'head', value: head }]
}
