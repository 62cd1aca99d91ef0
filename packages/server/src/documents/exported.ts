import { type Fields, flatMapsOf } from '@kith/shared'
import { accountFile } from '@kith/shared/account'
import type { StoredDocument } from './stored-document.ts'

/** What the file of an account has besides the roster. */
export interface ExportedBeside {
  user: string
  /** In milliseconds since 1970. */
  exportedAtMs: number
  /** The fields of each level. */
  profile: ReadonlyMap<number, Fields>
  /** Of ids that have changed hands, the incarnation that the roster is to confirm [D7]. */
  unconfirmed: ReadonlyMap<string, string>
}

/** The file of an account, in JSON: what the user wrote. Not what others say of the user: that is theirs. */
export function exportedBytes({ doc }: StoredDocument, { unconfirmed, ...beside }: ExportedBeside): Uint8Array {
  const file = accountFile({ ...beside, roster: flatMapsOf(doc), unconfirmedOf: id => unconfirmed.get(id) ?? '' })
  return new TextEncoder().encode(JSON.stringify(file))
}
