import { isNarrowing, type KeyChange } from '@kith/shared'
import type { SaidAgain } from '../documents/said-again.ts'
import type { Tables } from './contract.ts'
import { pendingEntries } from './outbox.ts'

/** Changes that are made again in one entry of the outbox. */
export interface SaidPart {
  changes: readonly KeyChange[]
  /** A server has had them: they are made again under a remaking client id. */
  isRemade: boolean
  /** They are sent before all waiting entries. */
  isAhead: boolean
}

/**
 * Narrowing changes are sent before all waiting entries of the outbox: an edit that was made after a revocation must not become
 * visible before the revocation [V6]. A change that was never sent goes ahead only if it is a removal, because other changes
 * build on earlier ones.
 */
export function partsOfSaid({ neverTaken, taken }: SaidAgain): SaidPart[] {
  const removes = (change: KeyChange): boolean => isNarrowing(change) && change.value === undefined
  const parts = [
    { changes: taken.filter(isNarrowing), isRemade: true, isAhead: true },
    { changes: neverTaken.filter(removes), isRemade: false, isAhead: true },
    { changes: neverTaken.filter(change => !removes(change)), isRemade: false, isAhead: false },
    { changes: taken.filter(change => !isNarrowing(change)), isRemade: true, isAhead: false },
  ]
  return parts.filter(({ changes }) => changes.length > 0)
}

/**
 * The number of an outbox entry that is sent before all waiting ones. Absent when the entry goes to the end: it does not go
 * ahead, no entry waits, or no number is left there. The number is a fraction, so the entries around it keep their numbers,
 * with which they are acknowledged and waited for.
 */
export async function placeOf(db: Tables, { isAhead }: SaidPart): Promise<{ seq?: number }> {
  const [{ seq: first } = {}] = isAhead ? await pendingEntries(db, 1) : []
  if (first === undefined) return {}
  const { seq: before = first - 1 } = (await db.outbox.where(':id').below(first).last()) ?? {}
  const seq = (before + first) / 2
  return before < seq && seq < first ? { seq } : {}
}
