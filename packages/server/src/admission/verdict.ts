import type { ErrorCode } from '@kith/shared'

/** What becomes of an update. */
export type Admission =
  /**
   * `content`: it brings values, which the limits of size count; `history`: only names whose values are gone already,
   * which stay in a document all the same; `nothing`: it only removes, and no size counts. `items`: how many it has.
   */
  | { state: 'admitted'; adds: 'content' | 'history' | 'nothing'; items: number }
  /** It builds on what this document lacks: drop it, and ask for all. */
  | { state: 'missing' }
  | { state: 'refused'; code: ErrorCode; what: string }

/** Refused: no document of Kith holds such a struct. */
export function malformed(what: string): Admission {
  return { state: 'refused', code: 'malformed', what }
}
