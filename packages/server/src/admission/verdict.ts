import type { ErrorCode } from '@kith/shared'
import type { Removals } from './item-values.ts'
import type { MergingCost } from './merging-cost.ts'

/**
 * The highest category among the items that an update adds. `content`: values, which count towards the size limits. `history`:
 * names whose values have been removed, which stay in a document nevertheless. `narrowing`: only items that take something away
 * from others (blocks, declined users, narrower privacy), which always have room [R4]. `nothing`: the update only removes.
 */
export type Additions = 'content' | 'history' | 'narrowing' | 'nothing'

/** The result of the admission of an update. */
export type Admission =
  | { state: 'admitted'; adds: Additions; merging: MergingCost; removals: Removals }
  /** The update builds on content that this document lacks: drop it, and request the whole state. */
  | { state: 'missing' }
  | { state: 'refused'; code: ErrorCode; what: string }

/** Refused: no document of Kith holds such a struct. */
export function malformed(what: string): Admission {
  return { state: 'refused', code: 'malformed', what }
}
