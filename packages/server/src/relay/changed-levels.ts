import type { Store } from '../relations/store.ts'
import type { Known } from '../relations/views.ts'
import type { RecentChanges } from './recent-changes.ts'

/** If there are more changes than this since a cursor, each owner is checked instead. */
const maxChanges = 1000

/** Returns those of some owners whose profile may have changed since a position. */
export type Among = (owners: readonly string[]) => readonly string[]

/** Determines once, for all owners of a viewer, which of them must be read. */
export async function changedSince(store: Store, recent: RecentChanges, since: number): Promise<Among> {
  if (recent.amongSince([], since)) return owners => recent.amongSince(owners, since) ?? owners
  return amongLogged(store, since)
}

/** The position is from before this server started. Takes the shorter way: the store's changes or all owners. */
async function amongLogged(store: Store, since: number): Promise<Among> {
  const logged = await store.changedSince(since, maxChanges)
  if (!logged) return owners => owners
  const changed = new Set(logged)
  return owners => owners.filter(owner => changed.has(owner))
}

/**
 * Owner → levels that changed since a position, for some of a viewer's relations. Only owners who are shown to the viewer are
 * included.
 */
export async function changedLevels(
  store: Store,
  since: number,
  among: Among,
  relations: readonly Known[],
): Promise<Map<string, number[]>> {
  const candidates = among(relations.filter(({ relation }) => relation.shown.length > 0).map(({ owner }) => owner))
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
