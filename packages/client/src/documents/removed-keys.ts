import type { KeyChange } from '@kith/shared'
import type * as Y from 'yjs'
import { isRemakingClientId } from '../nonce.ts'
import { addressOf, keyName } from './lost.ts'
import type { OwnDocument } from './own-document.ts'

/** Keys that this device knew to be removed when it built the document upon a state without them, as `root key`. */
export type RemovedKeys = ReadonlySet<string>

/** Roots whose removals show more to others: what was removed may come back, since the private side wins. */
const mayComeBack: ReadonlySet<string> = new Set(['blocks', 'privacy'])

/**
 * The keys that stay removed when the document is built upon the server's state: such a removal leaves no trace there, and
 * another device, which has not heard of it, may make the entry again.
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
  return removed
}

/** The removed keys of which the document has no entry, not even a removed one. */
export function keysWithoutEntry(own: OwnDocument, removed: RemovedKeys): string[] {
  return [...removed].filter(name => lastEntry(own, name).last === undefined)
}

/** The changes that remove the entries of these keys once more: entries which another device made again. */
export function removedAgain(own: OwnDocument, names: readonly string[]): KeyChange[] {
  return names.flatMap(name => {
    const { root, key, last } = lastEntry(own, name)
    const isMadeAgain = last !== undefined && !last.deleted && isRemakingClientId(last.id.client)
    return isMadeAgain ? [{ root, key, value: undefined }] : []
  })
}

function lastEntry(own: OwnDocument, name: string): { root: string; key: string; last: Y.Item | undefined } {
  const { root, key } = addressOf(name)
  return { root, key, last: own.doc.getMap(root)._map.get(key) }
}
