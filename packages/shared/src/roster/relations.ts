import type { FlatMaps, KeyChange } from '../flat-maps.ts'
import { isNarrowing } from './edits.ts'
import { namedUsers } from './facts.ts'
import { type RosterRoot, userOfKey } from './keys.ts'

/** Roots whose keys name other users. */
export const namingRoots = ['contacts', 'labels', 'grants', 'subscriptions', 'declined', 'blocks'] as const

/**
 * Whether changes would make a roster name more users than `most` [S3]. Changes that only remove, block or narrow always have
 * room, and so do changes that do not increase the number of named users.
 */
export function exceedsRelations(roster: FlatMaps, changes: readonly KeyChange[], most: number): boolean {
  const additions = changes.filter(({ root, key, value }) => value !== undefined && userOf(root, key) !== undefined)
  if (additions.length === 0 || keyCount(roster) + additions.length <= most) return false
  const before = namedUsers(roster)
  const added = new Set<string>()
  let isWidening = false
  for (const addition of additions) {
    const user = userOf(addition.root, addition.key) as string
    if (before.has(user)) continue
    added.add(user)
    isWidening ||= !isNarrowing(addition)
  }
  const removed = usersLeft(roster, changes)
  return isWidening && added.size > removed && before.size + added.size - removed > most
}

/** An upper bound of the number of named users; cheap, since no key is read. */
function keyCount(roster: FlatMaps): number {
  let count = 0
  for (const root of namingRoots) for (const _ of roster.entries(root)) count++
  return count
}

/** The number of users without any remaining key. */
function usersLeft(roster: FlatMaps, changes: readonly KeyChange[]): number {
  const removed = changes.filter(({ root, key, value }) => value === undefined && roster.has(root, key))
  const users = new Set(removed.map(({ root, key }) => userOf(root, key)).filter(user => user !== undefined))
  if (users.size === 0) return 0
  const gone = new Set(removed.map(({ root, key }) => `${root}/${key}`))
  for (const root of namingRoots) {
    for (const [key] of roster.entries(root)) {
      const user = gone.has(`${root}/${key}`) ? undefined : userOf(root, key)
      if (user !== undefined) users.delete(user)
    }
  }
  return users.size
}

function userOf(root: string, key: string): string | undefined {
  return (namingRoots as readonly string[]).includes(root) ? userOfKey(root as RosterRoot, key) : undefined
}
