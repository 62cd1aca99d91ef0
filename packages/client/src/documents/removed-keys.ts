import type { KeyChange } from '@kith/shared'
import type * as Y from 'yjs'
import { isRemakingClientId } from '../nonce.ts'
import { addressOf, keyName } from './lost.ts'
import type { MadeAgain } from './made-again.ts'
import type { OwnDocument } from './own-document.ts'

/** Keys that this device knew to be removed when it rebuilt the document on a state without them, as `root key`. */
export type RemovedKeys = ReadonlySet<string>

/** Roots whose removals show more to others. Removed entries of these may come back, since the private side wins. */
export const mayComeBack: ReadonlySet<string> = new Set(['blocks', 'privacy'])

const mostRemembered = 100_000

/**
 * The keys that stay removed when the document is rebuilt on the server's state. Such a removal leaves no trace there, and
 * another device that does not know it may make the entry again.
 */
export function removedKeys(own: OwnDocument, server: OwnDocument, earlier: RemovedKeys = new Set()): RemovedKeys {
  const removed = new Set(earlier)
  for (const root of own.roots) {
    for (const [key, { deleted }] of own.doc.getMap(root)._map) {
      const name = keyName({ root, key })
      if (!deleted) removed.delete(name)
      else if (!mayComeBack.has(root) && !server.doc.getMap(root)._map.has(key)) removed.add(name)
    }
  }
  // The oldest are forgotten: only a dishonest server makes a device remember so many.
  return new Set([...removed].slice(-mostRemembered))
}

/**
 * Of these keys, those that this device knows to be removed, although the document may contain an entry that another device
 * makes again: keys without an entry, and keys whose entry was made again and then removed. Of two entries that were made
 * again, the one of the higher client id would win in Yjs.
 */
export function goneKeys(
  own: OwnDocument,
  removed: RemovedKeys = new Set(),
  names: readonly string[] = allKeys(own, removed),
): string[] {
  return names.filter(name => {
    const { root, last } = lastEntry(own, name)
    if (!last) return removed.has(name)
    return last.deleted && isRemakingClientId(last.id.client) && !mayComeBack.has(root)
  })
}

function allKeys(own: OwnDocument, removed: RemovedKeys): string[] {
  const keys = own.roots.flatMap(root => [...own.doc.getMap(root)._map.keys()].map(key => keyName({ root, key })))
  return [...new Set([...removed, ...keys])]
}

/**
 * Returns the changes that remove the entries of these keys again, if another device made them again. `brought`: only these
 * entries.
 */
export function removedAgain(own: OwnDocument, names: readonly string[], brought?: MadeAgain): KeyChange[] {
  return names.flatMap(name => {
    const { root, key, last } = lastEntry(own, name)
    if (!last || last.deleted || !isRemakingClientId(last.id.client)) return []
    if (brought && brought.get(name)?.client !== last.id.client) return []
    return [{ root, key, value: undefined }]
  })
}

function lastEntry(own: OwnDocument, name: string): { root: string; key: string; last: Y.Item | undefined } {
  const { root, key } = addressOf(name)
  return { root, key, last: own.doc.getMap(root)._map.get(key) }
}
