import type { Commit } from '@kith/server'

/** The first commit, of Alice's. It concerns no other user, except by these changes. */
export function commitWith(changes: Partial<Commit>): Commit {
  return {
    position: 1,
    subjects: ['alice'],
    pairs: [],
    standings: [],
    strangers: [],
    hidings: [],
    levels: new Map(),
    edits: [],
    isNew: false,
    ...changes,
  } as Commit
}
