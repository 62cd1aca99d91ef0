import type { Draft } from '../../relations/draft.ts'
import type { LevelReads } from './level-records.ts'
import { type Operation, operationOf } from './operations.ts'

/** As many operations as are encoded without a pause. */
const operationsInTurn = 250

/**
 * Encodes what a draft writes, in slices. `reads` finds what is removed. Of two operations on one key the last counts, so
 * removals come first.
 */
export async function encode(reads: LevelReads, draft: Draft): Promise<Operation[]> {
  const turns = draft.turns(operationsInTurn)
  const operations: Operation[] = []
  for (const removal of draft.removals()) {
    for await (const key of reads.keysOf(removal)) {
      operations.push({ type: 'del', key })
      if (turns.isOver()) await turns.pass()
    }
  }
  for (const write of draft.writes()) {
    operations.push(operationOf(write))
    if (turns.isOver()) await turns.pass()
  }
  return operations
}
