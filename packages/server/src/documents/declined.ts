import { flatMapsOf, founderOf, knownDays, namedUsers, rosterEntryBytes } from '@kith/shared'
import type * as Y from 'yjs'

const root = 'declined'
/** For so many days a roster keeps that it declined a user who is not registered, and whom it names nowhere else. */
const daysKept = 730

/** A user whom a roster has declined, and since which day at the latest; `undefined` since the last refounding. */
interface Declined {
  user: string
  since: number | undefined
}

/** Everybody whom a roster has declined: those that the founder knew of, the longest first, then the others; each by id. */
export function declinedIn(doc: Y.Doc): Declined[] {
  const founder = founderOf(doc.store.clients.keys())
  const days = knownDays(doc)
  const declined = [...doc.getMap(root)._map].flatMap(([user, { id, deleted }]): Declined[] => {
    if (deleted) return []
    const since = id.client === founder ? days.find(({ clock }) => id.clock < clock)?.day : undefined
    return [{ user, since }]
  })
  const rank = ({ since }: Declined): number => since ?? Number.POSITIVE_INFINITY
  return declined.sort((a, b) => (rank(a) === rank(b) ? (a.user < b.user ? -1 : 1) : rank(a) - rank(b)))
}

/** Those who may lapse if they are not registered. `today`: whole days since 1970. */
export function longDeclined(doc: Y.Doc, today: number): string[] {
  const long = declinedIn(doc).filter(({ since }) => isLong(since, today))
  if (long.length === 0) return []
  const maps = flatMapsOf(doc)
  const met = namedUsers({ ...maps, entries: name => (name === root ? [] : maps.entries(name)) })
  return long.map(({ user }) => user).filter(user => !met.has(user))
}

/**
 * The bytes of users whom a roster has declined for long, or since it is not noted when. After a refounding there are none: each
 * of them is forgotten, or counts from its day.
 */
export function oldDeclinedBytes(doc: Y.Doc, today: number): number {
  let bytes = 0
  for (const { user, since } of declinedIn(doc)) {
    if (since === undefined || isLong(since, today)) bytes += rosterEntryBytes(root, user, true)
  }
  return bytes
}

export function isLong(since: number | undefined, today: number): boolean {
  return since !== undefined && today - since >= daysKept
}
