import type { Draft } from '../../relations/draft.ts'
import { nextRevocation } from '../../relations/revocation.ts'
import type { LevelReads } from './level-records.ts'
import { type Operation, operationOf, revocationOf } from './operations.ts'

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
    operations.push(write.kind === 'revocation' ? await revoke(reads, write.id, draft.nowMs) : operationOf(write))
    if (turns.isOver()) await turns.pass()
  }
  return operations
}

/** Dates a revocation of tokens. */
export async function revoke(reads: LevelReads, id: string, nowMs: number): Promise<Operation> {
  return revocationOf(id, nextRevocation(await reads.revokedAtMs(id), nowMs))
}
