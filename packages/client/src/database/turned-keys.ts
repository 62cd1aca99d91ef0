import { type KeyChange, type RosterRoot, userOfKey } from '@kith/shared'
import { keyName } from '../documents/lost.ts'
import { readMeta, writeMeta } from './meta.ts'
import type { Turned } from './schema.ts'
import type { Work } from './work.ts'

/** So many keys are counted. More would not tell more. */
const mostCounted = 64
/** Once or twice a person may have changed their mind. */
const timesUntilReported = 3

/** Of these changes, those that set what was set before and taken away since. */
export function turnedAgain(work: Work, changes: readonly KeyChange[]): KeyChange[] {
  const { doc } = work.documents.roster
  return changes.filter(
    ({ root, key, value }) => value !== undefined && doc.getMap(root)._map.get(key)?.deleted === true,
  )
}

/** The users whom changes name, once each. */
export function usersOf(changes: readonly KeyChange[]): Set<string> {
  const users = changes.map(({ root, key }) => userOfKey(root as RosterRoot, key))
  return new Set(users.filter(user => user !== undefined))
}

/** Counts keys that `sync` has turned. Returns `true` the first time that some have been turned again and again. */
export async function countTurned(work: Work, turned: readonly KeyChange[]): Promise<boolean> {
  const known: Turned = (await readMeta(work.db, 'turned')) ?? { counts: new Map(), isReported: false }
  const counts = new Map(known.counts)
  const names = turned.map(keyName)
  // A key that turned once, years ago, makes room. One that turns again now stays, or many that turn together would never count.
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
