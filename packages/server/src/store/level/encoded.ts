import type { AbstractChainedBatch } from 'abstract-level'
import type { Draft } from '../../relations/draft.ts'
import { Turns } from '../../turns.ts'
import type { LevelReads } from './level-records.ts'
import { type Operation, operationOf } from './operations.ts'
import type { LevelDatabase } from './paged-reads.ts'

type LevelBatch = AbstractChainedBatch<LevelDatabase, string, Uint8Array>

/** As many operations as go to LevelDB at once. */
const mostInArray = 4_000
/** As many operations as are encoded without a pause. */
const operationsInTurn = 250

/** All that a draft writes. */
export interface Encoded {
  operations: Operation[]
  /** Holds the operations instead, where there are many. */
  batch: LevelBatch | undefined
}

/**
 * Encodes what a draft writes, in slices. Many operations are handed to LevelDB at once. `reads` finds what is removed. Of two
 * operations on one key the last counts, so removals come first.
 */
export async function encode(database: LevelDatabase, reads: LevelReads, draft: Draft): Promise<Encoded> {
  const turns = new Turns(operationsInTurn)
  const removed = await removedKeys(reads, draft, turns)
  const operations: Operation[] = []
  const batch = draft.size + removed.length > mostInArray ? database.batch() : undefined
  for (const operation of operationsOf(removed, draft)) {
    if (batch) add(batch, operation)
    else operations.push(operation)
    if (turns.isOver()) await turns.pass()
  }
  return { operations, batch }
}

async function removedKeys(reads: LevelReads, draft: Draft, turns: Turns): Promise<string[]> {
  const removed: string[] = []
  for (const removal of draft.removals()) {
    for await (const key of reads.keysOf(removal)) {
      removed.push(key)
      if (turns.isOver()) await turns.pass()
    }
  }
  return removed
}

function* operationsOf(removed: readonly string[], draft: Draft): Iterable<Operation> {
  for (const key of removed) yield { type: 'del', key }
  for (const write of draft.writes()) yield operationOf(write)
}

/** Writes and syncs, as one atomic batch. `more` comes behind the rest: of two operations on one key the last counts. */
export async function writeSynced(
  database: LevelDatabase,
  { operations, batch }: Encoded,
  more: readonly Operation[],
): Promise<void> {
  if (batch) {
    for (const operation of more) add(batch, operation)
    await batch.write({ sync: true } as object)
  } else await database.batch([...operations, ...more], { sync: true } as object)
}

function add(batch: LevelBatch, operation: Operation): void {
  if (operation.type === 'put') batch.put(operation.key, operation.value)
  else batch.del(operation.key)
}
