import { type KeyChange, type RosterRoot, userOfKey } from '@kith/shared'
import { keyName } from '../documents/lost.ts'
import { readMeta, writeMeta } from './meta.ts'
import type { Turned } from './schema.ts'
import type { Work } from './work.ts'

/** The maximum number of counted keys. More would not be more informative. */
const mostCounted = 64
/** Once or twice may be a change of mind. */
const timesUntilReported = 3

/** Of these changes, those that set a key which was set before and removed since. */
export function turnedAgain(work: Work, changes: readonly KeyChange[]): KeyChange[] {
  const { doc } = work.documents.roster
  return changes.filter(
    ({ root, key, value }) => value !== undefined && doc.getMap(root)._map.get(key)?.deleted === true,
  )
}

/** The users that the changes name, each once. */
export function usersOf(changes: readonly KeyChange[]): Set<string> {
  const users = changes.map(({ root, key }) => userOfKey(root as RosterRoot, key))
  return new Set(users.filter(user => user !== undefined))
}

/** Counts keys that `sync` has set again. Resolves to `true` the first time that some key was set again repeatedly. */
export async function countTurned(work: Work, turned: readonly KeyChange[]): Promise<boolean> {
  const known: Turned = (await readMeta(work.db, 'turned')) ?? { counts: new Map(), isReported: false }
  const counts = new Map(known.counts)
  const names = turned.map(keyName)
  // A key that turned once long ago is replaceable. Keys of this call are not, or many keys that turn together would never
  // count.
  const replaceable = [...counts].flatMap(([name, count]) => (count === 1 && !names.includes(name) ? [name] : []))
  for (const name of names) {
    if (!counts.has(name) && counts.size >= mostCounted) {
      const [replaced] = replaceable.splice(0, 1)
      if (replaced === undefined) continue
      counts.delete(replaced)
    }
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const isReported = known.isReported || [...counts.values()].some(count => count >= timesUntilReported)
  await writeMeta(work.db, 'turned', { counts, isReported })
  return isReported && !known.isReported
}
