import {
  type ErrorCode,
  flatMapsOf,
  isNarrowing,
  namedUsers,
  namingRoots,
  type RosterRoot,
  userOfKey,
} from '@kith/shared'
import * as Y from 'yjs'
import { ItemsByClient } from './items-by-client.ts'
import { Places } from './places.ts'

/**
 * The number of users that a roster names, for the limit `relations` [S3]. Counting takes time in proportion to the size of the
 * roster. So it is done only when an upper bound comes near the limit.
 */
export class RelationCount {
  /** An upper bound: the last count, and everything that may have been added since. */
  #atMost = 0

  /**
   * Returns an error if an admitted update that adds something would exceed the limit. An update that only removes, blocks or
   * narrows always has room, and so does an update after which no more users are named than before. `items`: the number of
   * items in the update, each of which names at most one user.
   */
  error(doc: Y.Doc, update: Uint8Array, items: number, most: number): ErrorCode | undefined {
    if (this.#atMost === 0) this.#atMost = keyCount(doc)
    if (this.#atMost + items <= most) {
      this.#atMost += items
      return undefined
    }
    const named = namedUsers(flatMapsOf(doc))
    this.#atMost = named.size
    const { added, removed } = changeOf(doc, update, named)
    const isMore = added.isWidening && added.users.size > removed
    if (isMore && named.size + added.users.size - removed > most) return 'too-many-relations'
    this.#atMost += added.users.size
    return undefined
  }
}

function keyCount(doc: Y.Doc): number {
  let count = 0
  for (const root of namingRoots) count += doc.getMap(root)._map.size
  return count
}

interface Addition {
  /** Users whom the roster does not name yet. */
  users: Set<string>
  /** Whether part of it gives others more than they have. */
  isWidening: boolean
}

/** Returns the users whom an update newly names, and how many users it no longer names. */
function changeOf(doc: Y.Doc, update: Uint8Array, named: ReadonlySet<string>): { added: Addition; removed: number } {
  const { structs, ds } = Y.decodeUpdate(update)
  const items = structs.filter(struct => struct instanceof Y.Item)
  const places = new Places(doc, new ItemsByClient(items))
  const added: Addition = { users: new Set(), isWidening: false }
  for (const item of items) {
    if (item.id.clock + item.length <= Y.getState(doc.store, item.id.client) || isRemoved(item, ds)) continue
    const place = places.of(item)
    const user = place && userOfKey(place.root as RosterRoot, place.key)
    if (!place || user === undefined || named.has(user)) continue
    added.users.add(user)
    added.isWidening ||= isNarrowing({ ...place, value: true }) === false
  }
  return { added, removed: removedUsers(doc, ds) }
}

function isRemoved(item: Y.Item, removals: ReturnType<typeof Y.decodeUpdate>['ds']): boolean {
  return item.content instanceof Y.ContentDeleted || Y.isDeleted(removals, item.id)
}

/** Returns the number of users who would have no key left. */
function removedUsers(doc: Y.Doc, removals: ReturnType<typeof Y.decodeUpdate>['ds']): number {
  const removedKeys = new Map<string, number>()
  for (const root of namingRoots) {
    for (const [key, item] of doc.getMap(root)._map) {
      if (item.deleted || !Y.isDeleted(removals, item.lastId)) continue
      const user = userOfKey(root, key)
      if (user !== undefined) removedKeys.set(user, (removedKeys.get(user) ?? 0) + 1)
    }
  }
  if (removedKeys.size === 0) return 0
  const keptKeys = new Map<string, number>()
  for (const root of namingRoots) {
    for (const [key, item] of doc.getMap(root)._map) {
      const user = item.deleted ? undefined : userOfKey(root, key)
      if (user !== undefined && removedKeys.has(user)) keptKeys.set(user, (keptKeys.get(user) ?? 0) + 1)
    }
  }
  let gone = 0
  for (const [user, count] of removedKeys) if (keptKeys.get(user) === count) gone++
  return gone
}
