import type { ErrorCode } from '@kith/shared'
import type { Removals } from './item-values.ts'
import type { MergingCost } from './merging-cost.ts'

/**
 * What an update adds, the most that any of its items does. `content`: values, which the limits of size count; `history`: names
 * whose values are gone already, which stay in a document all the same; `narrowing`: only what takes something away from
 * others (blocks, declined users, narrower privacy), which always has room [R4]; `nothing`: it only removes.
 */
export type Additions = 'content' | 'history' | 'narrowing' | 'nothing'

/** What becomes of an update. */
export type Admission =
  | { state: 'admitted'; adds: Additions; merging: MergingCost; removals: Removals }
  /** It builds on what this document lacks: drop it, and ask for all. */
  | { state: 'missing' }
  | { state: 'refused'; code: ErrorCode; what: string }

/** Refused: no document of Kith holds such a struct. */
export function malformed(what: string): Admission {
  return { state: 'refused', code: 'malformed', what }
}
