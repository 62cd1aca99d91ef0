import { splitFields } from '@kith/shared/wire'

/** The names of the fields of a level that a commit changed. What they were before is kept nowhere [V5]. */
export interface LevelEdit {
  level: number
  /** The level had them before: now they have another value, or are gone. */
  changed: string[]
  /** The level did not have them before. */
  added: string[]
}

/** What is other in `after` than in `before`, both as `encodeFields` has them. */
export function editOf(level: number, before: Uint8Array, after: Uint8Array): LevelEdit {
  const [old, present] = [splitFields(before), splitFields(after)]
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
