import { splitFields } from '@kith/shared/wire'
import { knownFields } from './known-fields.ts'

/** The names of the fields of a level that a commit changed. The previous values are stored nowhere [V5]. */
export interface LevelEdit {
  level: number
  /** Fields that the level had before, and that now have another value or are gone. */
  changed: string[]
  /** Fields that the level did not have before. */
  added: string[]
}

/**
 * Returns the differences between `before`, which is stored, and `after`, both in the format of `encodeFields`. Throws
 * `UnknownRecord` if `before` contains more than this version knows: the edit would drop it.
 */
export function editOf(level: number, before: Uint8Array, after: Uint8Array): LevelEdit {
  const [old, present] = [knownFields(before), splitFields(after)]
  const isOther = (name: string, bytes: Uint8Array): boolean => {
    const now = present.get(name)
    return now === undefined || Buffer.compare(bytes, now) !== 0
  }
  return {
    level,
    changed: [...old].filter(([name, bytes]) => isOther(name, bytes)).map(([name]) => name),
    added: [...present.keys()].filter(name => !old.has(name)),
  }
}
