import * as Y from 'yjs'
import { isRemakingClientId } from '../nonce.ts'
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
  const isReplaced = (item: Y.Item): boolean => {
    const there = liveEntry(item)
    if (!there || !isBrought(there.id)) return false
    if (showsValues) return isRemakingClientId(item.id.client) && wasUnknownTo(there, item)
    return !isUnsent(there.id) || wasUnknownTo(there, item)
  }
  return ranges.flatMap(range => {
    const kept: DeletedRange[] = []
    for (const part of partsOf(doc, range)) {
      if (part.struct instanceof Y.Item && isReplaced(part.struct)) continue
      const last = kept.at(-1)
      if (last && last.clock + last.len === part.clock) last.len += part.len
      else kept.push({ client: range.client, clock: part.clock, len: part.len })
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
 * Whether `entry` was made by a device that had not seen `item`. Yjs makes an entry after the rightmost one of its key that
 * it knows, so `item` was unknown if it stands to the right of that one.
 */
function wasUnknownTo(entry: Y.Item, item: Y.Item): boolean {
  const { origin } = entry
  if (origin === null) return true
  for (let left = item.left; left; left = left.left) {
    if (
      left.id.client === origin.client &&
      left.id.clock <= origin.clock &&
      origin.clock < left.id.clock + left.length
    ) {
      return true
    }
  }
  return false
}

/** The parts of a range, each within one struct of the document. */
function partsOf(
  { store }: Y.Doc,
  { client, clock, len }: DeletedRange,
): { struct: Y.Item | Y.GC | undefined; clock: number; len: number }[] {
  const structs = store.clients.get(client) ?? []
  const end = clock + len
  const known = Math.min(end, Y.getState(store, client))
  const parts: ReturnType<typeof partsOf> = []
  let at = clock
  for (let index = at < known ? Y.findIndexSS(structs, at) : structs.length; at < known; index++) {
    const struct = structs[index] as Y.Item | Y.GC
    const next = Math.min(known, struct.id.clock + struct.length)
    parts.push({ struct, clock: at, len: next - at })
    at = next
  }
  if (at < end) parts.push({ struct: undefined, clock: at, len: end - at })
  return parts
}
