import type { Commit } from '@kith/server'

/** The first commit, of Alice's, which concerns nobody but for these changes. */
export function commitWith(changes: Partial<Commit>): Commit {
  return {
    position: 1,
    subjects: ['alice'],
    pairs: [],
    standings: [],
    strangers: [],
    hidings: [],
    levels: new Map(),
    isNew: false,
    ...changes,
  } as Commit
}
