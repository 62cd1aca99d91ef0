import { splitFields } from '@kith/shared/wire'
import { UnknownRecord } from './unknown-record.ts'

/**
 * Splits the fields of a stored level, like `splitFields`. Throws {@link UnknownRecord} if they contain more than this version
 * knows.
 */
export function knownFields(fields: Uint8Array): Map<string, Uint8Array> {
  try {
    return splitFields(fields)
  } catch {
    throw new UnknownRecord('a level with another form of fields')
  }
}
