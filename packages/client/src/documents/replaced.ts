import * as Y from 'yjs'
import { isRemakingClientId } from '../nonce.ts'
import { appendPart, type Part, partsOf } from './deleted-parts.ts'
import type { DeletedRange } from './update-writer.ts'

export interface ReplacingOptions {
  /** Whether the update contains this struct. */
  isBrought(id: Y.ID): boolean
  /** Whether this struct waits in the outbox, behind the current update. */
  isUnsent(id: Y.ID): boolean
  /**
   * Set if other users must not see a replaced value, not even for a moment. Then only the deletion of an entry that was made
   * again is omitted, if the current entry was made without knowledge of it: the device that made it again would take its
   * deletion for the user's removal.
   */
  showsValues?: boolean
}

/**
 * Omits deletions that are not removals: of an entry that was replaced by another entry of the same key, which the update
 * contains. The server deletes the replaced entry automatically when it receives the other one. If the deletion came first, the
 * key would be absent on the server in between, though no user removed it.
 *
 * If an entry was removed, and was put again later by a change that is still unsent, its deletion is a removal: changes made in
 * between must not become visible to viewers who lost access [V6].
 */
export function withoutReplaced(
  doc: Y.Doc,
  ranges: readonly DeletedRange[],
  { isBrought, isUnsent, showsValues = false }: ReplacingOptions,
): DeletedRange[] {
  const isReplaced = (item: Y.Item, clock: number): boolean => {
    const there = liveEntry(item)
    if (!there || !isBrought(there.id)) return false
    if (showsValues) return isRemakingClientId(item.id.client) && wasUnknownTo(there, item, clock)
    return !isUnsent(there.id) || wasUnknownTo(there, item, clock)
  }
  return ranges.flatMap(range => {
    const kept: DeletedRange[] = []
    for (const part of partsOf(doc, range).flatMap(cutAtOrigin)) {
      if (part.struct instanceof Y.Item && isReplaced(part.struct, part.clock)) continue
      appendPart(kept, range.client, part)
    }
    return kept
  })
}

/** The entry that the document now shows under the key of `item`. */
function liveEntry({ parent, parentSub }: Y.Item): Y.Item | undefined {
  if (parentSub === null || !(parent instanceof Y.AbstractType)) return undefined
  const entry = parent._map.get(parentSub)
  return entry?.deleted === false ? entry : undefined
}

/**
 * Whether `entry` was made by a device that had not seen the id `clock` of `item`. Yjs makes an entry after the rightmost known
 * entry of its key, so entries to the right of that one were unknown.
 */
function wasUnknownTo(entry: Y.Item, item: Y.Item, clock: number): boolean {
  const { origin } = entry
  if (origin === null) return true
  if (holds(item, origin)) return clock > origin.clock
  for (let left = item.left; left; left = left.left) {
    if (holds(left, origin)) return true
  }
  return false
}

const holds = ({ id, length }: Y.Item, { client, clock }: Y.ID): boolean =>
  id.client === client && id.clock <= clock && clock < id.clock + length

/**
 * Yjs merges removed entries of one device and key into one struct. The current entry may have been made after one of them: its
 * device knew the part up to that one, and not the part after it.
 */
function cutAtOrigin(part: Part): Part[] {
  const { struct, clock, len } = part
  const origin = struct instanceof Y.Item ? liveEntry(struct)?.origin : undefined
  if (!origin || struct?.id.client !== origin.client) return [part]
  const known = origin.clock + 1 - clock
  if (known <= 0 || known >= len) return [part]
  return [
    { struct, clock, len: known },
    { struct, clock: clock + known, len: len - known },
  ]
}
