import type { Draft } from '../../relations/draft.ts'
import { nextRevocation } from '../../relations/revocation.ts'
import type { LevelReads } from './level-records.ts'
import { type Operation, operationOf, operationsOfEvent, revocationOf } from './operations.ts'

/** The number of operations that are encoded in one slice. */
const operationsInTurn = 100

/**
 * Encodes the writes of a draft, in slices. `reads` finds the records to remove. Of two operations on one key the last counts,
 * so removals come first. `confirmedMs`: a look-up counts as charged then if the clock is behind. Otherwise it would lapse as
 * soon as the clock is right.
 */
export async function encode(reads: LevelReads, draft: Draft, confirmedMs: number): Promise<Operation[]> {
  const turns = draft.turns(operationsInTurn)
  const operations: Operation[] = []
  const revoked: string[] = []
  for (const removal of draft.removals()) {
    for await (const key of reads.keysOf(removal)) {
      operations.push({ type: 'del', key })
      if (turns.isOver()) await turns.pass()
    }
  }
  for (const write of draft.writes()) {
    if (write.kind === 'revocation') revoked.push(write.id)
    else if (write.kind === 'event') operations.push(...operationsOfEvent(write))
    else if (write.kind === 'asked') {
      operations.push(operationOf({ ...write, atMs: Math.max(write.atMs, confirmedMs) }))
    } else operations.push(operationOf(write))
    if (turns.isOver()) await turns.pass()
  }
  return [...operations, ...(await revoke(reads, revoked, draft.nowMs))]
}

/** Dates revocations of tokens. */
export async function revoke(reads: LevelReads, ids: readonly string[], nowMs: number): Promise<Operation[]> {
  if (ids.length === 0) return []
  const before = await reads.revokedAtMs(ids)
  return ids.map((id, index) => revocationOf(id, nextRevocation(before[index] as number, nowMs)))
}
