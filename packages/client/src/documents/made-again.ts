import { type FieldValue, type KeyChange, sameValue } from '@kith/shared'
import * as Y from 'yjs'
import { isRemakingClientId } from '../nonce.ts'
import { addressOf, keyName } from './lost.ts'
import type { OwnDocument } from './own-document.ts'

/** Entries that were made again, and that build on no other: `root key` → the client id that wrote it, and what it says. */
export type MadeAgain = ReadonlyMap<string, { client: number; value: FieldValue }>

/** Those that an update brings. Of several entries of one key, that of the highest client id, which Yjs lets count. */
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
 * The changes that put once more what the document holds under a key where another device's entry, which says something
 * else, gave way. Both were made again, and neither device knew the other's. The value that is put builds on what it met: so the
 * other one is removed ahead of it, as any replaced value is; and the other device, which takes this for the user's removal of
 * the key, removes no entry that builds on another.
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
