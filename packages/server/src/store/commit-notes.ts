import type { Change } from '../relations/changes.ts'
import type { CommitNotes } from '../relations/draft.ts'

/** The notes of a commit before anything was derived for it. */
export function newNotes(position: number, change: Change): CommitNotes {
  return {
    position,
    subjects: subjectsOf(change),
    sights: new Map(),
    pairs: [],
    standings: [],
    strangers: [],
    hidings: [],
    lines: new Set(),
    levels: new Map(),
    edits: [],
    isNew: false,
  }
}

/** The number of records for each user in a roster: the user, and both sides of the relation. */
const recordsPerUser = 3

/** A lower bound of the records that a change reads, known from the change itself. */
export function leastRecords(change: Change): number {
  return change.type === 'documents' ? recordsPerUser * (change.roster?.facts.size ?? 0) : 0
}

/** Returns the users whose change it is. */
export function subjectsOf(change: Change): string[] {
  switch (change.type) {
    case 'pair':
      return [change.a, change.b]
    case 'seen':
      return change.users.map(({ user }) => user)
    case 'undelivered':
    case 'events':
      return []
    default:
      return [change.user]
  }
}
