import type { Known, Store } from '../store/store.ts'
import type { RecentChanges } from './recent-changes.ts'

/** More changes than this since a cursor, and each owner is looked at instead. */
const maxChanges = 1000

/** Owner → levels that changed since a position, of those whom the viewer is shown. */
export async function changedLevels(
  store: Store,
  recent: RecentChanges,
  since: number,
  relations: readonly Known[],
): Promise<Map<string, number[]>> {
  const shown = relations.filter(({ relation }) => relation.shown.length > 0).map(({ owner }) => owner)
  const candidates = recent.amongSince(shown, since) ?? (await amongLogged(store, since, shown))
  const users = await store.users(candidates)
  const changed = new Map<string, number[]>()
  candidates.forEach((owner, index) => {
    const levels = Object.entries(users[index]?.levels ?? {}).filter(([, position]) => position > since)
    if (levels.length > 0)
      changed.set(
        owner,
        levels.map(([level]) => Number(level)),
      )
  })
  return changed
}

/** From before this server began: the shorter way, the store's changes or all owners. */
async function amongLogged(store: Store, since: number, shown: string[]): Promise<string[]> {
  const logged = await store.changedSince(since, maxChanges)
  return logged ? shown.filter(owner => logged.includes(owner)) : shown
}
