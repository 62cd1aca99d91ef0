import type { Commit } from '@kith/server'

/** Returns Alice's first commit. It concerns no other user, unless these changes say so. */
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
