import { type Fields, flatMapsOf } from '@kith/shared'
import { accountFile } from '@kith/shared/account'
import type { StoredDocument } from './stored-document.ts'

/** The content of an account's export file in addition to the roster. */
export interface ExportedBeside {
  user: string
  /** Milliseconds since 1970. */
  exportedAtMs: number
  /** The fields of each level. */
  profile: ReadonlyMap<number, Fields>
  /** For ids that have changed hands, the incarnation that the roster must confirm [D7]. */
  unconfirmed: ReadonlyMap<string, string>
}

/**
 * Returns the export file of an account, in JSON. It contains what the user wrote. It does not contain what others say about
 * the user, because that belongs to them.
 */
export function exportedBytes({ doc }: StoredDocument, { unconfirmed, ...beside }: ExportedBeside): Uint8Array {
  const file = accountFile({ ...beside, roster: flatMapsOf(doc), unconfirmedOf: id => unconfirmed.get(id) ?? '' })
  return new TextEncoder().encode(JSON.stringify(file))
}
