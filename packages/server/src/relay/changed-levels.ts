import type { Known, Store } from '../store/store.ts'

/** More changes than this since a cursor, and each owner is looked at instead. */
const maxChanges = 1000

/** Owner → levels that changed since a position. The shorter way: the store's changes, or the viewer's owners. */
export async function changedLevels(
  store: Store,
  since: number,
  relations: readonly Known[],
): Promise<Map<string, number[]>> {
  const recent = await store.changedSince(since, maxChanges)
  const shown = relations.filter(({ relation }) => relation.shown.length > 0).map(({ owner }) => owner)
  const candidates = recent ? shown.filter(owner => recent.includes(owner)) : shown
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
