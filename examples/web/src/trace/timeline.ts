import { databaseOf } from '../devices/name.ts'
import type { Entry } from './entry.ts'

export type Group = 'change' | 'visibility' | 'message' | 'connection' | 'problem'

export interface Wanted {
  /** The device to show; empty: all. */
  device: string
  /** The user id to show; empty: all. */
  person: string
  kind: Group | ''
  /** Whether questions and heartbeats are included. */
  withQuestions: boolean
}

/** Consecutive entries with the same content, as one line. */
export interface Line {
  id: string
  entry: Entry
  /** All of them, oldest first. */
  entries: readonly Entry[]
}

/** Returns the wanted entries; similar ones in one line, if `areFolded` is set. */
export function timeline(entries: readonly Entry[], wanted: Wanted, areFolded: boolean): Line[] {
  const lines: { id: string; entry: Entry; entries: Entry[] }[] = []
  const changed = new Set<string>()
  for (const entry of entries) {
    const device = databaseOf(entry.name)
    if (entry.brief.is === 'changed') changed.add(device)
    // The server sends this after each question, even if nothing was new. It is shown only once after a change.
    const isNews = entry.brief.is !== 'stored' || changed.delete(device) || wanted.withQuestions || !areFolded
    if (!isNews || !isWanted(entry, wanted)) continue
    const last = lines.at(-1)
    if (areFolded && last && isAlike(last.entry, entry)) last.entries.push(entry)
    else lines.push({ id: entry.id, entry, entries: [entry] })
  }
  return lines
}

function groupOf({ brief, kind }: Entry): Group {
  if (kind === 'problem') return 'problem'
  switch (brief.is) {
    case 'changed':
    case 'copied':
    case 'stored':
      return 'change'
    case 'wrote':
    case 'read':
    case 'outcome':
      return 'message'
    case 'checked':
    case 'received':
    case 'asked':
    case 'presence':
    case 'watches':
    case 'caughtUp':
      return 'visibility'
    default:
      return kind === 'barrier' ? 'change' : 'connection'
  }
}

/** The people that an entry is about, except the user of its device. */
export function peopleOf({ brief, facts = [] }: Entry): string[] {
  return [...('person' in brief ? [brief.person] : []), ...facts.flatMap(({ person }) => person ?? [])]
}

function isWanted(entry: Entry, { device, person, kind, withQuestions }: Wanted): boolean {
  const isQuestion = entry.brief.is === 'alive' || entry.brief.is === 'question'
  return (
    (withQuestions || !isQuestion) &&
    (device === '' || databaseOf(entry.name) === device) &&
    (person === '' || entry.name.user === person || peopleOf(entry).includes(person)) &&
    (kind === '' || groupOf(entry) === kind)
  )
}

/** Presence, profiles and checks come in large batches and may be folded; a change is shown separately. */
function isAlike(a: Entry, b: Entry): boolean {
  const folds = ['presence', 'received', 'checked', 'alive', 'question', 'watches', 'asked']
  return a.brief.is === b.brief.is && folds.includes(a.brief.is) && databaseOf(a.name) === databaseOf(b.name)
}
