import * as Y from 'yjs'
import { isRemakingClientId } from '../nonce.ts'
import { appendPart, type Part, partsOf } from './deleted-parts.ts'
import type { DeletedRange } from './update-writer.ts'

export interface ReplacingOptions {
  /** Whether the update brings this struct. */
  isBrought(id: Y.ID): boolean
  /** Whether this struct waits in the outbox, behind what is sent now. */
  isUnsent(id: Y.ID): boolean
  /**
   * Another must not see a replaced value, not even for a moment. Then only an entry that was made again is left out, if the
   * one that counts did not know it: the device that made it again would take its removal for the user's.
   */
  showsValues?: boolean
}

/**
 * Without the deletions that are no removals: an entry that gave way to another entry of the same key, which the update
 * brings. The server deletes the replaced entry by itself when it gets the other. If the deletion came first, the key would be
 * absent on the server in between, though no user removed it.
 *
 * An entry that was removed, and put again later by a change that is still unsent, is a removal: changes made in between
 * must not become visible to those who lost the access [V6].
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
 * Whether `entry` was made by a device that had not seen the id `clock` of `item`. Yjs makes an entry after the rightmost one
 * of its key that it knows, so what stands to the right of that one was unknown.
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
 * Yjs joins removed entries of one device and key to one struct. The entry that counts may have been made after one of them:
 * the part up to that one was known to its device, the part behind it was not.
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
