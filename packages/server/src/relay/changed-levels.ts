import type { Known, Store } from '../store/store.ts'

/** More changes than this since a cursor, and each owner is looked at instead. */
const maxChanges = 1000

/** Owners whose profile changed since a position; `undefined` when these are too many to name. */
export async function changedOwners(store: Store, since: number): Promise<ReadonlySet<string> | undefined> {
  const owners = await store.changedSince(since, maxChanges)
  return owners && new Set(owners)
}

/**
 * Owner → levels that changed since a position, for some of a viewer's relations. The shorter way: the store's changes
 * (`recent`), or these owners.
 */
export async function changedLevels(
  store: Store,
  since: number,
  recent: ReadonlySet<string> | undefined,
  relations: readonly Known[],
): Promise<Map<string, number[]>> {
  const shown = relations.filter(({ relation }) => relation.shown.length > 0).map(({ owner }) => owner)
  const candidates = recent ? shown.filter(owner => recent.has(owner)) : shown
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
