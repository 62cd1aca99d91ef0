import { type FieldValue, type KeyChange, sameValue } from '@kith/shared'
import * as Y from 'yjs'
import { isRemakingClientId } from '../nonce.ts'
import { addressOf, keyName } from './lost.ts'
import type { OwnDocument } from './own-document.ts'

/** Entries that were made again and have no predecessor: `root key` → the client id that wrote the entry, and its value. */
export type MadeAgain = ReadonlyMap<string, { client: number; value: FieldValue }>

/** Returns such entries of an update. Of several entries of one key, the one of the highest client id, which wins in Yjs. */
export function madeAgainIn(update: Uint8Array): MadeAgain {
  const brought = new Map<string, { client: number; value: FieldValue }>()
  for (const struct of Y.decodeUpdate(update).structs) {
    if (!(struct instanceof Y.Item) || struct.parentSub === null) continue
    const { id, parentSub, content } = struct
    const parent: unknown = struct.parent
    if (typeof parent !== 'string' || !isRemakingClientId(id.client) || content instanceof Y.ContentDeleted) continue
    const name = keyName({ root: parent, key: parentSub })
    const [value] = content.getContent() as [FieldValue]
    if (id.client > (brought.get(name)?.client ?? 0)) brought.set(name, { client: id.client, value })
  }
  return brought
}

/**
 * Two devices made an entry again under the same key with different values, and neither knew the other's entry. Returns the
 * changes that put this document's value, which won, again. The new entry builds on the old one. So the other device's entry is
 * removed before it, as any replaced value is. The other device takes this for the user's removal of the key, but it removes no
 * entry that builds on another.
 */
export function putAbove(own: OwnDocument, brought: MadeAgain): KeyChange[] {
  return [...brought].flatMap(([name, other]) => {
    const { root, key } = addressOf(name)
    const last = own.doc.getMap(root)._map.get(key)
    const value = own.standing.get(root, key)
    if (!last || value === undefined || last.id.client === other.client || sameValue(value, other.value)) return []
    if (!isRemakingClientId(last.id.client) || last.origin !== null) return []
    const remove = { root, key, value: undefined }
    return [remove, { root, key, value }]
  })
}
